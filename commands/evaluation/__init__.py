"""Commands of the evaluation service."""
