"""The report of an evaluation: docs/report.md says what it holds, and this package computes it."""
