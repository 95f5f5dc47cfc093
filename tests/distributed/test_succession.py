"""One row of documents: who is refused harms nobody else, who meets another process tries again, nobody for ever."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from adapters.distributed import succession
from adapters.distributed.mongo import Fields, Mongo
from adapters.distributed.succession import Succession
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
