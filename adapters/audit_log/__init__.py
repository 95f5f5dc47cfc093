"""The audit log, whichever store holds it: one record for every call, in a hash chain of its own."""
