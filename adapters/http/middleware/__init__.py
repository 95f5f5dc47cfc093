"""What every call passes: authentication, authorisation, idempotency, sealing and the audit log."""
