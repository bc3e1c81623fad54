"""logintel: the client of the logintel extension, as a library and as the command line `logintel`."""
