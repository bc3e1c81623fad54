"""Reading of logs: files -> lines -> records, each of them a row for the log table or the reason why there is none.

Read in this order: records, source, reader, formats; from_text with patterns and layouts/, from_jsonl with from_objects
and shapes/, from_csv with csv_headers, containers; rows, values, levels, timestamps.
"""
