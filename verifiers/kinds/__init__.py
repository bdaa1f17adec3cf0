"""One module for each kind of task: how it is confirmed."""
