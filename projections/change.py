"""What `evolve` takes and gives: the documents as they stand before an event, and what the event changes in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Body = dict[str, Any]
Current = Callable[[str, str], Body | None]


@dataclass(frozen=True, slots=True)
class Change:
    """A document's new body; None closes it without a successor."""

    kind: str
    id: str
    body: Body | None
