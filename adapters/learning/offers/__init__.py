"""The models and measures that the installed packages offer."""
