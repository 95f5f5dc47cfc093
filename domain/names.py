"""Shapes of names that the client checks too: apart from `values.py`, so that the CLI starts without pydantic."""

import re

CLIENT_NAME = re.compile(r"[a-z0-9-]{1,40}")
