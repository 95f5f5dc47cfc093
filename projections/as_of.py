"""`as_of`: the position that an ISO timestamp with a zone, an age (`2h ago`) or `@position` means."""

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
class AsOfPosition:
    """A position in the log (always that of a commit, or 0), what was asked, and a sentence where the two differ."""

    position: int
    asked: str
    note: str | None = None


def parse_as_of(text: str, feed: Feed, now: datetime) -> AsOfPosition:
    """Turn a text into a position, once. Raises BadInputError with the forms that are understood."""
    asked = text.strip()
    end, _ = feed.end()
    if asked.startswith("@"):
        return _at_position(asked, feed, end)
    time = parse_time(asked, now)
    if time >= now:
        note = f"{asked} is in the future: answered as of now, position {end}." if time > now else None
        return AsOfPosition(end, asked, note)
    return AsOfPosition(feed.position_at(time), asked)


def parse_time(text: str, now: datetime, forms: str = FORMS) -> datetime:
    """Turn a timestamp or an age into a time, UTC. Raises BadInputError with `forms`, those that fit there."""
    asked = text.strip()
    try:
        if age := AGE.fullmatch(asked):
            return now - timedelta(**{UNITS[age[2]]: int(age[1])})
        time = datetime.fromisoformat(asked)
        if time.tzinfo is None:
            raise BadInputError(f"{asked!r} has no time zone: add Z or +01:00. {forms}", allowed=forms)
        return time.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadInputError(f"{asked!r} is not a time. {forms}", allowed=forms) from None


def is_age(text: str | None) -> bool:
    return text is not None and AGE.fullmatch(text.strip()) is not None


def _at_position(asked: str, feed: Feed, end: int) -> AsOfPosition:
    match = POSITION.fullmatch(asked)
    if match is None:
        raise BadInputError(f"{asked!r} is not a position: write @ and a whole number. {FORMS}", allowed=FORMS)
    position = int(match[1])
    if position > end:
        raise BadInputError(f"Position {position} is in the future: the log ends at {end}.", head=end)
    commit = feed.commit_at(position).position
    note = f"Position {position} lies inside a commit: answered as of the commit before it, {commit}."
    return AsOfPosition(commit, asked, note if commit != position else None)
