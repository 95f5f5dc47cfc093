"""Events <-> stored bytes: nothing is lost, nothing is guessed, and what cannot be read says what it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.log.events import UnreadableEventError, decode, encode
from adapters.log.upcasters import UPCASTERS
from domain.errors import BadInputError
from domain.events import EVENTS, Event, Metadata
from domain.experiment_events import EvaluationCompleted, ExperimentAnnotated

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
FACTS = st.dictionaries(
    TEXT, st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3))
)


@given(stream=TEXT, version=st.integers(1, 2**31), actor=TEXT, measures=FACTS)
def test_any_facts_come_back_and_are_stored_alike_again(
    stream: str, version: int, actor: str, measures: dict[str, Any]
) -> None:
    event = EvaluationCompleted(
        originator_id=stream,
        originator_version=version,
        metadata=Metadata(actor=actor),
        task="t",
        attempt=1,
        measures=measures,
    )
    stored = encode(event)
    again = decode(stream, version, event.NAME, stored)
    assert again == event
    assert encode(again) == stored


def test_stream_and_version_are_not_in_the_bytes() -> None:
    assert b"originator" not in encode(annotated("fine"))


def test_a_lone_surrogate_is_bad_input() -> None:
    with pytest.raises(BadInputError, match="experiment-annotated"):
        encode(annotated("\ud800"))


def test_an_unknown_name_is_named() -> None:
    with pytest.raises(
        UnreadableEventError, match=r"Event 2 of 'experiment:x' .*'training-paused\.v9'.*newer AutoLearn"
    ):
        decode("experiment:x", 2, "training-paused.v9", b"{}")


@pytest.mark.parametrize(
    "state", [b"", b"{", b"[]", b'{"metadata":{}}', b'{"metadata":{},"text":"a","reason":"b","c":1}']
)
def test_bytes_that_are_no_such_event_are_refused(state: bytes) -> None:
    with pytest.raises(UnreadableEventError, match="experiment-annotated"):
        decode("experiment:x", 2, "experiment-annotated.v1", state)


@pytest.mark.parametrize(
    "facts",
    [
        b'"text":["secret remark"],"reason":"r"',
        b'"text":"t","reason":"r","secret remark":1',
        b'"text":"t","reason":"r","metadata":{"actor":["secret remark"]}',
        b'"text":"secret remark',
    ],
)
def test_what_cannot_be_read_is_not_quoted(facts: bytes) -> None:
    """The sentence is told by health, which asks nobody who they are."""
    with pytest.raises(UnreadableEventError, match="experiment-annotated") as error:
        decode("experiment:x", 2, "experiment-annotated.v1", b'{"metadata":{},' + facts + b"}")
    assert "secret" not in error.value.sentence


def test_the_field_that_is_wrong_is_named() -> None:
    with pytest.raises(UnreadableEventError, match=r"cannot be read: text \(string_type\), reason \(missing\)"):
        decode("experiment:x", 2, "experiment-annotated.v1", b'{"metadata":{},"text":["a"]}')


def test_facts_that_cannot_be_brought_up_to_date_are_not_quoted(painted: type[Event]) -> None:
    UPCASTERS["painted.v1"] = ("painted.v2", lambda facts: {"paints": [int(facts["paint"])]})
    with pytest.raises(UnreadableEventError, match=r"painted\.v1") as error:
        decode("wall:1", 4, "painted.v1", b'{"metadata":{},"paint":"secret"}')
    assert painted.NAME in EVENTS
    assert "secret" not in error.value.sentence


@pytest.fixture
def painted() -> Iterator[type[Event]]:
    """Register a test-only event in its third version: the colour became a list, then the list got a new key."""

    class Painted(Event):
        NAME: ClassVar[str] = "painted.v3"
        colours: tuple[str, ...]

    UPCASTERS["painted.v1"] = ("painted.v2", lambda facts: {**facts, "paints": [facts["paint"]]})
    UPCASTERS["painted.v2"] = ("painted.v3", lambda facts: {"metadata": facts["metadata"], "colours": facts["paints"]})
    yield Painted
    del UPCASTERS["painted.v1"], UPCASTERS["painted.v2"], EVENTS["painted.v3"]


@pytest.mark.parametrize(("name", "facts"), [("painted.v1", b'"paint":"rot"'), ("painted.v2", b'"paints":["rot"]')])
def test_older_versions_are_brought_up_to_date(painted: type[Event], name: str, facts: bytes) -> None:
    event = decode("wall:1", 4, name, b'{"metadata":{"actor":"ana"},' + facts + b"}")
    facts_now: dict[str, Any] = {"metadata": Metadata(actor="ana"), "colours": ("rot",)}
    assert event == painted(originator_id="wall:1", originator_version=4, **facts_now)


def annotated(text: str) -> ExperimentAnnotated:
    return ExperimentAnnotated(originator_id="experiment:x", originator_version=1, text=text, reason="r")


@pytest.mark.parametrize("place", [b'"originator_id":"client:eve"', b'"originator_version":9'])
def test_facts_that_name_another_place_are_refused(place: bytes) -> None:
    facts = b'{"metadata":{}}'
    assert decode("client:ana", 2, "client-revoked.v1", facts).originator_id == "client:ana"
    with pytest.raises(UnreadableEventError, match=r"Event 2 of 'client:ana'"):
        decode("client:ana", 2, "client-revoked.v1", facts[:-1] + b"," + place + b"}")
