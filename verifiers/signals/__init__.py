"""Review signals: what two participants share, or one pays for another; reasons to look, never to refuse (pure)."""
