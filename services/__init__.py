"""What people and jobs do: one function per use case, transactions opened at the edge."""
