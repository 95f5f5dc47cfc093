"""Commands of the storage service that concern clients."""
