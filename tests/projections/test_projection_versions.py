"""A version per projection: another one, or a rebuild, folds that projection alone; the others stay as they are."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from adapters.embedded.database import Database
from adapters.embedded.read_models.database import ReadDatabase
from adapters.embedded.read_models.documents import SqliteDocuments
from adapters.embedded.read_models.generations import is_outdated
from adapters.log.appends import MAX_EVENTS
from domain.values import MeasureSpec
from projections.fold import KINDS_OF, PROJECTION_OF, VERSIONS
from projections.ports import Batch
from projections.rebuild import rebuild
from projections.verification.read_models import ROW, SORTED, StoredVersions, Version, compare
from tests.domain.search_facts import result as found
from tests.domain.search_facts import trial
from tests.projections.test_every_event import CHANGED
from tests.projections.world import SETTINGS, WORKER, World

TIME = re.compile(r"\d{4}-\d\d-\d\dT[0-9:.]+\+00:00")

# What each projection writes of `live` below, in its present version. Where a sum changes, raise the version in
# `projections.fold.VERSIONS`, so that installations fold that projection anew, and put version and sum here.
WRITTEN = {
    "catalog": (2, "463355c6aa1e"),
    "session": (2, "e03916e370a1"),
    "experiment": (4, "58ce5d1fde67"),
    "history": (4, "d00f85c99981"),
    "tasks": (2, "39dc61a49106"),
    "search": (1, "626cd6eef1d1"),
    "prediction": (1, "4c893f2e7550"),
}


def live(world: World) -> None:
    """Let happen some of everything that a projection follows."""
    world.register("iris")
    world.offer("model:svm", {"C": {"type": "number"}})
    world.offer("measure:precision", {"average": {"type": "choice", "choices": ["macro"], "default": "macro"}})
    world.withdraw_offer("model:svm")
    world.withdraw_offer("measure:precision")
    for name in ("a" * 16, "b" * 16):
        world.train("ana", name, settings={**SETTINGS, "gamma": 10**400})
        world.evaluate("ana", name, {"precision:macro": 0.9, "confusion-matrix": [[1, 2], [3, 4]]})
    world.decide("ana", "b" * 16, "request_reproduction")
    world.request("ana", "c" * 16)
    world.commit("ana", ["a" * 16, "b" * 16])
    end_tasks(world)
    world.decide("ana", "a" * 16, "withdraw", "wrong")
    world.decide("ana", "a" * 16, "restore", "right")
    world.decide("ana", "a" * 16, "withdraw", "wrong after all")
    world.decide("ana", "b" * 16, "annotate", "a remark", "because")
    world.retire("iris")
    world.request("ben", "d" * 16)
    world.discard("ben")
    search(world)
    world.predict("ben", "a" * 16, "p" * 16, rows=2)


def end_tasks(world: World) -> None:
    """Let tasks end in every way."""
    for name, ending in (("e" * 16, ("fail", 1, "crashed", "It died.")), ("f" * 16, ("cancel",))):
        world.request("ana", name)
        world.decide(WORKER, name, ending[0], name, *ending[1:])
    specs = [MeasureSpec(name="precision", average="macro")]
    for kind, facts in (("evaluation", (specs, None)), ("reproduction", ())):
        for decision, *more in (("fail", 1, "crashed", "It died."), ("cancel",)):
            task = world.decide("ana", "b" * 16, f"request_{kind}", *facts)
            world.decide(WORKER, "b" * 16, "start", task, 1, WORKER)
            world.decide(WORKER, "b" * 16, decision, task, *more)
    task = world.decide("ana", "b" * 16, "request_reproduction")
    world.decide(WORKER, "b" * 16, "start", task, 1, WORKER)
    world.decide(WORKER, "b" * 16, "complete_reproduction", task, 1, WORKER, "different", ["C"])


def search(world: World) -> None:
    """Let searches end in every way."""
    name = world.search("ana", "s" * 16, [trial(0.1), trial(1.0), trial(10.0)])
    for number in (1, 2, 3):
        world.decide_search(name, "start", f"{name}-t{number}", 1, WORKER)
    world.decide_search(name, "complete_trial", f"{name}-t1", 1, WORKER, found(0.8))
    world.decide_search(name, "complete_trial", f"{name}-t2", 1, WORKER, found(0.9))
    world.decide_search(name, "fail", f"{name}-t3", 1, "error", "It broke.")
    world.decide_search(name, "complete", ["g" * 16])
    name = world.search("ana", "t" * 16, [])
    world.decide_search(name, "fail", f"{name}-p1", 1, "error", "It broke.")
    name = world.search("ana", "u" * 16, [trial(0.1)])
    world.decide_search(name, "start", f"{name}-t1", 1, WORKER)
    world.decide_search(name, "cancel_all")


@pytest.fixture
def lived(tmp_path: Path) -> Iterator[World]:
    world = World(Database(tmp_path / "events.db"), ReadDatabase(tmp_path / "read.db"))
    live(world)
    world.catch_up()
    yield world
    world.close()


def projection_of(version: Version) -> str:
    return "history" if version.kind == ROW else PROJECTION_OF[version.kind]


def versions_of(world: World) -> list[Version]:
    return list(StoredVersions(world.documents, world.history, world.commits[-1]))


def sums(versions: Iterable[Version]) -> dict[str, tuple[int, str]]:
    digests = {name: hashlib.sha256() for name in VERSIONS}
    texts = ((projection_of(it), SORTED([it.kind, it.id, it.from_, it.to, it.value])) for it in versions)
    for projection, text in sorted((name, TIME.sub("T", text)) for name, text in texts):
        digests[projection].update(text.encode())
    return {name: (VERSIONS[name], digest.hexdigest()[:12]) for name, digest in digests.items()}


def test_what_a_projection_writes_changes_with_its_version_alone(lived: World) -> None:
    assert sums(versions_of(lived)) == WRITTEN


def test_that_life_has_every_event_that_a_projection_follows(lived: World) -> None:
    happened = {recorded.event.NAME for recorded in lived.feed.after(0, MAX_EVENTS)}
    assert {name for name, projections in CHANGED.items() if projections} - happened == set()


class Watching(SqliteDocuments):
    """Documents that keep what was written into them."""

    def __init__(self, database: ReadDatabase) -> None:
        super().__init__(database)
        self.batches: list[Batch] = []

    def apply(self, batch: Batch) -> None:
        self.batches.append(batch)
        super().apply(batch)

    @property
    def written(self) -> set[str]:
        """The projections that something was written of."""
        documents = {PROJECTION_OF[kind] for batch in self.batches for kind, *_ in batch.documents}
        return documents | {"history" for batch in self.batches if batch.history}


@pytest.mark.parametrize("projection", VERSIONS)
def test_another_version_folds_that_projection_alone(
    lived: World, tmp_path: Path, projection: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, head = versions_of(lived), lived.commits[-1]
    lived.read.close()
    monkeypatch.setitem(VERSIONS, projection, VERSIONS[projection] + 1)
    assert is_outdated(tmp_path / "read.db")
    lived.read = ReadDatabase(tmp_path / "read.db")
    documents = Watching(lived.read)
    assert documents.positions() == {name: 0 if name == projection else head for name in VERSIONS}
    assert documents.position() == 0
    again = World(lived.log, lived.read)
    again.commits = lived.commits
    assert {projection_of(it) for it in versions_of(again)} == {*VERSIONS} - {projection}
    for _ in rebuild(lived.feed, documents, head):
        pass
    assert documents.written == {projection}
    assert [*compare(before, versions_of(again))] == []
    assert lived.read.faults() == []
    assert not is_outdated(tmp_path / "read.db")


@pytest.mark.parametrize("projection", VERSIONS)
def test_a_rebuild_of_one_mends_that_one_alone(lived: World, tmp_path: Path, projection: str) -> None:
    before = versions_of(lived)
    last_kinds = [kinds[-1:] for kinds in KINDS_OF.values() if kinds]  # which no other projection reads
    with lived.read.writing() as connection:
        connection.executemany("UPDATE document SET body = '{}' WHERE kind = ?", last_kinds)
        connection.execute("UPDATE history_body SET body = '{}'")
    lived.read.copy_without(projection, tmp_path / "fresh.db")
    with closing(ReadDatabase(tmp_path / "fresh.db")) as read:
        documents = Watching(read)
        for _ in rebuild(lived.feed, documents, lived.commits[-1]):
            pass
        assert documents.written == {projection}
        fresh = World(lived.log, read)
        fresh.commits = lived.commits
        kept = {(it.kind, it.id, it.from_): it for it in before}
        differing = {projection_of(it) for it in versions_of(fresh) if it != kept[it.kind, it.id, it.from_]}
        assert differing == {*VERSIONS} - {projection}


def test_a_projection_that_is_behind_is_folded_after_a_crash_from_where_it_was(lived: World, tmp_path: Path) -> None:
    before, head = versions_of(lived), lived.commits[-1]
    lived.read.copy_without("history", tmp_path / "fresh.db")
    with closing(ReadDatabase(tmp_path / "fresh.db")) as read:
        for limit in range(1, head, 7):  # each time by another process, with nothing in memory
            for _ in rebuild(lived.feed, SqliteDocuments(read), limit):
                pass
            assert SqliteDocuments(read).position() <= limit
        documents = Watching(read)
        for _ in rebuild(lived.feed, documents, head):
            pass
        assert documents.positions() == dict.fromkeys(VERSIONS, head)
        fresh = World(lived.log, read)
        fresh.commits = lived.commits
        assert [*compare(before, versions_of(fresh))] == []


def test_a_projection_that_is_no_more_leaves_nothing(lived: World, tmp_path: Path) -> None:
    with lived.read.writing() as connection:
        connection.execute("INSERT INTO progress VALUES ('gone', 1, 3)")
    assert any("gone" in it for it in lived.read.faults())
    lived.read.close()
    lived.read = ReadDatabase(tmp_path / "read.db")
    assert lived.read.faults() == []


def test_each_kind_of_document_is_of_one_projection() -> None:
    assert len(PROJECTION_OF) == sum(map(len, KINDS_OF.values()))
    assert {*KINDS_OF} == {*VERSIONS}
