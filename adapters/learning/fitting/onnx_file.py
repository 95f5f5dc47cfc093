"""The onnx task: a fitted pipeline as an ONNX file, which must say of the held-out rows what the pipeline says."""

from __future__ import annotations

import hashlib
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from adapters.learning.fitting.fit import find_model
from adapters.learning.fitting.model_file import load_model
from adapters.learning.preparation.frame import Frame, read_for_training
from adapters.learning.preparation.pipeline import MISSING
from adapters.learning.scoring.score import held_out
from commands.ports import Blobs
from domain.errors import BadInputError

TOLERANCE = 1e-4  # of probabilities, and relative of a regression's numbers: ONNX computes in 32-bit floats
OPSETS = {"": 21, "ai.onnx.ml": 3}
SHOWN = 300  # characters of what skl2onnx says


def write_onnx(facts: dict[str, Any], blobs: Blobs) -> dict[str, Any]:
    """Fill the file `out` and return `{sha256, size}`; raises BadInputError where ONNX cannot say the same."""
    model = load_model(blobs, facts["model_blob"], find_model(facts))
    with blobs.open(facts["dataset"]["sha256"]) as file:
        part = held_out(read_for_training(file, facts), facts, blobs)
    predicted = model.predict(part.features)
    shares = model.predict_proba(part.features) if hasattr(model, "predict_proba") else None
    content = _convert(model, part.types)
    _check_equal(content, part, predicted, shares)
    with Path(facts["out"]).open("r+b") as file:
        file.write(content)
    return {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}


def _convert(model: Pipeline, types: dict[str, str]) -> bytes:
    try:
        from skl2onnx import to_onnx  # noqa: PLC0415 - an optional extra
        from skl2onnx.common.data_types import FloatTensorType, StringTensorType  # noqa: PLC0415 - idem
        from skl2onnx.common.exceptions import MissingShapeCalculator  # noqa: PLC0415 - idem
    except ImportError:
        raise BadInputError("This backend makes no ONNX files: install the extra autolearn[onnx] there.") from None
    _leave_missing_words_to_the_caller(model)
    inputs = [
        (name, (StringTensorType if kind == "string" else FloatTensorType)([None, 1])) for name, kind in types.items()
    ]
    arrays = {"zipmap": False} if hasattr(model, "predict_proba") else {}
    try:
        with warnings.catch_warnings(action="ignore"):  # of what scikit-learn will remove some day
            made = to_onnx(
                model, initial_types=inputs, options={id(model): arrays} if arrays else None, target_opset=OPSETS
            )
    except MissingShapeCalculator as error:
        raise BadInputError(f"This model has no ONNX form: {_first_sentence(error)}. Export a .skops file.") from error
    except Exception as error:  # of many kinds
        raise BadInputError(
            f"This model and its preparation cannot become ONNX: {_first_sentence(error)}. Export a .skops file."
        ) from error
    _name_inputs(made.graph, [*types])
    content: bytes = made.SerializeToString()
    return content


def _name_inputs(graph: Any, columns: list[str]) -> None:
    """Name the inputs as the columns: skl2onnx writes `x (m)` as `x__m_`, and keeps their order."""
    names = dict(zip([it.name for it in graph.input], columns, strict=True))
    for it in graph.input:
        it.name = names[it.name]
    for node in graph.node:
        node.input[:] = [names.get(it, it) for it in node.input]


def _first_sentence(error: Exception) -> str:
    return " ".join(str(error).split()).partition(". ")[0].rstrip(".")[:SHOWN]


def _leave_missing_words_to_the_caller(model: Pipeline) -> None:
    """Take out the imputer of words, as ONNX knows no missing text; an encoder that merges no words is plain."""
    prepare = model.named_steps["prepare"]
    branches = []
    for name, fitted, columns in prepare.transformers_:
        kept = fitted
        if name == "words" and fitted.steps[0][1].strategy == "constant":
            kept = Pipeline(fitted.steps[1:])
            for _, step in kept.steps:
                if isinstance(step, OneHotEncoder) and all(rare is None for rare in step.infrequent_categories_):
                    step.set_params(max_categories=None, handle_unknown="ignore")
                    step._infrequent_enabled = False  # noqa: SLF001 - no public way to say that nothing is merged
        branches.append((name, kept, columns))
    prepare.transformers_ = branches


def _check_equal(content: bytes, part: Frame, predicted: Any, shares: Any) -> None:
    """Refuse a file that differs from the pipeline on the held-out rows."""
    import onnxruntime  # noqa: PLC0415 - an optional extra

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    rows = {name: _as_input(part, name, kind) for name, kind in part.types.items()}
    answer = session.run(None, {it.name: rows[it.name] for it in session.get_inputs()})
    labels = np.asarray(answer[0]).ravel()
    is_number = predicted.dtype.kind == "f"
    same = np.isclose(labels, predicted, rtol=TOLERANCE) if is_number else labels == predicted
    if shares is not None:
        same &= np.isclose(answer[1], shares, atol=TOLERANCE).all(axis=1)
    if not same.all():
        raise BadInputError(
            f"The ONNX form differs on {int((~same).sum())} of {len(same)} held-out rows, as it computes in 32-bit "
            "floats: it is not given out. Export a .skops file."
        )


def _as_input(part: Frame, name: str, kind: str) -> np.ndarray[Any, Any]:
    values = part.features[name]
    array = values.fillna(MISSING).to_numpy(dtype=object) if kind == "string" else values.to_numpy(dtype=np.float32)
    return array.reshape(-1, 1)
