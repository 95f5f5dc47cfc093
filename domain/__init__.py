"""The facts and the rules: pure event-sourced aggregates, without clock, I/O or randomness."""
