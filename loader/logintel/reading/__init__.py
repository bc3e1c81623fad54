"""Reading of logs: files -> lines -> records, each of them a row for the log table or the reason why there is none.

Read in this order: records, source, formats, from_csv, from_jsonl, from_text, patterns, rows, timestamps.
"""
