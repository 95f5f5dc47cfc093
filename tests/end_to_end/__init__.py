"""Real processes, as a user starts them."""
