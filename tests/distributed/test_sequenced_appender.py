"""One row of documents: who is refused harms nobody else, who meets another process tries again, nobody for ever."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest
from bson.int64 import Int64

from adapters.distributed.collection_spec import CollectionSpec
from adapters.distributed.document_format import DocumentFormat
from adapters.distributed.log import sequenced_appender
from adapters.distributed.log.schema import MongoLogSchema
from adapters.distributed.log.sequenced_appender import SequencedAppender
from adapters.distributed.mongo import Fields, Mongo, short_timeout
from adapters.log.chain import LastEntry
from adapters.log.group_commit import Pending
from adapters.log.times import EPOCH
from domain.errors import NotAbleError


@dataclass(frozen=True)
class Word:
    position: int
    text: str
    at: datetime = EPOCH

    @property
    def first(self) -> int:
        return self.position

    @property
    def hash(self) -> bytes:
        return self.text.encode()


def to_document(word: Word) -> Fields:
    return {"_id": Int64(word.position), "word": word.text, "at": Int64(0), "hash": word.hash}


unused: Any = None
WORDS: MongoLogSchema[Word] = MongoLogSchema(
    title="list of words",
    collection=CollectionSpec("words"),
    position="_id",
    format=DocumentFormat("word", unused),
    to_document=to_document,
    from_document=unused,
    topic_of=unused,
    messages=unused,
    from_records=unused,
    hash_header="",
    most_records=1,
    chain=unused,
    has_its_hash=unused,
)
Job = Pending[str, Word]


class Words:
    """Numbers words; `forgiving` never says why a word was refused."""

    def __init__(self, *, forgiving: bool = False) -> None:
        self.followed: list[LastEntry] = []
        self._forgiving = forgiving

    def plan(self, last: LastEntry, jobs: Sequence[Job]) -> list[tuple[Job, Word]]:
        self.followed.append(last)
        return [(job, Word(n, job.input)) for n, job in enumerate(jobs, last.position + 1)]

    def refusal(self, job: Job) -> Exception | None:
        return None if self._forgiving else KeyError(job.input)


def open_words(mongo: Mongo, planner: Words) -> SequencedAppender[str, Word]:
    words = mongo.collection("words")
    words.create_index("word", unique=True)
    return SequencedAppender(words, WORDS, planner)


def stored(mongo: Mongo) -> list[tuple[int, str]]:
    return [(found["_id"], found["word"]) for found in mongo.collection("words").find({}, sort=[("_id", 1)])]


def test_the_last_entry_is_read_once_and_then_known(mongo: Mongo) -> None:
    planner = Words()
    words = open_words(mongo, planner)
    assert [words.append(text).position for text in "abc"] == [1, 2, 3]
    assert planner.followed == [LastEntry(), LastEntry(1, 0, b"a"), LastEntry(2, 0, b"b")]


def test_only_the_guilty_one_is_refused(mongo: Mongo) -> None:
    words = open_words(mongo, Words())
    words.append("taken")
    jobs = [Job(text) for text in ("a", "taken", "b", "b", "c")]
    remaining: Sequence[Job] = jobs
    while remaining:
        remaining = words._insert(remaining)
    assert [type(job.refusal) for job in jobs] == [type(None), KeyError, type(None), KeyError, type(None)]
    assert stored(mongo) == [(1, "taken"), (2, "a"), (3, "b"), (4, "c")]


class HeldUp(Words):
    """Lets the first write wait."""

    def __init__(self) -> None:
        super().__init__()
        self.began, self.may_go_on = Event(), Event()

    def plan(self, last: LastEntry, jobs: Sequence[Job]) -> list[tuple[Job, Word]]:
        self.began.set()
        assert self.may_go_on.wait(30)
        return super().plan(last, jobs)


def test_the_short_timeout_of_one_caller_is_not_that_of_others(mongo: Mongo) -> None:
    """Its time may be over before its turn to write comes."""
    planner = HeldUp()
    words = open_words(mongo, planner)

    def submit_with_short_timeout() -> None:
        with short_timeout(0.1):
            words.append("refused")

    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(words.append, "first")
        assert planner.began.wait(30)
        short = pool.submit(submit_with_short_timeout)
        while not words._group._queue:
            pass
        others = [pool.submit(words.append, text) for text in "ab"]
        Event().wait(0.2)  # its time goes by
        planner.may_go_on.set()
        assert isinstance(short.exception(), NotAbleError)
        assert first.result().position == 1
        assert {it.result().position for it in others} == {2, 3}


def test_appenders_of_several_processes_leave_no_gap(mongo: Mongo) -> None:
    rivals = [open_words(mongo, Words()) for _ in range(4)]
    with ThreadPoolExecutor(16) as pool:
        done = list(pool.map(lambda n: rivals[n % 4].append(f"w{n}").position, range(200)))
    assert sorted(done) == list(range(1, 201))
    assert [(done[n], f"w{n}") for n in sorted(range(200), key=done.__getitem__)] == stored(mongo)


def test_who_got_a_place_among_rivals_lets_them_go_first(mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
    one, rival = open_words(mongo, Words()), open_words(mongo, Words())
    waiting: list[str] = []
    clock = [1000.0]

    def pause(seconds: float) -> None:
        clock[0] += seconds
        if waiting:
            rival.append(waiting.pop())

    monkeypatch.setattr(sequenced_appender, "time", SimpleNamespace(monotonic=lambda: clock[0], sleep=pause))
    for writer, text in ((one, "a"), (rival, "b"), (one, "c")):
        writer.append(text)
    waiting.append("d")
    one.append("e")
    assert [text for _, text in stored(mongo)] == ["a", "b", "c", "d", "e"]


def test_who_writes_alone_never_pauses(mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequenced_appender, "time", SimpleNamespace(monotonic=time.monotonic))  # to sleep is an error
    words = open_words(mongo, Words())
    assert [words.append(text).position for text in "abc"] == [1, 2, 3]


def test_nobody_tries_for_ever(mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sequenced_appender, "OPERATION_SECONDS", 0.05)
    words = open_words(mongo, Words(forgiving=True))
    words.append("taken")
    with pytest.raises(NotAbleError, match="repeat"):
        words.append("taken")
    assert words.append("free").position == 2


class RefusesLate(Words):
    """Refuses `late` once somebody else has written."""

    def plan(self, last: LastEntry, jobs: Sequence[Job]) -> list[tuple[Job, Word]]:
        for job in jobs:
            if job.input == "late" and last.position > 1:
                job.refusal = KeyError(job.input)
        return super().plan(last, [job for job in jobs if job.refusal is None])


def test_a_refusal_after_a_clash_ends_the_trying(mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
    one, rival = open_words(mongo, RefusesLate()), open_words(mongo, Words())
    clock = [1000.0]
    timer = SimpleNamespace(monotonic=lambda: clock[0], sleep=lambda _: None)
    monkeypatch.setattr(sequenced_appender, "time", timer)
    one.append("a")
    rival.append("b")
    with pytest.raises(KeyError):
        one.append("late")
    clock[0] += 100
    rival.append("c")
    assert one.append("d").position == 4
