"""The stash: what is put aside comes back as it was, once; and a full disk is said."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

from adapters.files.spill_table import TemporaryStash
from domain.errors import DiskReserveError, NotAbleError
from projections.spill import Stash

VALUE = {"C": [1.5, None, True, "ä\u2028"], "huge": 10**400, "infinite": math.inf, "nested": {"a": {}}}


@pytest.fixture
def stash() -> Iterator[Stash]:
    with TemporaryStash() as stash:
        yield stash


def test_what_is_taken_is_as_it_was_put_and_gone(stash: Stash) -> None:
    stash.put([("experiment", "a", 7, VALUE), ("experiment", "b", 8, None), ("session", "a", 9, [1])])
    assert stash.take("experiment", "a") == (7, VALUE)
    assert stash.take("experiment", "a") is None
    assert stash.take("session", "b") is None
    assert list(stash.entries()) == [("experiment", "b", 8, None), ("session", "a", 9, [1])]


def test_the_first_entry_stays(stash: Stash) -> None:
    stash.put([("blob", "x", 3, None), ("blob", "x", 4, None)])
    stash.put([("blob", "x", 5, None)])
    assert stash.take("blob", "x") == (3, None)


def test_entries_of_a_kind(stash: Stash) -> None:
    stash.put(("blob" if n % 2 else "call", f"{n}", n, {"n": n}) for n in range(3000))
    assert {id for _, id, _, _ in stash.entries("blob")} == {f"{n}" for n in range(1, 3000, 2)}
    assert len(list(stash.entries())) == 3000
    assert not list(stash.entries("other"))


def test_two_stashes_know_nothing_of_each_other(stash: Stash) -> None:
    stash.put([("blob", "x", 3, None)])
    with TemporaryStash() as other:
        assert other.take("blob", "x") is None


def test_a_full_disk_says_what_would_help() -> None:
    with TemporaryStash() as stash:
        stash._connection.execute("PRAGMA max_page_count=20")
        with pytest.raises(DiskReserveError, match="TMPDIR"):
            stash.put(("blob", f"{n}", n, "x" * 1000) for n in range(1000))


def test_a_closed_stash_is_not_able() -> None:
    with TemporaryStash() as stash:
        pass
    with pytest.raises(NotAbleError):
        stash.take("blob", "x")
