"""How logintel gets into a database: the scripts that Make and the command line are given, and the commands."""
