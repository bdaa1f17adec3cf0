"""The pages that people read; each module has a `blueprint`."""
