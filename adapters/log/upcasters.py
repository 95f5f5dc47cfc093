"""Old event names and how their facts become those of the next version; applied when read, never to what is stored.

To change an event: give its class the next name (`…v2`), add the old name here, keep the old golden file.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Facts = dict[str, Any]
Upcaster = tuple[str, Callable[[Facts], Facts]]
"""The next name, and a pure function from the old facts (with `metadata`) to the next ones."""

UPCASTERS: dict[str, Upcaster] = {}


def upcast(name: str, facts: Facts) -> tuple[str, Facts]:
    """Return the newest name and facts of an event that was stored under an older name."""
    while name in UPCASTERS:
        name, change = UPCASTERS[name]
        facts = change(facts)
    return name, facts
