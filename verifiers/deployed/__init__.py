"""What was deployed: facts of the chain from observations, and what an AI deployment task makes of them (pure)."""
