"""Server-sent events, and what calls and streams wait for."""
