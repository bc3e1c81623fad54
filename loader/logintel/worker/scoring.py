"""Pending lines, scored outside the server, batch after batch, by the very Python that scores inside it."""

import itertools
import json
import operator
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import psycopg

from logintel.plpy import PlpyConnection
from logintel.worker.child import Report
from logintel.worker.events import Scored
from logintel.worker.loop import Loop
from logintel_server import runtime, scoring
from logintel_server.tokens import SHAPE_FIELDS


class Stopped(Exception):
    """Somebody asked for an end while a batch was in hand: it is rolled back."""


class Batch(NamedTuple):
    """What became of one batch, or of one of each log table."""

    taken: int  # lines out of the queue, those included that were deleted while they waited
    scored: int  # lines that got a prediction


def run(report: Report, stop: threading.Event, dsn: str | None, batch: int, poll: float) -> None:
    """Score batches of up to `batch` lines as a child process; rest for `poll` seconds when fewer were pending."""

    def turn(connection: psycopg.Connection) -> bool:
        done = score_batch(connection, batch, stop.is_set)
        if done.scored:
            report(Scored(done.scored))
        return done.taken == batch  # with fewer, let lines gather: a batch costs the same for one as for many

    Loop("scoring", turn, every=poll, dsn=dsn, report=report, stop=stop).run()


def score_batch(connection: psycopg.Connection, limit: int, should_stop: Callable[[], bool] = lambda: False) -> Batch:
    """Take up to `limit` pending lines and write their predictions, those of each log table in one transaction.

    Whatever fails or is killed in between leaves the lines pending; what is wrong with one table keeps no other one
    waiting. `should_stop` is asked between two calls of the models. Raises Stopped, runtime.ModelError, psycopg.Error.
    """
    done = Batch(0, 0)
    failure: psycopg.Error | None = None
    # No table is always the first: one with lines without end keeps no other one waiting.
    for (attachment,) in connection.execute(_TABLES_WITH_LINES).fetchall():
        if done.taken >= limit:
            break
        try:
            batch = _score_table(connection, attachment, limit - done.taken, should_stop)
            done = Batch(done.taken + batch.taken, done.scored + batch.scored)
        except psycopg.Error as error:
            if connection.closed:
                raise
            failure = failure or error
    if failure and not done.taken:
        raise failure
    return done


_TABLES_WITH_LINES = """
    SELECT a.id FROM logintel_internal.attachments a
    WHERE a.reconciled_tables IS NULL OR EXISTS (SELECT FROM logintel_internal.pending q WHERE q.attachment_id = a.id)
    ORDER BY random()"""


def _score_table(
    connection: psycopg.Connection, attachment: int, limit: int, should_stop: Callable[[], bool]
) -> Batch:
    with connection.transaction():
        take = "SELECT logintel._take_pending(%s::integer, %s::integer)"
        [(taken,)] = connection.execute(take, (attachment, limit)).fetchall()
        if not taken:
            return Batch(0, 0)
        _learn(connection, attachment, taken, should_stop)
        # Models deployed since then do not know all shapes: their lines wait again, for the next batch.
        query = "SELECT logintel._score_taken(%s::integer, %s::bigint[])"
        [(scored,)] = connection.execute(query, (attachment, taken)).fetchall()
        return Batch(len(taken), scored)


def _learn(
    connection: psycopg.Connection, attachment: int, log_entry_ids: list[int], should_stop: Callable[[], bool]
) -> None:
    """Score the shapes of these lines that the models which serve them have not seen, and remember the scores."""
    plpy = PlpyConnection(connection)
    query = "SELECT * FROM logintel._unknown_shapes($1::integer, $2::bigint[])"
    unknown = plpy.execute(query, [attachment, log_entry_ids])
    for model_set_id, shapes in _batches(unknown):
        if should_stop():
            raise Stopped
        columns = {field: [shape[field] for shape in shapes] for field in ("shape_hash", *SHAPE_FIELDS)}
        scores = scoring.score_shapes(plpy, model_set_id, columns)
        connection.execute(
            "SELECT logintel._remember_scores(%s::integer, %s::jsonb, %s::jsonb)",
            (
                model_set_id,
                json.dumps(columns | {"attachment_id": attachment}),
                json.dumps(scores, allow_nan=False),
            ),
        )


def _batches(unknown: Sequence[dict[str, Any]]) -> Iterator[tuple[int, Sequence[dict[str, Any]]]]:
    """Yield shapes in batches of one model set each: in a split test, two sets serve the lines."""
    for model_set_id, group in itertools.groupby(unknown, operator.itemgetter("model_set_id")):
        shapes = list(group)
        for start in range(0, len(shapes), runtime.MAX_SHAPES):
            yield model_set_id, shapes[start : start + runtime.MAX_SHAPES]
