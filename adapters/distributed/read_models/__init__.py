"""The read models in MongoDB."""
