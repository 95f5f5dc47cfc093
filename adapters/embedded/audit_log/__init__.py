"""The audit log in SQLite."""
