"""Transactions that people send to a local chain: read, checked, kept until their block, carried out."""
