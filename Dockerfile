# PostgreSQL with the extension installed, and created in POSTGRES_DB. Used as the official image is:
#   docker build -t logintel . && docker run -e POSTGRES_PASSWORD=... -p 5432:5432 logintel
ARG BASE=postgres:17-trixie

FROM $BASE AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends make python3-venv postgresql-plpython3-$PG_MAJOR \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# The server's packages first: they are large and seldom change.
COPY Makefile logintel*.control ./
COPY plpython/requirements.txt plpython/
RUN make install-libraries DESTDIR=/installed
COPY . .
RUN make install DESTDIR=/installed

FROM $BASE
# python3 is PL/Python's own version as a program: a model's graph is first run in a process of its own.
RUN apt-get update \
 && apt-get install -y --no-install-recommends python3-minimal postgresql-plpython3-$PG_MAJOR \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /installed/ /
RUN echo 'CREATE EXTENSION logintel_python CASCADE;' >/docker-entrypoint-initdb.d/logintel.sql
