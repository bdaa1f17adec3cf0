"""A local Akash network speaking the real wire formats, for the demo and the tests."""
