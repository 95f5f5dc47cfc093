"""The routes of the five services."""
