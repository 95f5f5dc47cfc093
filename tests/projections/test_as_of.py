"""`as_of`: timestamps, ages and positions become positions of commits; what is not meant is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain.errors import BadInputError
from projections.as_of import parse_as_of
from tests.projections.world import World


@pytest.fixture
def lived(world: World) -> World:
    world.register("iris")
    world.train("ana", "a" * 16)
    return world


def now(world: World) -> datetime:
    return world.feed.after(0, 1000)[-1].at + timedelta(seconds=1)


def test_a_position_is_the_commit_at_or_before_it(lived: World) -> None:
    first, second, head = lived.commits
    assert second - first > 1  # a commit of several events
    exact, inside = (parse_as_of(f"@{position}", lived.feed, now(lived)) for position in (second, second - 1))
    assert (exact.position, exact.note) == (second, None)
    assert inside.position == first
    assert inside.note is not None
    assert "inside a commit" in inside.note
    assert parse_as_of("@0", lived.feed, now(lived)).position == 0
    assert parse_as_of(f"@{head}", lived.feed, now(lived)).position == head


def test_a_time_is_the_last_commit_until_then(lived: World) -> None:
    for one in lived.feed.after(0, 1000):
        assert parse_as_of(one.at.isoformat(), lived.feed, now(lived)).position >= one.commit
    begin = lived.feed.after(0, 1)[0].at
    assert parse_as_of((begin - timedelta(seconds=1)).isoformat(), lived.feed, now(lived)).position == 0


def test_a_future_time_is_now(lived: World) -> None:
    moment = parse_as_of("2999-01-01T00:00:00+05:00", lived.feed, now(lived))
    assert moment.position == lived.commits[-1]
    assert moment.note is not None
    assert "future" in moment.note


@pytest.mark.parametrize("age", ["2h ago", "0s", "10 m ago", "3d", "1w ago"])
def test_ages(lived: World, age: str) -> None:
    later = now(lived) + timedelta(weeks=2)
    assert parse_as_of(age, lived.feed, later).position == lived.commits[-1]
    assert parse_as_of("4w ago", lived.feed, later).position == 0


@pytest.mark.parametrize(
    "text",
    ["2026-01-31T12:00:00", "2026-01-31", "2026-02-30T00:00:00Z", "soon", "", "@", "@-1", "@1.5", "@x", "-2h ago",
     "999999999w ago", "2h hence", "0001-01-01T00:00:00+14:00", "@٣"],
)  # fmt: skip
def test_what_is_no_moment(lived: World, text: str) -> None:
    with pytest.raises(BadInputError):
        parse_as_of(text, lived.feed, datetime(2026, 2, 1, tzinfo=UTC))


def test_a_position_in_the_future_says_where_the_log_ends(lived: World) -> None:
    with pytest.raises(BadInputError, match=f"ends at {lived.commits[-1]}") as refused:
        parse_as_of("@999", lived.feed, now(lived))
    assert refused.value.facts["head"] == lived.commits[-1]
