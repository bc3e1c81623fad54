"""The one kind of error that a user is meant to see."""


class UserError(Exception):
    """A mistake of the user's or of their data: one line that names the object and the next step.

    The command line prints it on stderr and exits with 1, without a traceback.
    """
