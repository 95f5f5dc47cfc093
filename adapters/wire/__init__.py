"""How events and communications look outside the process: stored JSON, upcasters, hash chains."""
