"""The client: speaks to a backend. Imports the standard library and cryptography alone."""
