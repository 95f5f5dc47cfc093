"""Which processes live, and which of them does a work that only one may do."""
