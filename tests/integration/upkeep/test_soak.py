"""A short soak: writers, deployments, crashes and upkeep side by side, after which everything adds up."""

import os
import subprocess
import sys

import pytest

from support.servers import ROOT, Server


@pytest.mark.local_only
@pytest.mark.timeout(900)
def test_half_a_minute_of_everything_breaks_no_promise(server: Server) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tests" / "soak" / "run.py", "--minutes", "0.4"],
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        text=True,
        capture_output=True,
        timeout=600,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, f"{done.stdout[-6000:]}\n{done.stderr[-6000:]}"
