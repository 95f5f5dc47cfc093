"""A back-up: a folder in the format of a data directory, into which the logs of either mode are copied."""
