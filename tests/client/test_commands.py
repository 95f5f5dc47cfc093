"""Commands in Python: the whole life of models, on files, frames and rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from autolearn import (
    Backend,
    ConflictError,
    InvalidInputError,
    NotAllowedError,
    NotFoundError,
    TaskFailedError,
    WaitTimeoutError,
    connect,
)
from tests.client.conftest import own_backend
from tests.end_to_end.place import Shell

FRAME = pd.DataFrame(
    {
        "size": np.arange(60) % 10 + 0.5,
        "kind": pd.Categorical(["round", "square"] * 30),
        "label": ["small" if n % 10 < 5 else "large" for n in range(60)],
    },
    index=[f"row {n}" for n in range(60)],
)


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A backend whose session is this module's alone."""
    with own_backend(tmp_path_factory.mktemp("own") / "data") as shell:
        yield shell


@pytest.fixture
def backend(own: Shell) -> Backend:
    return connect(own.url, credentials=own.credentials)


def test_a_life_in_python(backend: Backend, tmp_path: Path) -> None:
    trained = backend.train(
        "iris", "svm", {"C": np.float64(0.5), "degree": np.int64(2)}, seed=7, drop=["sepal width (cm)"]
    )
    assert (trained.state, trained.settings["C"], trained.settings["degree"]) == ("completed", 0.5, 2)
    assert trained.head
    evaluated = backend.evaluate(trained, ["recall", "accuracy"], by="sepal length (cm)", progress=False)
    assert set(evaluated.measures) == {"recall:macro", "accuracy"}
    receipt = backend.commit(trained, message="by hand")
    assert receipt.experiments == [trained.experiment]
    assert backend.verify(anchor=receipt.anchor, audit_anchor=receipt.audit_anchor, progress=False).ok
    assert [it.experiment for it in backend.history(where="C = 0.5")] == [trained.experiment]
    assert backend.reproduce(trained).verdict == "bit-identical"
    backend.annotate(trained, "<b>look</b>")
    assert [it["text"] for it in backend.show(trained).annotations or []] == ["<b>look</b>"]
    backend.withdraw(trained, reason="a test")
    assert list(backend.history()) == []
    backend.restore(trained, reason="a test")
    assert len(backend.history().to_pandas()) == 1
    exported = backend.export(trained, tmp_path / "model.skops")
    content = (tmp_path / "model.skops").read_bytes()
    assert (exported.sha256, exported.bytes) == (hashlib.sha256(content).hexdigest(), len(content))
    assert [path.name for path in tmp_path.iterdir()] == ["model.skops"]
    with pytest.raises(InvalidInputError, match="exists already"):
        backend.export(trained, tmp_path / "model.skops")
    with pytest.raises(InvalidInputError, match="not be a pickle"):
        backend.export(trained, tmp_path / "model.pkl")


def as_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    rows = frame.astype({"kind": str}).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


@pytest.mark.parametrize("form", ["frame", "arrow", "rows", "file"])
def test_a_table_becomes_a_data_set_and_is_predicted_on(backend: Backend, tmp_path: Path, form: str) -> None:
    FRAME.to_csv(tmp_path / "table.csv", index=False)
    tables = {
        "frame": FRAME,
        "arrow": pa.Table.from_pandas(FRAME, preserve_index=False),
        "rows": as_rows(FRAME),
        "file": tmp_path / "table.csv",
    }
    added = backend.add_dataset(tables[form], f"sizes-{form}", target="label", licence="CC0-1.0")
    assert (added.rows, set(added.columns), added.classes) == (60, {"size", "kind", "label"}, ["large", "small"])
    trained = backend.train(added, "decision-tree", seed=7)
    assert trained.dataset["version"] == 1
    predicted = backend.predict(trained, tables[form], proba=True)
    frame = predicted.to_pandas()
    assert list(frame["prediction"]) == list(FRAME["label"])
    assert set(frame.columns) >= {"prediction", "probabilities.large", "probabilities.small"}
    assert backend.check_prediction(predicted, tables[form]).same_answer is True
    one = backend.predict(trained, {"size": 9.5, "kind": "round"})
    assert [it.prediction for it in one] == ["large"]
    missing = backend.predict(trained, pd.Series({"size": np.float32(9.5), "kind": pd.NA}).to_dict())
    assert (missing.missing, [it.prediction for it in missing]) == (1, ["large"])
    assert [it.prediction for it in backend.predictions(trained)] == [it.prediction for it in (missing, one, predicted)]
    backend.discard()
    backend.retire_dataset(added)
    with pytest.raises(NotFoundError, match="retired"):
        backend.dataset(added.name)


@pytest.mark.parametrize(
    "wrong", [7, [], "no-such.csv", pd.DataFrame({"a": [1, "x", b"y"]})], ids=["int", "list", "path", "frame"]
)
def test_what_is_no_table_is_refused(backend: Backend, wrong: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"no table|no file|cannot be written"):
        backend.add_dataset(wrong, "wrong", target="a")


def test_without_pyarrow_a_frame_travels_as_csv(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autolearn.table_files.find_package", lambda _: None)
    for number, table in enumerate((FRAME, as_rows(FRAME))):
        assert backend.add_dataset(table, f"csv-{number}", target="label").rows == 60


def test_a_task_is_waited_for_and_cancelled(backend: Backend) -> None:
    begun = backend.train("digits", "gradient-boosting", {"max_iter": 1000}, wait=False)
    with pytest.raises(WaitTimeoutError):
        begun.wait(timeout=0.01)
    backend.cancel(begun)
    with pytest.raises(TaskFailedError, match="was cancelled") as ended:
        begun.wait(timeout=60)
    assert ended.value.task.state == "cancelled"
    assert backend.status(begun).state == "cancelled"
    backend.discard()


def test_a_search_ends_with_its_best_trained(backend: Backend) -> None:
    found = backend.search("iris", "decision-tree", {"max_depth": [1, 2]}, seed=7)
    assert (found.state, found.completed, len(found.experiments)) == ("completed", 2, 1)
    assert backend.status(found.experiments[0]).state == "completed"
    assert [it["rank"] for it in backend.show_search(found).trials or []] == [1, 2]
    assert [it.wait().search for it in backend.searches()] == [found.search]
    backend.discard()


def test_what_is_wrong_is_said_before_or_by_the_backend(backend: Backend) -> None:
    with pytest.raises(InvalidInputError, match="linear, poly"):
        backend.train("iris", "svm", {"kernel": "cubic"})
    with pytest.raises(InvalidInputError, match="cannot be sent"):
        backend.train("iris", "svm", {"C": object()})
    with pytest.raises(InvalidInputError, match=r"\['species'\]"):
        backend.train("iris", "svm", drop="species")
    with pytest.raises(ConflictError):
        backend.commit()


def test_clients_are_added_and_their_key_is_shown_nowhere(backend: Backend, own: Shell, tmp_path: Path) -> None:
    added = backend.add_client("bob")
    key = added.facts["key"]
    assert key not in f"{added!r} {added} {added._repr_html_()}"
    added.credentials.write(tmp_path / "bob.json")
    bob = connect(own.url, credentials=tmp_path / "bob.json")
    assert bob.session().session is None
    with pytest.raises(NotAllowedError):
        bob.log()
    assert backend.rotate_client("bob").generation == 2
    assert backend.revoke_client(added).revoked is True
    with pytest.raises(NotAllowedError):
        bob.history()
    with pytest.raises(InvalidInputError, match="rotate"):
        assert backend.clients()[0].credentials
