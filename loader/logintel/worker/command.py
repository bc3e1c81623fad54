"""The command `logintel worker`."""

import os
import signal
from contextlib import closing
from typing import Annotated

import typer

from logintel.database import connect
from logintel.options import Dsn
from logintel.worker.supervisor import Options, Supervisor, pending_lines


def worker(
    max_workers: Annotated[
        int | None,
        typer.Option(min=1, help="At most so many processes at a time.", show_default="number of cores"),
    ] = None,
    batch: Annotated[int, typer.Option(min=1, help="Lines in one transaction.")] = 1000,
    poll: Annotated[float, typer.Option(min=0.05, help="Seconds between two looks when little is pending.")] = 0.5,
    once: Annotated[bool, typer.Option("--once", help="End when nothing is pending, or when something fails.")] = False,
    maintain_every: Annotated[
        float,
        typer.Option(min=0, help="Seconds between two runs of the upkeep, maintain(); 0: none, and no retraining."),
    ] = 60,
    dsn: Dsn = None,
) -> None:
    """Score pending lines outside the server, until interrupted.

    For the setting mode = deferred, where lines of new shapes wait for it, and for catching up in any mode. More
    processes run while many lines are pending. Each batch is one transaction, so it may be killed at any time. It also
    does the retrainings that are requested: by hand, by pg_cron, or by itself where schedule() said so.
    """
    options = Options(
        dsn=dsn,
        max_workers=max_workers or os.cpu_count() or 1,
        batch=batch,
        poll=poll,
        once=once,
        maintain_every=maintain_every,
    )
    with closing(connect(dsn)) as connection:  # a mistake is to be seen at once; later on, failures pass
        pending_lines(connection, 1)
    supervisor = Supervisor(options)
    ended_by = supervisor.run()
    print(f"scored {supervisor.scored:,} lines")
    if ended_by == signal.SIGINT:
        raise typer.Exit(130)
