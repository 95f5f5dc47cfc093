"""Names near to one that is not there; callers pass only names that the asker may see."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Return up to three names that look alike."""
    return get_close_matches(name, list(known), n=3, cutoff=0.4)
