"""Replay tells the state at a position from the log alone, or one stream's, and whether the read models agree."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain.errors import NotFoundError
from projections.fold import Poisoned
from projections.ports import Recorded
from projections.replay import replay
from tests.projections.test_runner import spoil
from tests.projections.world import AVERAGE, World

A, B = "a" * 16, "b" * 16


@pytest.fixture
def lived(world: World) -> World:
    world.offer("measure:precision", AVERAGE)
    world.register("iris")
    world.train("ana", A)
    world.commit("ana", [A])
    world.request("ana", B)
    world.catch_up()
    return world


def replayed(world: World, position: int, stream: str | None = None) -> dict[str, Any]:
    *_, answer = replay(world.inspected(), position, stream)
    return answer


def test_the_state_at_a_position(lived: World) -> None:
    now = replayed(lived, lived.commits[-1])
    assert set(now) >= {"position", "at", "sessions", "experiments", "catalog", "matches_read_models"}
    assert [it["session"] for it in now["sessions"]] == ["ana-1", "ana-2"]
    assert [(it["experiment"], it["standing"]) for it in now["experiments"]] == [(A, "committed"), (B, "uncommitted")]
    assert [it["name"] for it in now["catalog"]["datasets"]] == ["iris"]
    assert now["counts"] == {"sessions": 2, "experiments": 2, "committed": 1, "withdrawn": 0, "searches": 0}
    then = replayed(lived, lived.commits[1])
    assert (then["position"], then["sessions"], then["matches_read_models"]) == (lived.commits[1], [], True)
    assert then["at"] == lived.feed.after(lived.commits[0], 1)[0].at.isoformat()
    assert replayed(lived, 0)["at"] is None


def test_read_models_that_disagree_are_reported(lived: World) -> None:
    with lived.read.writing() as connection:
        connection.execute("UPDATE document SET body = replace(body, 'requested', 'failed') WHERE kind = 'experiment'")
        connection.execute("UPDATE history SET withdrawn = 1")
    answer = replayed(lived, lived.commits[-1])
    assert answer["matches_read_models"] is False
    assert len(answer["differences"]) >= 2


@pytest.mark.parametrize(
    ("stream", "count", "key"),
    [(f"experiment:{A}", 4, "standing"), ("session:ana:1", 3, "opened_at"), ("dataset:iris", 1, "rows")],
)
def test_one_stream(lived: World, stream: str, count: int, key: str) -> None:
    answer = replayed(lived, lived.commits[-1], stream)
    assert [event["version"] for event in answer["events"]] == list(range(1, count + 1))
    assert key in answer["state"]
    assert answer["matches_read_models"] is True


class OfStreamsAlone:
    """A feed that refuses to read the log from its beginning."""

    def __init__(self, world: World) -> None:
        self._feed = world.feed
        self.asked: list[str] = []

    def of_stream(self, stream: str, until: int) -> list[Recorded]:
        self.asked.append(stream)
        return self._feed.of_stream(stream, until)

    def __getattr__(self, name: str) -> Any:
        assert name in {"raw_after", "commit_at"}, "only the time of the last commit is asked for besides"
        return getattr(self._feed, name)


def test_one_stream_is_read_alone_or_with_its_session(lived: World) -> None:
    world, position = lived, lived.commits[-1]
    read = {"dataset:iris": set(), f"experiment:{A}": {"session:ana:1"}, "session:ana:2": {f"experiment:{B}"}}
    for stream, others in read.items():
        feed = OfStreamsAlone(world)
        *_, answer = replay(replace(world.inspected(), feed=feed), position, stream)
        assert answer["matches_read_models"] is True
        assert set(feed.asked) == {stream, *others}


def test_a_stream_tells_what_differs_of_it_alone(lived: World) -> None:
    with lived.read.writing() as connection:
        connection.execute("UPDATE document SET body = '{}' WHERE kind = 'experiment' AND id = ?", (B,))
        connection.execute("UPDATE history_body SET body = replace(body, 'svm', 'tree')")
        connection.execute("DELETE FROM document WHERE kind = 'member' AND id LIKE 'ana-2/%'")
    (row,) = {str(it.n) for it in lived.history.all_versions()}
    differing = {
        stream: [found["what"] for found in replayed(lived, lived.commits[-1], stream)["differences"]]
        for stream in (f"experiment:{A}", f"experiment:{B}", "session:ana:1", "session:ana:2")
    }
    assert differing == {
        f"experiment:{A}": [f"history row {row!r} (experiment {A!r}) is not what the log says"],
        f"experiment:{B}": [f"experiment {B!r} is not what the log says"],
        "session:ana:1": [],
        "session:ana:2": ["member 'ana-2/0001' is missing in the read models"],
    }


def test_an_event_of_the_stream_that_cannot_be_read_ends_it_with_its_position(lived: World) -> None:
    spoil(lived, lived.commits[1])
    with pytest.raises(Poisoned) as poisoned:
        replayed(lived, lived.commits[-1], "dataset:iris")
    assert poisoned.value.position == lived.commits[1]
    assert replayed(lived, lived.commits[-1], "measure:precision")["matches_read_models"] is True


def test_an_unknown_stream_is_not_found(lived: World) -> None:
    with pytest.raises(NotFoundError):
        replayed(lived, lived.commits[-1], "session:ben:1")
    with pytest.raises(NotFoundError, match=r"KIND:NAME, for example experiment:ID\.$") as refused:
        replayed(lived, lived.commits[-1], A[:5])
    assert refused.value.facts == {"nearest": [f"experiment:{A}"]}


def test_an_event_that_cannot_be_read_ends_it_with_its_position(lived: World) -> None:
    spoil(lived, lived.commits[1])
    with pytest.raises(Poisoned) as poisoned:
        replayed(lived, lived.commits[-1])
    assert poisoned.value.position == lived.commits[1]
