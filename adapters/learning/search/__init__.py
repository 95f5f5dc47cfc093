"""The tasks of a search: which settings to try next, and one trial."""
