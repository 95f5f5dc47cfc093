"""The small documents beside log, audit log and read models, as they must be: by collection and `_id`, their fields."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from types import NoneType
from typing import Final, NamedTuple

from bson.int64 import Int64

from adapters.distributed.as_written import Kind, NeverWrittenError
from adapters.distributed.mongo import Fields

Types = frozenset[type]

TEXT: Final[Types] = frozenset({str})
NUMBER: Final[Types] = frozenset({int, Int64})
TRUTH: Final[Types] = frozenset({bool})
TIME: Final[Types] = frozenset({datetime})
FIELDS: Final[Types] = frozenset({dict})
BYTES: Final[Types] = frozenset({bytes})
PERHAPS_TEXT: Final[Types] = frozenset({str, NoneType})
LONGEST_LEASE: Final = timedelta(hours=1)  # and for clocks that do not agree


class Shape(NamedTuple):
    """Documents whose `_id` matches have these fields, perhaps those, and no others."""

    id: str
    needed: Mapping[str, Types]
    possible: Mapping[str, Types]

    def fault(self, stored: Fields) -> str | None:
        """Say what is wrong with a document whose `_id` matches."""
        if lacking := [name for name in self.needed if name not in stored]:
            return f"it lacks {', '.join(lacking)}"
        allowed = {"_id": TEXT, **self.needed, **self.possible}
        wrong = [name for name, value in stored.items() if type(value) not in allowed.get(name, ())]
        return f"it holds in {', '.join(wrong)} what is not for there" if wrong else None


SHAPES: Final[Mapping[str, Sequence[Shape]]] = {
    "installation": [
        Shape("installation", {"id": TEXT}, {}),
        Shape("master-key", {"fingerprint": TEXT}, {}),
        Shape("recovery", {"source": TEXT}, {}),
    ],
    "read-models": [
        Shape("last", {"number": NUMBER}, {}),
        Shape("v[0-9]+", {}, {"generation": NUMBER, "caught_up": TRUTH, "last": NUMBER}),  # `last`: of the first form
        Shape("v[0-9]+-[0-9]+", {"position": NUMBER}, {}),  # of the first form
        Shape("generation-[0-9]+", {"version": NUMBER, "collections": FIELDS, "positions": FIELDS}, {}),
    ],
    "leases": [Shape(".+", {"holder": TEXT, "until": TIME}, {})],
    "presence": [
        Shape(
            ".+",
            {"kind": TEXT, "since": TIME, "until": TIME, "beat": NUMBER, "in_flight": frozenset({list})},
            {"projections": NUMBER, "had_run_out": TRUTH},
        )
    ],
    "statuses": [
        Shape(
            ".+",
            {},
            {"position": NUMBER, "fault": PERHAPS_TEXT, "outage": PERHAPS_TEXT, "checked": frozenset({dict})},
        )
    ],
    "adoptions": [Shape("v[0-9]+", {"generation": NUMBER, "done": TRUTH, "refusal": PERHAPS_TEXT}, {})],
}
CHECKED: Final = Shape("", {"topic": TEXT, "offset": NUMBER, "position": NUMBER}, {})


def state_kinds(now: datetime) -> dict[str, Kind]:
    """Return the kinds of documents by collection; `now` by the database's clock."""
    return {name: _kind(f"document of {name}", shapes, now) for name, shapes in SHAPES.items()}


def _kind(what: str, shapes: Sequence[Shape], now: datetime) -> Kind:
    def rewritten(stored: Fields) -> Iterator[Fields]:
        if fault := _fault(stored, shapes, now):
            raise NeverWrittenError(fault)
        yield stored

    return Kind(what, rewritten)


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
        return "it has in flight what is no text"
    negative = [name for name, value in stored.items() if type(value) in NUMBER and value < 0]
    return f"{', '.join(negative)} is negative" if negative else None


def _time_fault(stored: Fields, now: datetime) -> str | None:
    until = stored.get("until")
    return f"it lasts until {until}" if until is not None and until > now + LONGEST_LEASE else None
