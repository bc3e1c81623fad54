"""Scoring of pending lines: by workers outside the server, or by sessions that let the server do it."""
