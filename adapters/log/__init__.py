"""The event log, whichever store holds it: events as JSON, the hash chain, appends and group commit."""
