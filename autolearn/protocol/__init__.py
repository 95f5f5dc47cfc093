"""What both ends of the wire share: names, seals, tokens."""
