"""The models that ship, and the sources they are built from: see README.md."""
