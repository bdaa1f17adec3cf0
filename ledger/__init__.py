"""What is kept: tables, unique keys, writes, named queries."""
