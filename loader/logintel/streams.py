"""Standard input, output and error: closed, full, or given up by whoever read them."""

import contextlib
import io
import os
import sys

from logintel.errors import UserError


def prepare() -> None:
    """Let whatever is wrong with a standard stream be one error of one kind, wherever it is met."""
    # Reading and writing what a caller closed is to fail, but for complaints, which are lost then.
    for number, mode in enumerate((os.O_WRONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:  # closed: its number must not become that of a file or a connection
            os.open(os.devnull, mode)
    sys.stdin = sys.stdin or io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)))
    sys.stderr = sys.stderr or io.TextIOWrapper(io.FileIO(2, "w", closefd=False), write_through=True)
    raw = _StandardOutput(1, "w", closefd=False)
    encoding = sys.stdout.encoding if sys.stdout else None
    # What the terminal has no character for must not stop a command half way.
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(raw), encoding, errors="backslashreplace", line_buffering=raw.isatty()
    )


def flush() -> None:
    """Write what is still to be written. Raises UserError when that is not possible."""
    sys.stdout.flush()


def complain(text: str) -> None:
    """Print a line on standard error, where there is one: what is being done matters more than what is said of it."""
    # Names and lines of logs are repeated here, and must not drive the reader's terminal.
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    with contextlib.suppress(OSError):
        print(shown, file=sys.stderr, flush=True)


def give_up() -> None:
    """Keep what could not be written from being tried again at the end of the process, which would complain as well."""
    try:
        flush()
    except UserError:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 1)
        flush()


class _StandardOutput(io.FileIO):
    """The file behind standard output. Its errors are the user's to mend, and no library is to hide them."""

    def write(self, data: bytes) -> int | None:
        """Write. Raises UserError."""
        try:
            return super().write(data)
        except OSError as error:
            raise UserError(
                f"standard output cannot be written: {error.strerror}; what was committed before stays"
            ) from None
