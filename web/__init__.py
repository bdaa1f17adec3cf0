"""What people see: pages, forms, API, sign-in."""
