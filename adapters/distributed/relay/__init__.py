"""The relay: carries log and audit log from MongoDB to their topics."""
