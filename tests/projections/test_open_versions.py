"""What is true so far: a dictionary that keeps little in memory."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adapters.files.spill_table import SqliteSpillTable
from projections.verification.read_models import OpenVersions

values = st.none() | st.integers() | st.lists(st.booleans(), max_size=2)
acts = st.lists(st.tuples(st.sampled_from(["follow", "get", "trim"]), st.sampled_from("abcdefgh"), values), max_size=60)


@given(acts=acts, kept=st.integers(0, 4))
def test_it_is_a_dictionary(acts: list[tuple[str, str, Any]], kept: int) -> None:
    model: dict[str, tuple[int, Any]] = {}
    with SqliteSpillTable() as spill:
        versions = OpenVersions(spill, kept)
        for from_, (act, id, value) in enumerate(acts):
            if act == "follow":
                assert versions.follow("kind", id, from_, value) == model.pop(id, None)
                model |= {} if value is None else {id: (from_, value)}
            elif act == "get":
                assert versions.get("kind", id) == model.get(id)
            else:
                versions.trim()
                assert len(versions._recent) <= kept
        assert {id: (from_, value) for _, id, from_, value in versions.all()} == model
        assert not versions._recent
