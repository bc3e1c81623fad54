"""`logintel worker`: scoring outside the server, upkeep and retrainings, in child processes that may be killed.

Read in this order: events, child, loop, scoring, retraining, pacing, status, supervisor, command.
"""
