"""Which models and measures this machine has, by the names of their entry points: nothing of them is imported."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import entry_points


@lru_cache(maxsize=1)
def _names() -> frozenset[tuple[str, str]]:
    kinds = ("model", "measure")
    return frozenset((kind, entry.name) for kind in kinds for entry in entry_points(group=f"autolearn.{kind}s"))


def is_installed(kind: str, name: str) -> bool:
    """Tell whether a distribution of this environment brings the model or measure."""
    return (kind, name) in _names()
