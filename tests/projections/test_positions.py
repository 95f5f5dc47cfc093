"""`positions`: a moment as a place in the log, and the newest commits of the whole log beside it."""

from __future__ import annotations

from typing import Any

import pytest

from domain.errors import NotReachedError
from projections import positions
from projections.queries import Queries
from tests.projections.seal import OpenSeal
from tests.projections.world import World

A, B, C = "a" * 16, "b" * 16, "c" * 16


def queries(world: World) -> Queries:
    world.catch_up()
    return Queries(world.documents, world.history, world.feed, OpenSeal())


@pytest.fixture
def asked(world: World) -> Queries:
    """Ana committed two experiments, Ben discarded one, and Ana committed another one."""
    world.train("ana", A)
    world.train("ana", B)
    world.commit("ana", [A, B])
    world.train("ben", C)
    world.discard("ben")
    world.train("ana", "d" * 16)
    world.commit("ana", ["d" * 16])
    return queries(world)


def expected_marks(world: World) -> list[dict[str, Any]]:
    commits = [it for it in world.feed.after(0, 1000) if it.event.NAME == "session-committed.v1"]
    told = (("ana-2", 1), ("ana-1", 2))
    return [
        {"position": it.commit, "at": it.at.isoformat(), "session": session, "experiments": number}
        for it, (session, number) in zip(reversed(commits), told, strict=True)
    ]


def test_every_position_with_its_time_and_head(world: World, asked: Queries) -> None:
    raw = world.feed.raw_after(0, 1000)
    for commit in raw:
        found = asked.positions(commit.position)
        here = {"position": commit.position, "at": commit.at.isoformat(), "head": commit.hash.hex()}
        end = {"end": raw[-1].position, "end_at": raw[-1].at.isoformat()}
        assert found == here | end | {"marks": expected_marks(world)}
    assert asked.positions() == asked.positions(raw[-1].position)


def test_before_the_first_commit_there_is_no_time(world: World, asked: Queries) -> None:
    found = asked.positions(0)
    assert (found["position"], found["at"], found["head"]) == (0, None, "00" * 32)
    assert found["marks"] == expected_marks(world), "the marks are of the whole log, wherever one looks"


def test_an_empty_log(world: World) -> None:
    nothing: dict[str, Any] = {"position": 0, "at": None, "head": "00" * 32, "end": 0, "end_at": None, "marks": []}
    assert queries(world).positions() == nothing


def test_the_newest_marks_alone(asked: Queries, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(positions, "MOST_MARKS", 1)
    assert [mark["session"] for mark in asked.positions()["marks"]] == ["ana-2"]


def test_a_position_that_is_not_folded_in(world: World, asked: Queries) -> None:
    behind = asked.positions()
    world.train("ana", "e" * 16)
    end = world.feed.end()[0]
    assert asked.positions() == behind | {"end": end, "end_at": asked.positions()["end_at"]}
    with pytest.raises(NotReachedError):
        asked.positions(end)
