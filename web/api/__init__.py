"""The HTTP API under /api/v1 (DESIGN section 5); each module has a `blueprint`."""
