"""Moments in a question: a position of the log, a time, or an age, as the backend reads them."""

from __future__ import annotations

from datetime import datetime

from autolearn.errors import InvalidInputError

Moment = int | str | datetime
Time = str | datetime


def as_of_text(moment: Moment | None) -> str | None:
    """Return the text of a moment: an int is a position; raises InvalidInputError for a time without a zone."""
    if isinstance(moment, bool) or not isinstance(moment, int | str | datetime | None):
        raise InvalidInputError(f"{moment!r} is no moment: give a position, a text or a datetime with its zone.")
    return f"@{moment}" if isinstance(moment, int) else time_text(moment)


def time_text(time: Time | None) -> str | None:
    """Return the text of a time; raises InvalidInputError for one without a zone."""
    if not isinstance(time, datetime):
        return time
    if time.tzinfo is None:
        raise InvalidInputError(f"{time} has no time zone: datetime.now(UTC) has one, and .astimezone() adds yours.")
    return time.isoformat()
