"""The command line: every sub-command in a file of its own, imported only when it is used."""
