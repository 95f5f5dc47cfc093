"""Keys, tokens and seals of both ends of the wire (DESIGN 9); the CLI imports it too, so it stays light."""
