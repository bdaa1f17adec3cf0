"""The command line: one function per command, wired by `app.py`."""
