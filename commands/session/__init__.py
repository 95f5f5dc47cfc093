"""Commands of the session service."""
