"""What verify checks in MongoDB and in the topics."""
