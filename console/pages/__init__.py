"""A file for each page: the questions it asks and the commands it sends."""
