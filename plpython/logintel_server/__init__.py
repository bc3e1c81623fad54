"""logintel_server: what PL/Python imports to score shapes; also imported by the loader, so that both see the same features."""

__version__ = "0.1.0"
