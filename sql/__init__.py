"""The SQL that logintel consists of: see README.md."""
