"""When: the catalogue of jobs, the clock, the runner."""
