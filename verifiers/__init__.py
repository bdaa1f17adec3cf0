"""Did it happen? Clients ask, judges decide."""
