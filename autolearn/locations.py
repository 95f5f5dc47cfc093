"""Where this user's client finds things: data directory, credentials, URL. Read from the environment at every call."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from autolearn.errors import InvalidInputError

DEFAULT_PORT = 8420  # of `up` and `serve` too
DEFAULT_URL = f"http://127.0.0.1:{DEFAULT_PORT}"
CONSOLE = "For pages instead of commands: autolearn console --open"


def data_directory() -> Path:
    """Return `AUTOLEARN_DATA`, or the default; raises InvalidInputError if it is empty, as a backend does."""
    given = os.environ.get("AUTOLEARN_DATA")
    if given == "":
        raise InvalidInputError("AUTOLEARN_DATA is empty: give a folder, or unset it.")
    return Path(given).expanduser() if given else default_data_directory()


def default_data_directory() -> Path:
    """Return `autolearn` in the user's data home (XDG base directories)."""
    home = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Path(f"{home}/autolearn").expanduser()


def credentials_file() -> Path:
    """Return `AUTOLEARN_CREDENTIALS`, or `credentials.json` of the data directory."""
    given = os.environ.get("AUTOLEARN_CREDENTIALS")
    return Path(given).expanduser() if given else data_directory() / "credentials.json"


def backend_url(given: str | None) -> str:
    """Return the URL to call, without a slash at its end; raises InvalidInputError if it is not an http(s) URL."""
    url = (given or os.environ.get("AUTOLEARN_URL") or DEFAULT_URL).rstrip("/")
    parts = urlsplit(url)
    try:
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good or parts.query or parts.fragment or parts.username:
        raise InvalidInputError(f"{url!r} is not the URL of a backend: it looks like {DEFAULT_URL}.")
    return url
