"""The audit log in MongoDB."""
