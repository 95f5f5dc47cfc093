"""Golden files: what was ever stored stays readable. A file may be added for a new name, never changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.log.events import decode, encode
from adapters.log.upcasters import UPCASTERS
from domain.dataset import DatasetRegistered
from domain.events import EVENTS, Event
from domain.experiment_events import TrainingRequested
from domain.offer import EntryOffered
from tests.wire.examples import EXAMPLES, GOLDEN

FILES = sorted(GOLDEN.glob("*.json"))


def stored(path: Path) -> bytes:
    return path.read_bytes().rstrip(b"\n")


def test_every_event_has_a_golden_file_and_an_example() -> None:
    current = {name for name, event_class in EVENTS.items() if event_class.__module__.startswith("domain.")}
    assert current | set(UPCASTERS) == {path.stem for path in FILES}, "run: make events"
    assert current == {event.NAME for event in EXAMPLES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_golden_file_is_read_and_written_back_byte_by_byte(path: Path) -> None:
    event = decode("stream:x", 3, path.stem, stored(path))
    assert (event.originator_id, event.originator_version) == ("stream:x", 3)
    if path.stem not in UPCASTERS:
        assert encode(event) == stored(path)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda event: event.NAME)
def test_example_is_stored_as_its_golden_file(example: Event) -> None:
    assert encode(example) == stored(GOLDEN / f"{example.NAME}.json")
    assert decode(example.originator_id, 1, example.NAME, encode(example)) == example


def test_an_old_data_set_says_what_was_always_so() -> None:
    old = decode("dataset:iris", 1, "dataset-registered.v1", stored(GOLDEN / "dataset-registered.v1.json"))
    assert isinstance(old, DatasetRegistered)
    found = old.content
    assert (found.task, found.positive, found.reading, found.notes) == ("classification", "virginica", None, ())


def test_old_models_measures_and_trainings_were_about_classes() -> None:
    for name in ("model-offered", "measure-offered"):
        old = decode("model:svm", 1, f"{name}.v1", stored(GOLDEN / f"{name}.v1.json"))
        assert isinstance(old, EntryOffered)
        assert old.description.tasks == ("classification",)
    old = decode("experiment:x", 1, "training-requested.v1", stored(GOLDEN / "training-requested.v1.json"))
    assert isinstance(old, TrainingRequested)
    assert old.learning_task == "classification"
