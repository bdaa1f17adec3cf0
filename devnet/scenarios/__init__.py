"""The stories' data: one folder each, with parameters, providers, cast and SDL files."""
