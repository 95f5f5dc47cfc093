"""A clock that is far off, while a process runs: nothing is stored until it is right, and time does not go back."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from adapters.log.times import from_microseconds, microseconds_now, to_microseconds
from domain.errors import NotAbleError
from server.compose.stores import SystemClock

FIRST, AFTER = datetime(1980, 1, 1, tzinfo=UTC), datetime(9999, 12, 1, tzinfo=UTC)


def set_clock(monkeypatch: pytest.MonkeyPatch, microseconds: int) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: microseconds * 1000)


@pytest.mark.parametrize("now", [0, -1, to_microseconds(FIRST) - 1, to_microseconds(AFTER), 10**18, -(10**18)])
def test_a_time_that_no_machine_has_is_none(monkeypatch: pytest.MonkeyPatch, now: int) -> None:
    set_clock(monkeypatch, now)
    for ask in (microseconds_now, SystemClock().now):
        with pytest.raises(NotAbleError, match="before 1980 or after 9999"):
            ask()


@pytest.mark.parametrize("now", [FIRST, datetime(2026, 1, 2, 3, 4, 5, 678901, UTC), datetime(9999, 11, 30, tzinfo=UTC)])
def test_any_other_time_is_exact(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    set_clock(monkeypatch, to_microseconds(now))
    assert from_microseconds(microseconds_now()) == SystemClock().now() == now
