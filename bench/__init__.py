"""Measures what we do beside what it must cost at least."""
