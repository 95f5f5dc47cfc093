"""ONNX files: equal to the pipeline on the held-out rows, or refused in a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from adapters.learning.fitting import onnx_file
from adapters.learning.fitting.fit import train
from tests.learning.conftest import PENGUINS, SOURCES, Learning

onnxruntime = pytest.importorskip("onnxruntime")  # an optional extra
pytest.importorskip("skl2onnx")


def asked(learning: Learning, out: Path, model: str, **settings: Any) -> dict[str, Any]:
    facts = learning.facts("penguins", model, settings=settings)
    out.write_bytes(b"")
    return facts | {"model_blob": learning.done("fit", **facts)["model_blob"]["sha256"], "out": str(out)}


@pytest.mark.parametrize(
    "model",
    ["logistic-regression", "decision-tree", "random-forest", "extra-trees", "svm", "naive-bayes", "k-nearest"],
)
def test_the_file_predicts_a_frame_of_plain_pandas_as_the_pipeline_does(
    learning: Learning, tmp_path: Path, model: str
) -> None:
    facts = asked(learning, tmp_path / "model.onnx", model)
    made = learning.done("onnx", **facts)
    assert made["size"] == (tmp_path / "model.onnx").stat().st_size
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    frame = pd.read_csv(PENGUINS)
    rows = {
        it.name: (frame[it.name].fillna("(missing)") if "string" in it.type else frame[it.name].astype("float32"))
        .to_numpy()
        .reshape(-1, 1)
        for it in session.get_inputs()
    }
    labels = session.run(None, rows)[0]
    assert list(labels) == list(train(facts, learning.blobs).model.predict(frame))


@pytest.mark.parametrize(
    ("model", "settings", "said"),
    [
        ("dummy", {}, "This model has no ONNX form: Unable to find a shape calculator for type '<class 'sklearn.dummy"),
        ("linear-svm", {}, "This model and its preparation cannot become ONNX: "),
        ("gradient-boosting", {}, "This model and its preparation cannot become ONNX: "),
        ("decision-tree", {"prepare.missing-flag": True}, "This model has no ONNX form: "),
    ],
)
def test_what_has_no_onnx_form_is_refused(
    learning: Learning, tmp_path: Path, model: str, settings: dict[str, Any], said: str
) -> None:
    assert said in learning.refusal("onnx", **asked(learning, tmp_path / "m.onnx", model, **settings))
    assert (tmp_path / "m.onnx").read_bytes() == b""


def test_a_file_that_differs_is_not_given_out(
    learning: Learning, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_file, "TOLERANCE", 0.0)
    facts = asked(learning, tmp_path / "m.onnx", "naive-bayes")
    said = learning.refusal("onnx", **facts)
    assert "held-out rows, as it computes in 32-bit floats: it is not given out" in said


def test_a_regression_becomes_onnx_too(learning: Learning, tmp_path: Path) -> None:
    learning.add_csv("lengths", "age,length\n" + "".join(f"{age},{2.5 * age + 1}\n" for age in range(40)), "length")
    SOURCES["lengths"]["given"] = {"task": "regression"}
    facts = learning.facts("lengths", "random-forest-regressor", learning_task="regression")
    (tmp_path / "m.onnx").write_bytes(b"")
    model = learning.done("fit", **facts)["model_blob"]["sha256"]
    assert learning.done("onnx", **facts | {"model_blob": model, "out": str(tmp_path / "m.onnx")})["size"] > 0


def test_the_inputs_have_the_names_of_the_columns(learning: Learning, tmp_path: Path) -> None:
    """skl2onnx writes `a b` as `a_b`; found with `Culmen Length (mm)`."""
    names = ["x (m)", "a b", "a_b", "1x", "größe", "variable"]
    rows = (",".join(str((row * (place + 3)) % 17) for place in range(len(names))) for row in range(60))
    table = "".join(f"{row},{'uv'[place % 2]},{'pqr'[place % 3]}\n" for place, row in enumerate(rows))
    learning.add_csv("named", ",".join([*names, "a word", "kind"]) + "\n" + table, "kind")
    facts = learning.facts("named", "logistic-regression")
    (tmp_path / "m.onnx").write_bytes(b"")
    model = learning.done("fit", **facts)["model_blob"]["sha256"]
    learning.done("onnx", **facts | {"model_blob": model, "out": str(tmp_path / "m.onnx")})
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx")
    assert [it.name for it in session.get_inputs()] == [*names, "a word"]
