"""Debian's Chromium, without the services of its own that would ask other hosts."""

from __future__ import annotations

import shutil

CHROMIUM_ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run",
]  # fmt: skip


def find_chromium() -> str:
    """Return the program; raises LookupError."""
    path = shutil.which("chromium")
    if path is None:
        raise LookupError("Chromium (Debian's package chromium) is not here")
    return path
