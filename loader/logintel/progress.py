"""The progress bar of whatever takes long, on stderr; nothing where stderr is no terminal."""

import contextlib
import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeElapsedColumn

_COUNT = (MofNCompleteColumn(),)


@contextlib.contextmanager
def bar(
    description: str,
    total: float | None,
    columns: Sequence[ProgressColumn] = _COUNT,
    *,
    transient: bool = False,
    **fields: Any,
) -> Iterator[Callable[..., None]]:
    """Show a bar, and `columns` between it and the time; `transient`: it vanishes at the end.

    Gives the function that changes it, with the arguments of rich's Progress.update(). `fields` are for the columns.
    """
    stderr = Console(stderr=True)
    shown = (TextColumn("{task.description}", markup=False), BarColumn(), *columns, TimeElapsedColumn())
    with Progress(*shown, console=stderr, disable=not stderr.is_terminal, transient=transient) as progress:
        yield functools.partial(progress.update, progress.add_task(description, total=total, **fields))
