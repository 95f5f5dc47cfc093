"""What a relay reads while it writes: every entry once, in order, in batches of a bounded size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.distributed.relay import source as relay_source
from adapters.distributed.relay.source import BATCH_BYTES, LogSource, ReadAhead, RelayEntry
from adapters.distributed.topics.cloud_events import Message
from domain.errors import NotAbleError


class Entries(LogSource[Any]):
    """Entries of given (messages, bytes of each), made up."""

    def __init__(self, sizes: Sequence[tuple[int, int]]) -> None:
        self.entries: list[RelayEntry] = []
        self.away = False
        for count, size in sizes:
            self.grow(count, size)

    def grow(self, count: int, size: int) -> None:
        first = self.entries[-1].position + 1 if self.entries else 1
        self.entries.append(RelayEntry(first, first + count - 1, b"", [Message(b"", bytes(size), [])] * count))

    def after(self, position: int, limit: int) -> list[RelayEntry]:
        if self.away:
            raise NotAbleError("MongoDB cannot do it now.")
        following = [entry for entry in self.entries if entry.position > position]
        return [entry for entry in following if entry.position <= max(position + limit, following[0].position)]


@given(st.lists(st.tuples(st.integers(1, 700), st.sampled_from([0, 10_000, 200_000])), max_size=12))
def test_every_entry_comes_once_in_bounded_batches(sizes: list[tuple[int, int]]) -> None:
    source = Entries(sizes)
    ahead = ReadAhead(source, 0)
    batches = []
    while batch := ahead.batch():
        batches.append(list(batch))
    assert [entry for batch in batches for entry in batch] == source.entries
    for batch in batches:
        assert len(batch) == 1 or sum(len(m.value) for entry in batch for m in entry.messages) <= BATCH_BYTES
    source.grow(1, 1)
    assert ahead.batch() == source.entries[-1:]
    ahead.close()


def test_after_an_outage_it_goes_on_where_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_source, "READ_AT_ONCE", 2)
    source = Entries([(2, 1)] * 4)
    ahead = ReadAhead(source, 2)
    taken = [*ahead.batch()]
    source.away = True
    with pytest.raises(NotAbleError):
        take_all(ahead, taken)  # what was read ahead is still given
    source.away = False
    take_all(ahead, taken)
    assert taken == source.entries[1:]
    ahead.close()


def take_all(ahead: ReadAhead, taken: list[RelayEntry]) -> None:
    while batch := ahead.batch():
        taken += batch
