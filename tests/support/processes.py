"""Commands that tests run beside themselves."""

import subprocess
import sys


def start(*command: str, **options: object) -> subprocess.Popen:
    """Start a Python command that SIGINT interrupts.

    Without `env` it would ignore SIGINT where this process does, as the background job of a script.
    """
    return subprocess.Popen(["env", "--default-signal=INT", sys.executable, *command], **options)
