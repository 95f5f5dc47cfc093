"""Verification, replay and rebuild in a process of their own."""
