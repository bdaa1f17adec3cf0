"""Benchmark runs: the challenge, the one-file runner, and how its result is read and checked."""
