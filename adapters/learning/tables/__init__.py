"""From an uploaded file to a canonical table."""
