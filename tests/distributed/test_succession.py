"""One row of documents: who is refused harms nobody else, who meets another process tries again, nobody for ever."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event
from types import SimpleNamespace

import pytest

from adapters.distributed import sequenced_appender as succession
from adapters.distributed.mongo import Fields, Mongo, hurried
from adapters.distributed.sequenced_appender import Succession
from domain.errors import NotAbleError


@dataclass(eq=False)
class Word:
    text: str
    document: Fields | None = None
    refusal: Exception | None = None


class Words:
    """Numbered words, each once; `forgiving` never says why a word was refused."""

    def __init__(self, *, forgiving: bool = False) -> None:
        self.tails: list[Fields] = []
        self._forgiving = forgiving

    def follow(self, tail: Fields, jobs: Sequence[Word]) -> list[tuple[Word, Fields]]:
        self.tails.append(tail)
        first = tail.get("_id", 0) + 1
        return [(job, {"_id": n, "word": job.text, "hash": job.text.encode()}) for n, job in enumerate(jobs, first)]

    def blame(self, job: Word) -> Exception | None:
        return None if self._forgiving else KeyError(job.text)


def open_words(mongo: Mongo, line: Words) -> Succession[Word]:
    words = mongo.collection("words")
    words.create_index("word", unique=True)
    return Succession(words, line, ["hash"])


def stored(mongo: Mongo) -> list[tuple[int, str]]:
    return [(found["_id"], found["word"]) for found in mongo.collection("words").find({}, sort=[("_id", 1)])]


def test_the_tail_is_read_once_and_then_known(mongo: Mongo) -> None:
    line = Words()
    words = open_words(mongo, line)
    assert [words.submit(Word(text))["_id"] for text in "abc"] == [1, 2, 3]
    assert line.tails == [{}, {"_id": 1, "hash": b"a"}, {"_id": 2, "hash": b"b"}]


def test_only_the_guilty_one_is_refused(mongo: Mongo) -> None:
    words = open_words(mongo, Words())
    words.submit(Word("taken"))
    jobs = [Word(text) for text in ("a", "taken", "b", "b", "c")]
    remaining: Sequence[Word] = jobs
    while remaining:
        remaining = words._round(remaining)
    assert [type(job.refusal) for job in jobs] == [type(None), KeyError, type(None), KeyError, type(None)]
    assert stored(mongo) == [(1, "taken"), (2, "a"), (3, "b"), (4, "c")]


class HeldUp(Words):
    """Lets the first write wait."""

    def __init__(self) -> None:
        super().__init__()
        self.began, self.may_go_on = Event(), Event()

    def follow(self, tail: Fields, jobs: Sequence[Word]) -> list[tuple[Word, Fields]]:
        self.began.set()
        assert self.may_go_on.wait(30)
        return super().follow(tail, jobs)


def test_the_hurry_of_one_caller_is_not_that_of_others(mongo: Mongo) -> None:
    """Its time may be over before its turn to write comes."""
    line = HeldUp()
    words = open_words(mongo, line)

    def submit_hurriedly() -> None:
        with hurried(0.1):
            words.submit(Word("hurried"))

    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(words.submit, Word("first"))
        assert line.began.wait(30)
        in_a_hurry = pool.submit(submit_hurriedly)
        while not words._group._queue:
            pass
        others = [pool.submit(words.submit, Word(text)) for text in "ab"]
        Event().wait(0.2)  # its time goes by
        line.may_go_on.set()
        assert isinstance(in_a_hurry.exception(), NotAbleError)
        assert first.result()["_id"] == 1
        assert {it.result()["_id"] for it in others} == {2, 3}


def test_successions_of_several_processes_leave_no_gap(mongo: Mongo) -> None:
    rivals = [open_words(mongo, Words()) for _ in range(4)]
    with ThreadPoolExecutor(16) as pool:
        done = list(pool.map(lambda n: rivals[n % 4].submit(Word(f"w{n}"))["_id"], range(200)))
    assert sorted(done) == list(range(1, 201))
    assert [(done[n], f"w{n}") for n in sorted(range(200), key=done.__getitem__)] == stored(mongo)


def test_who_got_a_place_among_rivals_lets_them_go_first(mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
    one, rival = open_words(mongo, Words()), open_words(mongo, Words())
    waiting: list[str] = []
    clock = [1000.0]

    def pause(seconds: float) -> None:
        clock[0] += seconds
        if waiting:
            rival.submit(Word(waiting.pop()))

    monkeypatch.setattr(succession, "time", SimpleNamespace(monotonic=lambda: clock[0], sleep=pause))
    for writer, text in ((one, "a"), (rival, "b"), (one, "c")):
        writer.submit(Word(text))
    waiting.append("d")
    one.submit(Word("e"))
    assert [text for _, text in stored(mongo)] == ["a", "b", "c", "d", "e"]


def test_who_writes_alone_never_pauses(mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(succession, "time", SimpleNamespace(monotonic=time.monotonic))  # to sleep is an error
    words = open_words(mongo, Words())
    assert [words.submit(Word(text))["_id"] for text in "abc"] == [1, 2, 3]


def test_nobody_tries_for_ever(mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(succession, "PATIENCE_SECONDS", 0.05)
    words = open_words(mongo, Words(forgiving=True))
    words.submit(Word("taken"))
    with pytest.raises(NotAbleError, match="repeat"):
        words.submit(Word("taken"))
    assert words.submit(Word("free"))["_id"] == 2
