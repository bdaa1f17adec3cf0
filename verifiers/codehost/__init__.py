"""The code host: pull requests as it shows them, reduced at the border to what a judge reads."""
