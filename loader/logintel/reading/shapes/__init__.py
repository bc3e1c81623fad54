"""Objects that known programs write: by its keys a shape is recognised, and then each of them means one thing.

Read in this order: recognised, postgres, system, libraries, cloud.
"""
