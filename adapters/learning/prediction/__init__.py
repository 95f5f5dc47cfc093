"""What a fitted model says of new rows."""
