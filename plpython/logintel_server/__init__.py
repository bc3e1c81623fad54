"""logintel_server: what PL/Python imports to score shapes. The loader imports it too, for the same features."""

__version__ = "0.2.0"
