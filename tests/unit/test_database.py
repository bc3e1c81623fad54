"""Why something failed, as it is told."""

import psycopg
import pytest

from logintel.database import reason_of
from logintel.errors import UserError
from logintel_server.runtime import ModelError


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ModelError("model level 1 is corrupt"), "model level 1 is corrupt"),
        (UserError("there are no lines; load some"), "there are no lines; load some"),
        (psycopg.OperationalError("connection failed\nand more"), "connection failed"),
        (ValueError("odd"), "ValueError: odd"),
        (KeyError(), "KeyError"),
    ],
)
def test_a_reason_is_one_line(error: Exception, reason: str):
    assert reason_of(error) == reason
