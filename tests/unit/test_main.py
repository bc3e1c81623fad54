"""The start of the command line, before anything of it can catch an interrupt."""

import os
import signal
import subprocess
import sys
from pathlib import Path


def test_an_interrupt_while_it_is_being_imported_leaves_no_traceback(tmp_path: Path):
    (tmp_path / "psycopg.py").write_text("import time\nprint('importing', flush=True)\ntime.sleep(60)\n")
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    with subprocess.Popen(
        [sys.executable, "-m", "logintel", "worker"],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # in the background it is ignored
    ) as process:  # fmt: skip
        assert process.stdout.readline() == "importing\n"
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == ""
    assert process.returncode == -signal.SIGINT
