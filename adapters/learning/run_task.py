"""What each kind of task does; task processes and tests call the same functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapters.learning.fitting.fit import fit
from adapters.learning.fitting.onnx_file import write_onnx
from adapters.learning.offers.describe import describe
from adapters.learning.prediction.predict import predict
from adapters.learning.scoring.reproduce import reproduce
from adapters.learning.scoring.score import score
from adapters.learning.search.proposals import propose
from adapters.learning.search.trial import run_trial
from adapters.learning.tables.ingest import ingest
from commands.ports import BlobMissing, Blobs, TaskBroken, TaskDone, TaskOutcome
from domain.errors import AutoLearnError

NEEDED_MORE = "The task needed more memory than AUTOLEARN_TASK_MEMORY, or --memory of its training, allows."
KINDS: dict[str, Callable[[dict[str, Any], Blobs], dict[str, Any]]] = {
    "fit": fit,
    "score": score,
    "reproduce": reproduce,
    "propose": propose,
    "trial": run_trial,
    "predict": predict,
    "onnx": write_onnx,
    "ingest": ingest,
    "describe": lambda facts, _blobs: describe(**facts),
}


def run_task(kind: str, facts: dict[str, Any], blobs: Blobs) -> TaskOutcome:
    """Do a task; every failure is an outcome with a sentence, never an exception."""
    try:
        return TaskDone(KINDS[kind](facts, blobs))
    except AutoLearnError as error:
        return TaskBroken("bad-input", error.sentence)
    except BlobMissing as missing:
        return TaskBroken("error", f"The stored file {missing} is missing.")
    except MemoryError:
        return TaskBroken("memory-limit", NEEDED_MORE)
    except Exception as error:  # noqa: BLE001 - plug-ins may raise anything, and the parent needs an outcome
        return TaskBroken("error", f"{type(error).__name__}: {error}")
