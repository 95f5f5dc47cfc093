"""A data set's versions go by content; retiring takes it off the catalog, registering brings it back."""

from __future__ import annotations

from typing import Any

import pytest

from domain.dataset import Dataset, DatasetContent, DatasetRegistered, DatasetRetired, ProfileSummary
from domain.errors import BadInputError, ConflictError, NotFoundError
from domain.values import BlobRef, DatasetRef
from tests.domain.specification import Fact, Specification, fact


def content(digit: str = "a", **changes: Any) -> DatasetContent:
    columns = {"length": "number", "colour": "category", "kind": "category"}
    facts = {"rows": 150, "columns": columns, "target": "kind", "classes": ("x", "y"), **changes}
    return DatasetContent(blob=BlobRef(sha256=digit * 64, size=100), **facts)


def registered(version: int, it: DatasetContent) -> Fact:
    return fact(DatasetRegistered, version=version, content=it)


RETIRED = fact(DatasetRetired)
blank = Specification(Dataset, "dataset:flowers")
first = blank.given(registered(1, content()))
retired = first.given(RETIRED)


def test_registers() -> None:
    outcome = blank.when(lambda it: it.register(content()))
    assert outcome.then(registered(1, content())).ref() == DatasetRef(name="flowers", version=1, sha256="a" * 64)
    assert outcome.returned is True


def test_same_content_makes_no_event() -> None:
    profile = ProfileSummary(blob=BlobRef(sha256="c" * 64, size=10))
    outcome = first.when(lambda it: it.register(content(licence="CC0", source="elsewhere", profile=profile)))
    outcome.then()
    assert outcome.returned is False


@pytest.mark.parametrize("other", [content("b"), content(target="colour"), content(rows=149)])
def test_other_content_is_the_next_version(other: DatasetContent) -> None:
    both = first.when(lambda it: it.register(other)).then(registered(2, other))
    assert both.content == other
    assert both.versions == {1: content(), 2: other}


def test_the_content_of_an_earlier_version_is_the_next_version_again() -> None:
    second = first.given(registered(2, content("b")))
    second.when(lambda it: it.register(content())).then(registered(3, content()))


def test_retires() -> None:
    gone = first.when(Dataset.retire).then(RETIRED)
    assert not gone.is_offered
    assert gone.versions[1] == content(), "trainings on it stay reproducible"


def test_has_no_content_on_offer_when_retired_or_unknown() -> None:
    retired.when(lambda it: it.content).refused(NotFoundError, "no data set 'flowers'")
    blank.when(Dataset.ref).refused(NotFoundError, "no data set 'flowers'")


def test_retires_only_once() -> None:
    retired.when(Dataset.retire).refused(ConflictError, "retired already")


def test_retires_nothing_unknown() -> None:
    blank.when(Dataset.retire).refused(NotFoundError, "no data set 'flowers'")


def test_registering_again_brings_it_back() -> None:
    back = retired.when(lambda it: it.register(content())).then(registered(2, content()))
    assert back.is_offered


@pytest.mark.parametrize("name", ["", "Flowers", "a b", "a:b", "-a", "x" * 65, "a/b", "é"])
def test_has_a_name_of_the_stated_shape(name: str) -> None:
    Specification(Dataset, f"dataset:{name}").when(lambda it: it.register(content())).refused(BadInputError, "name")


def test_two_data_sets_share_no_versions() -> None:
    first.aggregate()
    assert Dataset.create_blank("dataset:other").versions == {}
