"""Realistic application logs of an invented company, with the truth about every line.

Read in this order: services/gateway.txt (what the templates look like), templates, parameters, schedule, lines,
corruption, writing, command.
"""

from logintel.simulation.lines import SimulatedLine, generate
from logintel.simulation.templates import Template, templates

__all__ = ["SimulatedLine", "Template", "generate", "templates"]
