"""Verification: the log, the audit log, the read models and the topics held against each other."""
