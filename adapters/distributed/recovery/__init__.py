"""Bringing a lost database back from the topics."""
