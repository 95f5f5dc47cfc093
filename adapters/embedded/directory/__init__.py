"""The data directory: its lock, format and small files."""
