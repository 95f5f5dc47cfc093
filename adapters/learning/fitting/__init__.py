"""Fitting a model, and what is kept of it."""
