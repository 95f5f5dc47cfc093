"""What the filters of `log` mean, whichever store answers them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from adapters.log.times import to_microseconds
from domain.errors import BadInputError

EQUAL: Final = ("correlation", "actor", "operation", "outcome", "kind")
TIMES: Final = ("since", "until")
ALLOWED: Final = (*EQUAL, *TIMES)
KINDS: Final = ("call", "message", "process")
OUTCOMES: Final = ("opened", "closed", "gone", "started", "lost", "settled", "cancelled", "failed", "skipped")
STATUS: Final = re.compile(r"[1-5]\d\d", re.ASCII)  # the outcome of a call


@dataclass(frozen=True, slots=True)
class Wanted:
    """Fields that must be equal, and the first and the last time that count (microseconds; None: no bound)."""

    equal: dict[str, str] = field(default_factory=dict)
    since: int | None = None
    until: int | None = None


def check_words(filters: dict[str, str]) -> None:
    """Raise BadInputError for a kind or an outcome that no record has."""
    kind, outcome = filters.get("kind"), filters.get("outcome")
    if kind is not None and kind not in KINDS:
        raise BadInputError(f"There is no kind {kind!r} of records, only {', '.join(KINDS)}.", allowed=list(KINDS))
    if outcome is not None and outcome not in OUTCOMES and not STATUS.fullmatch(outcome):
        allowed = ["an HTTP status", *OUTCOMES]
        raise BadInputError(f"There is no outcome {outcome!r}, only {', '.join(allowed)}.", allowed=allowed)


def wanted(filters: dict[str, str]) -> Wanted:
    """Return what filters ask for; since and until are ISO times with zone, both inclusive. Raises BadInputError."""
    for name in filters:
        if name not in ALLOWED:
            raise BadInputError(f"The log has no filter {name!r}, only {', '.join(ALLOWED)}.", allowed=list(ALLOWED))
    equal = {name: value for name, value in filters.items() if name in EQUAL}
    return Wanted(equal, _microseconds(filters.get("since")), _microseconds(filters.get("until")))


def _microseconds(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return to_microseconds(datetime.fromisoformat(text))
    except (ValueError, TypeError) as error:
        raise BadInputError(f"{text!r} is not an ISO 8601 time with zone, such as 2026-01-31T12:00:00Z.") from error
