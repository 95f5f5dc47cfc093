"""Fitted models as files: skops, or ONNX; what comes is held against the digest that the history has."""

from __future__ import annotations

import hashlib
from pathlib import Path

from autolearn.answers import Response
from autolearn.client import BackendClient
from autolearn.errors import InvalidInputError, UnprovenAnswerError
from autolearn.views import Facts

PICKLED = (".pickle", ".pkl", ".joblib")


def check_model_name(file: Path) -> None:
    """Raise InvalidInputError for a name that would say of the file what it is not."""
    if file.suffix.lower() in PICKLED:
        raise InvalidInputError(f"{file.name} would not be a pickle, but a skops file: name it .skops (or .onnx).")


def download_model(
    client: BackendClient, experiment: str, file: Path, draft: Path, as_of: str | None
) -> tuple[Facts, Response]:
    """Write the model of an experiment to `draft`, in the form that the name of `file` asks for.

    Returns `{experiment, bytes, sha256}`, and the answer that names the experiment. Raises UnprovenAnswerError for a
    file that is not the recorded model.
    """
    form = "onnx" if file.suffix.lower() == ".onnx" else None
    shown = client.get("experiments", experiment, as_of=as_of)
    whole_id = shown.body["experiment"]
    size = client.download("experiments", whole_id, "model", to=draft, as_of=as_of, format=form)
    with draft.open("rb") as content:
        sha256 = hashlib.file_digest(content, "sha256").hexdigest()
    # the model travels in plain, its digest sealed
    recorded = (shown.body.get("blobs") or {}).get("model") or {}
    expected = recorded.get("sha256") if isinstance(recorded, dict) else recorded
    if form is None and expected and expected != sha256:
        raise UnprovenAnswerError(
            f"The file that came is not the recorded model: SHA-256 {sha256}, recorded {expected}."
        )
    return {"experiment": whole_id, "bytes": size, "sha256": sha256}, shown
