"""The server below the applications: connections with limits of number, size and time, and who calls."""
