"""Past state, computed from the log alone."""
