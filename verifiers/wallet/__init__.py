"""Proofs that somebody holds the key of an Akash address (pure)."""
