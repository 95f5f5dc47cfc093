"""Shapes of names, and sessions as users see them."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import AutoLearnError, ConflictError, NotFoundError
from domain.events import EVENTS, Event
from domain.values import (
    CATALOG_NAME,
    CLIENT_NAME,
    TASK_ID,
    MeasureSpec,
    check_catalog_name,
    check_client_name,
    check_text,
    session_id,
    session_stream,
)


@given(client=st.from_regex(CLIENT_NAME, fullmatch=True), number=st.integers(1, 10**6))
def test_a_session_id_names_its_stream(client: str, number: int) -> None:
    stream = session_stream(client, number)
    assert session_id(stream) == f"{check_client_name(client)}-{number}"


@given(st.from_regex(CATALOG_NAME, fullmatch=True))
def test_catalog_names_pass(name: str) -> None:
    assert check_catalog_name(name) == name


def test_texts_pass_as_they_are() -> None:
    assert check_text("reason", " because ") == " because "


def test_a_measure_is_named_with_its_averaging() -> None:
    assert MeasureSpec(name="precision", average="macro").identity == "precision:macro"
    assert MeasureSpec(name="accuracy").identity == "accuracy"


@pytest.mark.parametrize("task", ["abcdefghijklmnop-e1", "a234567bcdefghij-r10"])
def test_task_ids(task: str) -> None:
    match = TASK_ID.fullmatch(task)
    assert match
    assert task == f"{match['owner']}-{match['letter']}{match['number']}"


@pytest.mark.parametrize("task", ["abcdefghijklmnop", "abcdefghijklmnop-e0", "abcdefghijklmnop-x1", "abcdefgh-e1"])
def test_what_is_no_task_id(task: str) -> None:
    assert not TASK_ID.fullmatch(task)


def test_event_names_are_pinned_and_unique() -> None:
    assert all(name == kind.NAME and re.fullmatch(r"[a-z-]+\.v[1-9]", name) for name, kind in EVENTS.items())
    taken = next(iter(EVENTS))
    with pytest.raises(TypeError, match="is taken by"):
        type("Second", (Event,), {"NAME": taken, "__annotations__": {}})


def test_slugs_are_unique() -> None:
    def below(kind: type[AutoLearnError]) -> list[type[AutoLearnError]]:
        return [kind, *(deeper for one in kind.__subclasses__() for deeper in below(one))]

    ours = [kind for kind in below(AutoLearnError) if kind.__module__ == "domain.errors"]
    slugs = [kind.slug for kind in ours]
    assert sorted(slugs) == sorted(set(slugs))


def test_what_is_missing_is_named_with_the_nearest() -> None:
    refusal = NotFoundError.for_name("model", "svn", ["svm"])
    assert refusal.sentence == "There is no model 'svn'. Nearest: svm."
    assert refusal.facts == {"nearest": ["svm"]}
    assert NotFoundError.for_name("model", "q").sentence == "There is no model 'q'."
    assert not issubclass(NotFoundError, ConflictError)
