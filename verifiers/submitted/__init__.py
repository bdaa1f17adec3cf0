"""SDLs written for others: what is entered, what the code host and the chain show of it, and its novelty (pure)."""
