"""Measuring a fitted model, and fitting it again."""
