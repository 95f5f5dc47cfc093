"""The live projection goes on with rebuilt read models, where those are as far as the old ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest

from adapters.embedded.read_models.database import ReadDatabase
from adapters.embedded.read_models.documents import SqliteDocuments
from domain.errors import NotAbleError
from projections.ports import Batch
from projections.rebuild import rebuild
from projections.runner import ProjectionRunner
from tests.projections.waiting import TIMEOUT, wait_for
from tests.projections.world import World


def test_rebuilt_read_models_catch_up_and_serve(filed: World, tmp_path: Path) -> None:
    filed.train("ana", "a" * 16)
    path = tmp_path / "read-2.db"
    other = ReadDatabase(path)
    *_, last = rebuild(filed.feed, SqliteDocuments(other), filed.commits[-1])
    other.close()
    assert last == {"step": "rebuild", "position": filed.commits[-1], "of": filed.commits[-1]}
    filed.commit("ana", ["a" * 16])
    assert filed.runner.wait(filed.commits[-1], TIMEOUT)
    fresh = ReadDatabase(path)

    def switch() -> None:
        fresh.close()
        filed.read.switch(path)

    filed.runner.adopt(SqliteDocuments(fresh), switch).result(TIMEOUT)
    assert filed.read.path == str(path)
    assert filed.documents.position() == filed.commits[-1]
    filed.train("ana", "b" * 16)
    assert filed.runner.wait(filed.commits[-1], TIMEOUT)
    assert filed.documents.get("experiment", "b" * 16) is not None


def rebuilt(world: World, path: Path) -> Callable[[], None]:
    """Rebuild into a file of its own and return what has it adopted and waits until it serves."""
    fresh = ReadDatabase(path)
    for _ in rebuild(world.feed, SqliteDocuments(fresh), world.feed.end()[0]):
        pass

    def switch() -> None:
        fresh.close()
        world.read.switch(path)

    return lambda: world.runner.adopt(SqliteDocuments(fresh), switch).result(TIMEOUT)


def test_a_rebuild_mends_read_models_that_are_ahead_of_the_log(filed: World, tmp_path: Path) -> None:
    filed.register("iris")
    assert filed.runner.wait(filed.commits[-1], TIMEOUT)
    filed.runner.stop()
    filed.documents.apply(Batch(100))
    filed.runner = ProjectionRunner(filed.feed, filed.documents)
    filed.runner.start()
    wait_for(lambda: filed.runner.fault is not None)
    rebuilt(filed, tmp_path / "read-2.db")()
    assert filed.documents.position() == filed.commits[-1]
    follows_again(filed)


def test_a_rebuild_mends_read_models_that_cannot_be_followed(filed: World, tmp_path: Path) -> None:
    filed.train("ana", "a" * 16)
    assert filed.runner.wait(filed.commits[-1], TIMEOUT)
    filed.runner.stop()
    with filed.read.writing() as connection:
        connection.execute("DELETE FROM document WHERE kind = 'session'")
    filed.runner = ProjectionRunner(filed.feed, filed.documents)
    filed.runner.start()
    filed.train("ana", "b" * 16)
    wait_for(lambda: filed.runner.fault is not None)
    rebuilt(filed, tmp_path / "read-2.db")()
    follows_again(filed)


def test_a_rebuild_mends_read_models_whose_position_cannot_be_read(filed: World, tmp_path: Path) -> None:
    filed.register("iris")
    assert filed.runner.wait(filed.commits[-1], TIMEOUT)
    with filed.read.writing() as connection:
        connection.execute("DROP TABLE progress")
    rebuilt(filed, tmp_path / "read-2.db")()
    follows_again(filed)


def follows_again(world: World) -> None:
    """What is appended now becomes visible, and no fault is told any more."""
    world.train("ana", "c" * 16)
    assert world.runner.wait(world.commits[-1], TIMEOUT)
    wait_for(lambda: world.runner.fault is None)


def test_a_file_that_nobody_waits_for_any_more_is_not_adopted(world: World, tmp_path: Path) -> None:
    world.register("iris")
    world.catch_up()
    world.runner.start()
    held, asked = Event(), Event()

    def hold() -> None:
        asked.set()
        held.wait(TIMEOUT)

    world.runner.adopt(world.documents, hold)
    assert asked.wait(TIMEOUT)
    switched: list[str] = []
    late = world.runner.adopt(world.documents, lambda: switched.append("late"))
    assert late.cancel()
    held.set()
    world.runner.adopt(world.documents, lambda: switched.append("next")).result(TIMEOUT)
    world.runner.stop()
    assert switched == ["next"]


def test_a_rebuild_ends_at_its_position(world: World) -> None:
    world.register("iris")
    world.train("ana", "a" * 16)
    fresh = ReadDatabase(":memory:")
    for _ in rebuild(world.feed, SqliteDocuments(fresh), world.commits[1]):
        pass
    assert SqliteDocuments(fresh).position() == world.commits[1]
    fresh.close()


@pytest.fixture
def two() -> Iterator[tuple[ReadDatabase, ReadDatabase]]:
    """Two empty databases of read models."""
    both = ReadDatabase(":memory:"), ReadDatabase(":memory:")
    yield both
    for one in both:
        one.close()


def test_read_models_that_are_behind_the_old_ones_never_serve(
    world: World, two: tuple[ReadDatabase, ReadDatabase]
) -> None:
    """The old ones' position cannot be read now: as if they were as far as the log."""
    world.register("iris")
    world.register("wine")
    fresh, switched = SqliteDocuments(two[0]), list[int]()
    runner = ProjectionRunner(world.feed, Sleeping(two[1]))
    runner.adopt(fresh, lambda: switched.append(fresh.position())).result(TIMEOUT)
    assert switched == [world.commits[-1]]


@pytest.mark.parametrize("old", [1, None])
def test_a_feed_that_ends_too_early_lets_nothing_serve(
    world: World, two: tuple[ReadDatabase, ReadDatabase], old: int | None
) -> None:
    """A topic that is being filled anew is behind the log and behind what was folded from it before."""
    documents, switched = SqliteDocuments(two[0]) if old else Sleeping(two[0]), list[str]()
    documents.apply(Batch(1))
    runner = ProjectionRunner(world.feed, documents, log_end=lambda: (1, b""))
    adopted = runner.adopt(SqliteDocuments(two[1]), lambda: switched.append("behind"))
    with pytest.raises(NotAbleError, match="before 1"):
        adopted.result(TIMEOUT)
    assert not switched


class Sleeping(SqliteDocuments):
    """Documents whose position cannot be read now."""

    def position(self) -> int:
        raise NotAbleError("The database sleeps.")
