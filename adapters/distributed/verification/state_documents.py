"""The small documents beside log, audit log and read models, as they must be: by collection and `_id`, their fields."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from adapters.distributed.document_format import (
    ARRAY,
    INTEGER,
    OBJECT,
    OPTIONAL_TEXT,
    TEXT,
    TIME,
    TRUTH,
    DocumentFormat,
    NeverWrittenError,
    Shape,
)
from adapters.distributed.mongo import Fields

GENERATION: Final = ("versions", "collections", "positions")  # of each projection
LONGEST_LEASE: Final = timedelta(hours=1)  # and for clocks that do not agree

SHAPES: Final[Mapping[str, Sequence[Shape]]] = {
    "installation": [
        Shape("installation", {"id": TEXT}, {}),
        Shape("master-key", {"fingerprint": TEXT}, {}),
        Shape("recovery", {"source": TEXT}, {}),
        Shape("backup", {"at": TIME, "position": INTEGER}, {}),
    ],
    "read-models": [
        Shape("last", {"number": INTEGER}, {}),
        Shape("v[0-9]+", {}, {"generation": INTEGER, "caught_up": TRUTH, "last": INTEGER}),  # `last`: of the first form
        Shape("v[0-9]+-[0-9]+", {"position": INTEGER}, {}),  # of the first form
        Shape("generation-[0-9]+", {"version": INTEGER, **dict.fromkeys(GENERATION, OBJECT)}, {}),
    ],
    "leases": [Shape(".+", {"holder": TEXT, "until": TIME}, {})],
    "presence": [
        Shape(
            ".+",
            {"kind": TEXT, "since": TIME, "until": TIME, "beat": INTEGER, "in_flight": ARRAY},
            {"projections": INTEGER, "had_run_out": TRUTH},
        )
    ],
    "statuses": [
        Shape(
            ".+",
            {},
            {
                "position": INTEGER,
                "fault": OPTIONAL_TEXT,
                "outage": OPTIONAL_TEXT,
                "checked": OBJECT,
                "replicas": INTEGER,
                "remark": OPTIONAL_TEXT,
            },
        )
    ],
    "adoptions": [Shape("v[0-9]+", {"generation": INTEGER, "done": TRUTH, "refusal": OPTIONAL_TEXT}, {})],
}
CHECKED: Final = Shape("", {"topic": TEXT, "offset": INTEGER, "position": INTEGER}, {})


def state_formats(now: datetime) -> dict[str, DocumentFormat]:
    """Return the formats of documents by collection; `now` by the database's clock."""
    return {name: _format(f"document of {name}", shapes, now) for name, shapes in SHAPES.items()}


def _format(what: str, shapes: Sequence[Shape], now: datetime) -> DocumentFormat:
    def rewritten(stored: Fields) -> Iterator[Fields]:
        if fault := _fault(stored, shapes, now):
            raise NeverWrittenError(fault)
        yield stored

    return DocumentFormat(what, rewritten)


def _fault(stored: Fields, shapes: Sequence[Shape], now: datetime) -> str | None:
    name = stored.get("_id")
    shape = next((it for it in shapes if type(name) is str and re.fullmatch(it.id, name, re.DOTALL)), None)
    if shape is None:
        return "no document has such an _id"
    return shape.fault(stored) or _inner_fault(stored) or _time_fault(stored, now)


def _inner_fault(stored: Fields) -> str | None:
    if "checked" in stored and (fault := CHECKED.fault(stored["checked"])):
        return f"in checked, {fault}"
    if any(type(it) is not str for it in stored.get("in_flight", ())):
        return "its calls in flight hold something that is not text"
    negative = [name for name, value in stored.items() if type(value) in INTEGER.classes and value < 0]
    return f"{', '.join(negative)} is negative" if negative else None


def _time_fault(stored: Fields, now: datetime) -> str | None:
    until = stored.get("until")
    return f"it lasts until {until}" if until is not None and until > now + LONGEST_LEASE else None
