"""The layouts of text logs.

Read in this order: layout, parts, simple, postgres, postgres_words, logfmt, consoles.
"""
