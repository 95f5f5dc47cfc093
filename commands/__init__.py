"""The write side: one use case, one file, one name. Read `dispatch.py` first."""
