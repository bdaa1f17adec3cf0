"""The published archive: its format, how it is written and read, and how everything in it is worked again (pure)."""
