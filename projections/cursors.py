"""Cursors of the history: where to go on, bound to query, client, position and version of the projection."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from domain.errors import BadCursorError
from projections.fold import VERSION
from projections.ports import CursorSeal, Mark


@dataclass(frozen=True, slots=True)
class Place:
    """What an opened cursor says: the position that all pages are as of, and the mark.

    `asked_at` is when the first page was asked for, where the question has ages (`2h ago`), else None.
    """

    position: int
    asked_at: datetime | None
    mark: Mark


def digest(query: dict[str, Any]) -> str:
    """Return a short digest of what was asked."""
    return hashlib.sha256(json.dumps(query, sort_keys=True).encode()).hexdigest()[:32]


def seal_cursor(seal: CursorSeal, client: str, query: dict[str, Any], place: Place) -> str:
    """Return the cursor for the next page."""
    bound = {"client": client, "query": digest(query), "version": VERSION}
    told = {
        "position": place.position,
        "asked_at": place.asked_at and place.asked_at.isoformat(),
        "mark": asdict(place.mark),
    }
    return seal.sign(bound | told)


def open_cursor(seal: CursorSeal, client: str, query: dict[str, Any], cursor: str) -> Place:
    """Return the place; raises BadCursorError where the cursor was made for something else."""
    payload = seal.open(cursor)
    if not isinstance(payload, dict) or "mark" not in payload:
        raise BadCursorError("This is a cursor of another list: ask for the first page again.")
    if payload["version"] != VERSION:
        raise BadCursorError("The read models were rebuilt in another version since: ask for the first page again.")
    if payload["client"] != client or payload["query"] != digest(query):
        raise BadCursorError("This cursor belongs to another question: repeat the one it came from, or leave it out.")
    asked_at = payload["asked_at"] and datetime.fromisoformat(payload["asked_at"])
    return Place(payload["position"], asked_at, Mark(**payload["mark"]))
