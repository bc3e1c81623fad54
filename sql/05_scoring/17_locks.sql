INSERT INTO logintel.locks (name) VALUES ('lines'), ('scores');
