"""Text files that a command writes."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from logintel.errors import UserError


@contextlib.contextmanager
def written(path: Path) -> Iterator[TextIO]:
    """Open a file to be written. Raises UserError when it cannot be; what is there of it then is removed."""
    opened = False
    try:
        with open(path, "w", encoding="utf-8") as file:
            opened = True
            yield file
    except OSError as error:
        if opened and path.is_file():  # a device stays
            with contextlib.suppress(OSError):
                path.unlink()
        raise UserError(f"{path} cannot be written: {error.strerror}; give another --output") from None
