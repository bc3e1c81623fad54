"""The stand-in for plpy, as far as it goes without a server."""

import psycopg
import pytest

from logintel.working.connections import reason_of
from logintel.working.scoring import PlpyConnection
from logintel_server.runtime import ModelError


def test_the_types_of_parameters_are_written_into_the_query():
    plpy = PlpyConnection(connection=None)
    assert plpy.prepare("SELECT $1, $2, $1", ["integer", "text[]"]) == "SELECT $1::integer, $2::text[], $1::integer"
    assert plpy.prepare("SELECT 1") == "SELECT 1"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ModelError("model level 1 is corrupt"), "model level 1 is corrupt"),
        (psycopg.OperationalError("connection failed\nand more"), "connection failed"),
        (ValueError("odd"), "ValueError: odd"),
        (KeyError(), "KeyError"),
    ],
)
def test_a_reason_is_one_line(error: Exception, reason: str):
    assert reason_of(error) == reason
