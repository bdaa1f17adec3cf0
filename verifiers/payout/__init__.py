"""Payouts without any key: the unsigned file, the check of a signed one, what a chain says became of it (pure)."""
