"""Commands of the catalog service."""
