"""The spill table: what is put in comes back as it was, once; and a full disk is reported."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

from adapters.files.spill_table import SqliteSpillTable
from domain.errors import DiskReserveError, NotAbleError
from projections.ports import SpillTable

VALUE = {"C": [1.5, None, True, "ä\u2028"], "huge": 10**400, "infinite": math.inf, "nested": {"a": {}}}


@pytest.fixture
def spill() -> Iterator[SpillTable]:
    with SqliteSpillTable() as spill:
        yield spill


def test_what_is_taken_is_as_it_was_put_and_gone(spill: SpillTable) -> None:
    spill.put([("experiment", "a", 7, VALUE), ("experiment", "b", 8, None), ("session", "a", 9, [1])])
    assert spill.take("experiment", "a") == (7, VALUE)
    assert spill.take("experiment", "a") is None
    assert spill.take("session", "b") is None
    assert list(spill.entries()) == [("experiment", "b", 8, None), ("session", "a", 9, [1])]


def test_what_is_dropped_is_gone_and_what_is_not_there_is_no_matter(spill: SpillTable) -> None:
    spill.put([("call", "a", 1, None), ("call", "b", 2, None), ("blob", "a", 3, None)])
    spill.drop("call", ["a", "c"])
    assert list(spill.entries()) == [("call", "b", 2, None), ("blob", "a", 3, None)]


def test_the_first_entry_stays(spill: SpillTable) -> None:
    spill.put([("blob", "x", 3, None), ("blob", "x", 4, None)])
    spill.put([("blob", "x", 5, None)])
    assert spill.take("blob", "x") == (3, None)


def test_entries_of_a_kind(spill: SpillTable) -> None:
    spill.put(("blob" if n % 2 else "call", f"{n}", n, {"n": n}) for n in range(3000))
    assert {id for _, id, _, _ in spill.entries("blob")} == {f"{n}" for n in range(1, 3000, 2)}
    assert len(list(spill.entries())) == 3000
    assert not list(spill.entries("other"))


def test_two_tables_know_nothing_of_each_other(spill: SpillTable) -> None:
    spill.put([("blob", "x", 3, None)])
    with SqliteSpillTable() as other:
        assert other.take("blob", "x") is None


def test_a_full_disk_says_what_would_help() -> None:
    with SqliteSpillTable() as spill:
        spill._connection.execute("PRAGMA max_page_count=20")
        with pytest.raises(DiskReserveError, match="TMPDIR"):
            spill.put(("blob", f"{n}", n, "x" * 1000) for n in range(1000))


def test_a_closed_table_is_not_able() -> None:
    with SqliteSpillTable() as spill:
        pass
    with pytest.raises(NotAbleError):
        spill.take("blob", "x")
