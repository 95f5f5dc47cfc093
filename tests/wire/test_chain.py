"""The chain of the log: its value is fixed by the documentation, and every change of what it covers is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.log.chain import chain_faults, framed, hash_of
from projections.ports import GENESIS, RawCommit, RawEvent

AT = datetime(2026, 1, 31, 12, 0, 0, 1, UTC)


def log(*sizes: int) -> list[RawCommit]:
    """Return a true log of commits with so many events."""
    position, previous, commits = 0, GENESIS, []
    for n, size in enumerate(sizes, 1):
        events = tuple(RawEvent(f"s:{n}", i, "e.v1", b"{%d}" % i) for i in range(1, size + 1))
        bare = RawCommit(position + 1, position + size, AT, UUID(int=n), UUID(int=100 + n), "d", b"", events)
        commits.append(replace(bare, hash=hash_of(bare, previous)))
        position, previous = position + size, commits[-1].hash
    return commits


def positions(commits: Sequence[RawCommit]) -> list[int]:
    return [position for position, _ in chain_faults(commits)]


def test_the_hash_is_what_the_documentation_says() -> None:
    (commit,) = log(1)
    fields = [
        (1).to_bytes(8, "big"),
        (1769860800000001).to_bytes(8, "big"),
        UUID(int=1).bytes,
        UUID(int=101).bytes,
        b"d",
        *[b"s:1", (1).to_bytes(8, "big"), b"e.v1", b"{1}"],
    ]
    framing = b"".join(len(field).to_bytes(4, "big") + field for field in fields)
    assert commit.hash == sha256(bytes(32) + framing).digest()


def test_a_true_log_has_no_fault() -> None:
    assert positions(log(1, 3, 2)) == []


def test_a_true_tail_follows_a_known_anchor() -> None:
    first, *rest = log(2, 3, 1)
    assert list(chain_faults(rest, first.position, first.hash)) == []


CHANGES = {
    "time": {"at": AT + timedelta(microseconds=1)},
    "command": {"command_id": UUID(int=9)},
    "append": {"append_id": UUID(int=9)},
    "digest": {"digest": "e"},
    "hash": {"hash": bytes(32)},
    "event": {"events": (RawEvent("s:2", 1, "e.v1", b"{9}"),)},
    "name": {"events": (RawEvent("s:2", 1, "f.v1", b"{1}"),)},
    "stream": {"events": (RawEvent("s:3", 1, "e.v1", b"{1}"),)},
    "version": {"events": (RawEvent("s:2", 2, "e.v1", b"{1}"),)},
    "absurd version": {"events": (RawEvent("s:2", 2**70, "e.v1", b"{1}"),)},
    "lost event": {"events": ()},
    "border between fields": {"events": (RawEvent("s:", 1, "2e.v1", b"{1}"),)},
    "first": {"first": 2},
}


@pytest.mark.parametrize("what", CHANGES)
def test_every_change_is_found_at_its_position(what: str) -> None:
    commits = log(2, 1, 1, 1)
    commits[1] = replace(commits[1], **CHANGES[what])  # type: ignore[arg-type] # one dict of differing facts
    # A changed hash also breaks the link of the commit after it; nothing else does.
    assert positions(commits) == ([3, 4] if what == "hash" else [3])


def test_what_was_never_written_so_is_a_fault_whatever_the_hash_says() -> None:
    commits = log(1, 1)
    commits[1] = replace(commits[1], faults=("its append_id is text", "its hash has 31 bytes"))
    assert list(chain_faults(commits)) == [(2, "its append_id is text; its hash has 31 bytes")]


def test_a_lost_commit_is_found_once() -> None:
    commits = log(1, 1, 1, 1)
    del commits[1]
    assert positions(commits) == [3]


def test_exchanged_commits_are_found() -> None:
    first, second, third = log(1, 1, 1)
    assert positions([first, third, second]) != []


@given(st.lists(st.binary(max_size=5), max_size=4), st.lists(st.binary(max_size=5), max_size=4))
def test_different_fields_never_look_alike(one: list[bytes], other: list[bytes]) -> None:
    assert (framed(*one) == framed(*other)) == (one == other)
