"""Read models on MongoDB: crashes, takeovers and zombies leave what one clean run leaves; generations come and go."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from threading import Thread
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.distributed.mongo import Mongo
from adapters.distributed.read_models import version_writes
from adapters.distributed.read_models.documents import MongoDocuments
from adapters.distributed.read_models.generations import ReadModels
from adapters.distributed.read_models.history import MongoHistory
from adapters.distributed.read_models.projector_documents import ProjectorDocuments
from adapters.distributed.read_models.version_writes import Step
from domain.errors import NotAbleError
from projections.ports import OPEN, Batch, Document, HistoryRow
from tests.contracts.read_models import emptied

IDS = ("a", "b", "c")
Log = Sequence[tuple[str, bool]]  # per position: which document changes, and whether it ends


def body_after(body: dict[str, Any] | None, position: int) -> dict[str, Any]:
    """What a document says depends on all that happened to it: folding twice, or onto the wrong state, shows."""
    return {"seen": [*(body["seen"] if body else []), position]}


def row_of(id: str, body: dict[str, Any], position: int) -> HistoryRow:
    n = body["seen"][0] * 1024
    shown = {"experiment": id, "session": "ana-1"}
    facts = {"model": "svm", "dataset": "iris", "actor": "ana", "measure.f1": len(body["seen"]), **shown}
    return HistoryRow(n, position, OPEN, withdrawn=False, body=shown, facts=facts)


class Projector:
    """A process that folds the log in batches; it can stand still between any two writes, for ever or for a while."""

    def __init__(self, read: ReadModels, log: Log) -> None:
        self._log = log
        self._documents = ProjectorDocuments(read)
        self._pending: Iterator[Step] | None = None

    def go(self, size: int, most: int) -> None:
        """Do at most so many single writes; begin a batch of so many commits where none is under way."""
        if self._pending is None:
            self._pending = self._documents.steps(self._folded(size))
        for _ in range(most):
            step = next(self._pending, None)
            if step is None:
                self._pending = None
                return
            step()

    def _folded(self, size: int) -> Batch:
        begin = self._documents.position()
        batch, known = Batch(begin), dict[str, dict[str, Any] | None]()
        for position, (id, ends) in list(enumerate(self._log, 1))[begin : begin + size]:
            before = known[id] if id in known else self._now(id)
            after = None if ends else body_after(before, position)
            known[id], batch.position = after, position
            batch.documents.append(("task", id, position, after))
            if after is not None:
                batch.history.append(row_of(id, after, position))
        return batch

    def _now(self, id: str) -> dict[str, Any] | None:
        document = self._documents.get("task", id)
        return document.body if document else None


@dataclass
class Expected:
    """What one clean run leaves."""

    documents: list[Document]
    rows: list[HistoryRow]


def expected(log: Log) -> Expected:
    versions: dict[str, list[Document]] = {id: [] for id in IDS}
    rows: dict[int, list[HistoryRow]] = {}
    for position, (id, ends) in enumerate(log, 1):
        of_it, open_ = versions[id], versions[id] and versions[id][-1].to == OPEN
        before = of_it[-1].body if open_ else None
        if open_:
            of_it[-1] = Document("task", id, of_it[-1].from_, position, of_it[-1].body)
        if ends:
            continue
        of_it.append(Document("task", id, position, OPEN, body_after(before, position)))
        row = row_of(id, of_it[-1].body, position)
        of_row = rows.setdefault(row.n, [])
        if of_row:
            of_row[-1] = replace(of_row[-1], to=position)
        of_row.append(row)
    return Expected([it for id in IDS for it in versions[id]], [it for n in sorted(rows) for it in rows[n]])


def check_visible(read: ReadModels, clean: Expected) -> None:
    """What is visible now is what the log says of the position that is shown."""
    documents = MongoDocuments(read)
    at = documents.position()
    then = [it for it in clean.documents if it.from_ <= at < it.to]
    assert [(it.id, it.from_, it.body) for it in documents.versions("task")] == [
        (it.id, it.from_, it.body) for it in then
    ]
    assert all((it.to > at) for it in documents.list("task"))
    rows = [(it.n, it.from_, it.facts) for it in MongoHistory(read).versions(at)]
    assert rows == [(it.n, it.from_, it.facts) for it in clean.rows if it.from_ <= at < it.to]


LOGS = st.lists(st.tuples(st.sampled_from(IDS), st.integers(0, 4).map(lambda it: it == 0)), min_size=1, max_size=12)
ACTIONS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(1, 5), st.integers(0, 12), st.integers(0, 5).map(lambda it: it == 0)),
    max_size=16,
)  # which projector, commits of a batch, single writes until it stands still, whether it was killed and started before


def test_whatever_projectors_do_the_result_is_that_of_a_clean_run(
    mongo: Mongo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(version_writes, "PIECE", 1)

    @given(LOGS, ACTIONS)
    @settings(max_examples=40)
    def equal(log: Log, actions: list[tuple[int, int, int, bool]]) -> None:
        read, clean = emptied(ReadModels.ensure(mongo)), expected(log)
        projectors = [Projector(read, log) for _ in range(3)]
        reached = 0
        for which, size, most, killed in actions:
            if killed:
                projectors[which] = Projector(read, log)
            projectors[which].go(size, most)
            check_visible(read, clean)
            assert read.progress() >= reached
            reached = read.progress()
        last = Projector(read, log)
        while read.progress() < len(log):
            last.go(4, 1000)
        for zombie in projectors:
            zombie.go(1, 1000)
        assert list(MongoDocuments(read).all_versions()) == clean.documents
        assert list(MongoHistory(read).all_versions()) == clean.rows

    equal()


def test_readers_only_read(mongo: Mongo) -> None:
    with pytest.raises(NotAbleError):
        MongoDocuments(ReadModels.ensure(mongo)).apply(Batch(1))


def test_who_waits_sees_what_another_process_folds_within_milliseconds(mongo: Mongo, mongodb: str) -> None:
    reading = ReadModels.ensure(mongo)
    other = Mongo(mongodb, mongo.name)
    projector = ProjectorDocuments(ReadModels.current(other))
    reader, reached = MongoDocuments(reading), list[bool]()
    waiting = [Thread(target=lambda: reached.append(reader.wait(3, 30))) for _ in range(4)]
    for thread in waiting:
        thread.start()
    for position in (1, 2, 3):
        projector.apply(Batch(position))
    for thread in waiting:
        thread.join()
    other.close()
    assert reached == [True] * 4
    assert reader.wait(4, 0.01) is False


def test_a_body_that_is_no_json_any_more_shows(mongo: Mongo) -> None:
    read = ReadModels.ensure(mongo)
    ProjectorDocuments(read).apply(Batch(1, [("task", "a", 1, {"v": 1})]))
    read.documents("task").update_one({}, {"$set": {"body": "{"}})
    assert [it.body for it in MongoDocuments(read).all_versions()] == [{"unreadable": "{"}]


@pytest.mark.parametrize(
    "damage",
    [
        {"f.measure~1f1": "31"},
        {"f.model": 9},
        {"k.all.model": "x"},
        {"k.@iris.measure~1f1": "x"},
        {"until": 7},
        {"body": "{}"},
    ],
)
def test_a_row_that_is_stored_differently_somewhere_shows(mongo: Mongo, damage: dict[str, Any]) -> None:
    read = ReadModels.ensure(mongo)
    row = row_of("a", {"seen": [1, 2]}, 1)
    ProjectorDocuments(read).apply(Batch(1, [], [row]))
    history = MongoHistory(read)
    assert list(history.all_versions()) == [row]
    read.history.update_one({}, {"$set": damage})
    assert list(history.all_versions()) != [row]
