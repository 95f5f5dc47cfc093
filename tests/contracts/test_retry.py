"""The one retry policy: bounded, and at random over a range that doubles up to a limit."""

from __future__ import annotations

import pytest

from adapters.host.retry import Retry


def test_pauses_lie_between_nothing_and_a_bound_that_doubles_up_to_the_longest() -> None:
    retry = Retry(shortest=1, longest=5)
    for failures, most in [(1, 1), (2, 2), (3, 4), (4, 5), (1000, 5)]:
        pauses = [retry.pause(failures) for _ in range(200)]
        assert 0 <= min(pauses) < most / 4
        assert most * 3 / 4 < max(pauses) <= most


def test_each_attempt_but_the_first_comes_after_a_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("adapters.host.retry.time.sleep", slept.append)
    assert [(attempt, len(slept)) for attempt in Retry(limit=3).attempts()] == [(1, 0), (2, 1), (3, 2)]


def test_the_pause_stays_in_its_bounds_however_long_an_outage_lasts() -> None:
    policy = Retry(shortest=0.04, longest=1.0)
    assert all(0 <= policy.pause(failures) <= policy.longest for failures in (1, 2, 64, 1_025, 10**6))
