"""Stored models and learned parameters: exact, canonical, and never opened when changed or made of foreign types."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import sparse
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline

from adapters.files.blobs import FileBlobs
from adapters.learning.fitting.learned import learned_bytes, to_jsonable
from adapters.learning.fitting.model_file import NotTrustedError, load_model, model_bytes
from adapters.learning.offers.catalog import MODELS, find

X = np.random.default_rng(1).normal(size=(60, 3))
Y = np.where(X[:, 0] + X[:, 1] > 0, "above", "below")
OWN = find(MODELS, "logistic-regression")


PREPARED: tuple[dict[str, Any], ...] = ({}, {"prepare.encode": "target"}, {"prepare.missing-flag": True})
WORDS = "\n".join(f"{i % 13},w{i % 20},g{i % 7},{i % 5}.5,{'ab'[i % 13 > 6]}" for i in range(120))


class Foreign(LogisticRegression):
    """A type that no distribution offers."""


def stored(blobs: FileBlobs, model: Any) -> str:
    path = Path(blobs.scratch(".skops"))
    path.write_bytes(model_bytes(Pipeline([("model", model.fit(X, Y))]), {}))
    return blobs.put_file(str(path)).sha256


@pytest.fixture(scope="module", autouse=True)
def words(learning: Any) -> None:
    learning.add_csv("words", f"x,word,group,cost,kind\n{WORDS}\n", "kind")


@pytest.fixture
def blobs(tmp_path: Path) -> FileBlobs:
    return FileBlobs(str(tmp_path))


@pytest.mark.parametrize(
    "model",
    [LogisticRegression(), KNeighborsClassifier(), HistGradientBoostingClassifier(), GradientBoostingClassifier()],
)
def test_estimators_of_scikit_learn_are_stored_and_loaded(blobs: FileBlobs, model: Any) -> None:
    loaded = load_model(blobs, stored(blobs, model), OWN)
    assert (loaded.predict(X) == model.predict(X)).all()


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize(
    ("model", "settings"),
    [
        *(
            (name, settings)
            for name in ("k-nearest", "svm", "random-forest", "gradient-boosting")
            for settings in PREPARED
        ),
        *(
            ("k-nearest", {"metric": name, "prepare.encode": "ordinal"})
            for name in ("chebyshev", "hamming", "canberra")
        ),
    ],
)
def test_what_a_training_stores_can_be_loaded(learning: Any, task: str, model: str, settings: dict[str, Any]) -> None:
    """A table with rare words makes sparse rows, which neighbours and support vectors keep."""
    chosen, target = (model, "kind") if task == "classification" else (f"{model}-regressor", "cost")
    facts = learning.facts("words", chosen, settings=settings, target=target, learning_task=task)
    done = learning.done("fit", **facts)
    measure = "accuracy" if task == "classification" else "r2"
    assert learning.score(facts, done, [{"name": measure}])[measure] is not None


def test_a_foreign_type_is_refused(blobs: FileBlobs) -> None:
    with pytest.raises(NotTrustedError, match="Foreign"):
        load_model(blobs, stored(blobs, Foreign()), OWN)


def test_changed_bytes_are_not_opened(blobs: FileBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sha256 = stored(blobs, LogisticRegression())
    (path,) = [path for path in tmp_path.rglob("*") if path.name == sha256]
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    monkeypatch.setattr(skops.io, "loads", lambda *_, **__: pytest.fail("opened"))
    monkeypatch.setattr(skops.io, "get_untrusted_types", lambda **_: pytest.fail("looked into"))
    with pytest.raises(NotTrustedError, match="was changed"):
        load_model(blobs, sha256, OWN)


@pytest.mark.parametrize(
    "model", [KNeighborsClassifier(), HistGradientBoostingClassifier(), GradientBoostingClassifier()]
)
def test_learned_parameters_of_any_estimator_are_repeatable_and_readable(model: Any) -> None:
    model.set_params(**({"random_state": 3} if "random_state" in model.get_params() else {}))
    texts = {learned_bytes(Pipeline([("model", model.fit(X, Y))])) for _ in range(2)}
    assert len(texts) == 1
    assert b"opaque" not in texts.pop()


def test_one_changed_bit_changes_the_bytes() -> None:
    model = LogisticRegression().fit(X, Y)
    before = learned_bytes(Pipeline([("model", model)]))
    model.coef_[0, 0] = np.nextafter(model.coef_[0, 0], 1)
    assert learned_bytes(Pipeline([("model", model)])) != before


@given(
    arrays.arrays(
        st.sampled_from([np.float64, np.float32, np.int64, np.uint8, np.bool_]),
        arrays.array_shapes(max_dims=3, max_side=4),
    )
)
def test_arrays_are_written_exactly(array: np.ndarray[Any, Any]) -> None:
    written = json.loads(json.dumps(to_jsonable(array), allow_nan=False))
    data = [float(item) if isinstance(item, str) else item for item in written["data"]]
    read = np.array(data, dtype=written["dtype"]).reshape(written["shape"])
    assert read.dtype == array.dtype
    assert np.array_equal(read, array, equal_nan=array.dtype.kind == "f")
    if array.dtype.kind == "f":
        assert (np.signbit(read) == np.signbit(array))[~np.isnan(array)].all()


def test_values_of_other_kinds_are_written_plainly() -> None:
    record = np.zeros(2, dtype=[("a", "i1"), ("b", "f8")])
    found = to_jsonable(
        {"set": {2, 1}, "none": None, "nan": math.nan, "record": record, "sparse": sparse.eye(2), "type": dict,
         "objects": np.array([None, "x"], dtype=object), "state": np.random.RandomState(1),
         "tuple": (np.float32(0.5), True)}
    )  # fmt: skip
    assert found["set"] == [1, 2]
    assert found["nan"] == "nan"
    assert found["record"]["fields"]["a"]["data"] == [0, 0]
    assert found["sparse"]["sparse"][0]["data"] == [1.0, 1.0]
    assert found["type"] == {"named": "builtins.dict"}
    assert found["objects"]["data"] == [None, "x"]
    assert found["tuple"] == [0.5, True]
    json.dumps(found, allow_nan=False)


def test_what_cannot_be_read_is_called_opaque() -> None:
    assert to_jsonable(i for i in range(3)) == {"opaque": "builtins.generator"}
