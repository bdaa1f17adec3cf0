"""The chain's state: what the acts did, block by block, and what it was at every height."""
