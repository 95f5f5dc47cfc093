"""Cursors of the history: where to go on, bound to query, client, position and version of the projection."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from domain.errors import BadCursorError
from projections.fold import VERSION
from projections.ports import CursorSeal, Offset


@dataclass(frozen=True, slots=True)
class HistoryCursor:
    """The position that all pages are as of, and the offset of the next one.

    `asked_at` is when the first page was asked for, where the question has ages (`2h ago`), else None.
    """

    position: int
    asked_at: datetime | None
    offset: Offset


def seal_cursor(seal: CursorSeal, client: str, query: dict[str, Any], cursor: HistoryCursor) -> str:
    """Return the text that a client gets."""
    asked_at = cursor.asked_at and cursor.asked_at.isoformat()
    told = {"position": cursor.position, "asked_at": asked_at, "offset": asdict(cursor.offset)}
    return seal.sign({"client": client, "query": _digest(query), "version": VERSION} | told)


def open_cursor(seal: CursorSeal, client: str, query: dict[str, Any], text: str) -> HistoryCursor:
    """Read a cursor; raises BadCursorError where it was made for something else."""
    payload = seal.open(text)
    if not isinstance(payload, dict) or "query" not in payload:
        raise BadCursorError("This is a cursor of another list: ask for the first page again.")
    if payload["version"] != VERSION:
        raise BadCursorError("The read models were rebuilt in another version since: ask for the first page again.")
    if payload["client"] != client or payload["query"] != _digest(query):
        raise BadCursorError("This cursor belongs to another question: repeat the one it came from, or leave it out.")
    asked_at = payload["asked_at"] and datetime.fromisoformat(payload["asked_at"])
    return HistoryCursor(payload["position"], asked_at, Offset(**payload["offset"]))


def _digest(query: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(query, sort_keys=True).encode()).hexdigest()[:32]
