"""Files of the backend: content-addressed blobs."""
