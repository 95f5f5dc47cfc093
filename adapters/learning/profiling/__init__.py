"""What a stored table holds, column by column, and what of it an analyst should look at before training."""
