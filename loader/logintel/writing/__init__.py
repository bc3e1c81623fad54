"""Writing of rows into the attached log table: records -> batches of COPY, and what is refused into a rejects file.

Read in this order: copying, rejects, batches.
"""

from logintel.writing.copying import load_rows

__all__ = ["load_rows"]
