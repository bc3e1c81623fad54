"""The command `logintel load`.

Read in this order: command, job, summary.
"""

from logintel.loading.command import load

__all__ = ["load"]
