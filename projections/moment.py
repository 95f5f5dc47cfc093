"""Which position a person means: an ISO timestamp with a zone, an age (`2h ago`), or `@position`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from domain.errors import BadInputError
from projections.ports import Feed

AGE = re.compile(r"([0-9]{1,9})\s*([smhdw])(\s+ago)?")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
POSITION = re.compile(r"@([0-9]{1,18})")
FORMS = "Give an ISO timestamp with a zone (2026-01-31T12:00:00Z), an age (2h ago; s, m, h, d, w) or @position."
TIMES = "Give an ISO timestamp with a zone (2026-01-31T12:00:00Z) or an age (2h ago; s, m, h, d, w)."


@dataclass(frozen=True, slots=True)
class Moment:
    """A position in the log (always that of a commit, or 0), what was asked, and a sentence where the two differ."""

    position: int
    asked: str
    note: str | None = None


def parse_moment(text: str, feed: Feed, now: datetime) -> Moment:
    """Turn a text into a position, once. Raises BadInputError with the forms that are understood."""
    asked = text.strip()
    head, _ = feed.head()
    if asked.startswith("@"):
        return _at_position(asked, feed, head)
    moment = parse_time(asked, now)
    if moment >= now:
        note = f"{asked} is in the future: answered as of now, position {head}." if moment > now else None
        return Moment(head, asked, note)
    return Moment(feed.position_at(moment), asked)


def parse_time(text: str, now: datetime, forms: str = FORMS) -> datetime:
    """Turn a timestamp or an age into a time, UTC. Raises BadInputError with the forms that fit there."""
    asked = text.strip()
    try:
        if age := AGE.fullmatch(asked):
            return now - timedelta(**{UNITS[age[2]]: int(age[1])})
        moment = datetime.fromisoformat(asked)
        if moment.tzinfo is None:
            raise BadInputError(f"{asked!r} has no time zone: add Z or +01:00. {forms}", allowed=forms)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInputError(f"{asked!r} is no time. {forms}", allowed=forms) from None


def is_age(text: str | None) -> bool:
    """Whether a text names a time that is another one a moment later."""
    return text is not None and AGE.fullmatch(text.strip()) is not None


def _at_position(asked: str, feed: Feed, head: int) -> Moment:
    match = POSITION.fullmatch(asked)
    if match is None:
        raise BadInputError(f"{asked!r} is no position: write @ and a whole number. {FORMS}", allowed=FORMS)
    position = int(match[1])
    if position > head:
        raise BadInputError(f"Position {position} is in the future: the log ends at {head}.", head=head)
    commit = feed.commit_at(position)
    note = f"Position {position} lies inside a commit: answered as of the commit before it, {commit}."
    return Moment(commit, asked, note if commit != position else None)
