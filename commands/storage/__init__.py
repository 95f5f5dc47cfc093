"""Commands of the storage service."""
