"""Beginnings, names that look alike, the last of dense numbers, and who may see an experiment."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import AmbiguousIdError
from domain.lookup import find_last_number, may_see, nearest_names, require_single_match


def test_nearest_names_at_most_three() -> None:
    assert nearest_names("iris", ["iris1", "iris2", "iris3", "iris4", "wine"]) == ["iris4", "iris3", "iris2"]
    assert nearest_names("q", ["iris"]) == []
    assert nearest_names("c", ["C", "tol", "solver"]) == ["C"]
    assert nearest_names("nope", ["wine"]) == []


def test_a_beginning_names_one_experiment_or_is_refused_with_the_candidates() -> None:
    assert require_single_match("abcd", ["abcde"]) == "abcde"
    with pytest.raises(AmbiguousIdError, match="'abcd' names several experiments: abcde, abcdf") as refused:
        require_single_match("abcd", ["abcde", "abcdf"])
    assert refused.value.facts == {"candidates": ["abcde", "abcdf"]}


@pytest.mark.parametrize(
    ("client", "standing", "sees"),
    [("ana", "uncommitted", True), ("ana", "discarded", True), ("bo", "uncommitted", False), ("bo", "committed", True)],
)
def test_an_experiment_is_its_owners_until_it_is_committed(client: str, standing: str, *, sees: bool) -> None:
    assert may_see(client, "ana", standing) is sees


@given(last=st.integers(0, 3000), data=st.data())
def test_the_last_number_is_found_from_any_one_before_it_in_few_questions(last: int, data: st.DataObject) -> None:
    known, asked = data.draw(st.integers(0, last)), list[int]()

    def exists(number: int) -> bool:
        asked.append(number)
        return number <= last

    assert find_last_number(exists, known) == last
    assert len(asked) <= 2 * (last - known + 2).bit_length()
