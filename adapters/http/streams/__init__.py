"""Server-sent events, and waiting for a position."""
