"""Which models and measures the installed packages offer."""
