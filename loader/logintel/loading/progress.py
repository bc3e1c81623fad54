"""The progress bar of a load, on stderr."""

import time

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

from logintel import tables
from logintel.loading.batches import Batches
from logintel.loading.source import Source


class LoadProgress:
    """Shows how far the load of one source is; nothing when stderr is no terminal. A context manager."""

    def __init__(self, source: Source) -> None:
        """Prepare the bar of this source."""
        self._source = source
        self._started = time.monotonic()
        counts = "{task.fields[lines]:,} lines, {task.fields[rate]:,.0f}/s, {task.fields[rejected]:,} rejected"
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            DownloadColumn(),
            TextColumn(counts),
            TimeElapsedColumn(),
            console=tables.STDERR,
            disable=not tables.STDERR.is_terminal,
        )
        self._task = self._bar.add_task(source.name, total=source.size or None, lines=0, rate=0.0, rejected=0)

    def __enter__(self) -> "LoadProgress":
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the bar as it stands."""
        self._bar.stop()

    def update(self, batches: Batches) -> None:
        """Show what has been written so far."""
        rate = batches.loaded / max(time.monotonic() - self._started, 1e-3)
        self._bar.update(
            self._task,
            completed=self._source.position(),
            lines=batches.loaded,
            rate=rate,
            rejected=batches.rejected,
        )
