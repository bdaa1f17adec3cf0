"""Stories: whole testnets told as data, from a few pages of parameters and a seed."""
