"""The filter language of the history."""
