"""One module for each kind of task: what is asked, its parameters, the fields of a claim."""
