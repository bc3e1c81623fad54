"""The one kind of error that a user is meant to see."""

HOW_TO_INSTALL = (
    "run CREATE EXTENSION logintel_python CASCADE; "
    "without PL/Python CREATE EXTENSION logintel; where neither is to be had, logintel install"
)
"""What errors advise where logintel is not in a database."""

HOW_TO_GET_RIGHTS = (
    "who installed logintel gives the rights: SELECT logintel.grant_read('role'), or grant_manage, "
    "or grant_work for the worker"
)
"""What errors advise where a role may not do what it tries."""


class UserError(Exception):
    """A mistake of the user's or of their data: one line that names the object and the next step.

    The command line prints it on stderr and exits with 1, without a traceback.
    """
