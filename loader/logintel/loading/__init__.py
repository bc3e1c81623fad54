"""Loading log files into the attached log table: files -> lines -> records -> batches of COPY.

Read in this order: records, source, from_csv, from_jsonl, from_text, patterns, rows, timestamps, copying, batches,
command.
"""

from logintel.loading.copying import load_rows

__all__ = ["load_rows"]
