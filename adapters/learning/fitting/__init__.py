"""Fits a model, and stores what is kept of it."""
