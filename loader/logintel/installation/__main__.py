"""Writes the extensions' scripts, for Make: `python3 -m logintel.installation FOLDER`, in a checkout."""

import sys
from pathlib import Path

from logintel.installation import scripts
from logintel.installation.sources import Sources

scripts.write(Sources(Path("sql"), Path("models")), Path("plpython"), Path(sys.argv[1]))
