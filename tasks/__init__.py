"""What is asked of participants and what it is worth. Pure: no clock, no database, no network."""
