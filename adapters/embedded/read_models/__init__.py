"""The read models in SQLite."""
