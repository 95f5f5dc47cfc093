"""The fit task: read the data set, hold out a part, fit the Pipeline, store the model and what it learned as blobs."""

from __future__ import annotations

import functools
import platform
import time
import warnings
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_info

from adapters.learning.fitting.learned import learned_bytes, summarize
from adapters.learning.fitting.model_file import model_bytes
from adapters.learning.offers.catalog import MODELS, InstalledOffer, find, make_estimator
from adapters.learning.offers.settings import convert_value, settings_of
from adapters.learning.preparation.first_rules import build_first_pipeline
from adapters.learning.preparation.frame import Frame, positive_class, read_for_training
from adapters.learning.preparation.pipeline import build_pipeline
from adapters.learning.preparation.settings import PREFIX
from adapters.learning.preparation.split import SplitRows, split, unlearned_classes
from adapters.learning.store import store_bytes
from commands.ports import Blobs
from domain.errors import BadInputError

LIBRARIES = ("scikit-learn", "numpy", "pandas")
BLAS_THREADS = 1  # set in the environment of every task process, before anything loads: adapters/learning/warm.py


@dataclass(frozen=True)
class Fitted:
    """The result of a training, in memory."""

    frame: Frame
    held: SplitRows
    model: Pipeline
    offer: InstalledOffer
    seconds: float
    warnings: list[str]


def fit(facts: dict[str, Any], blobs: Blobs) -> dict[str, Any]:
    """Train; facts and answer as in docs/architecture.md."""
    done = train(facts, blobs)
    return {
        "learned": summarize(done.model, done.warnings, positive_class(done.frame.target, facts.get("positive"))),
        "model_blob": store_bytes(blobs, model_bytes(done.model, done.frame.rows(done.held.train).ranges()), ".skops"),
        "learned_blob": store_bytes(blobs, learned_bytes(done.model), ".json"),
        "split": {"train_rows": len(done.held.train), "test_rows": len(done.held.test), "sha256": done.held.sha256},
        "provenance": build_provenance(facts, done.held.sha256, done.offer.version),
        "fit_seconds": round(done.seconds, 6),
    }


def train(facts: dict[str, Any], blobs: Blobs) -> Fitted:
    """Train without keeping anything; raises BadInputError, NotInstalledError, BlobMissing."""
    offer = find_model(facts)
    with blobs.open(facts["dataset"]["sha256"]) as file:
        frame = read_for_training(file, facts)
    held = split(frame, facts, blobs)
    part = held.learned(frame)
    model = build_model(offer, facts, part)
    begin = time.perf_counter()
    heard = fit_model(model, part, offer.name)
    return Fitted(frame, held, model, offer, time.perf_counter() - begin, [*unlearned_classes(frame, held), *heard])


def find_model(facts: dict[str, Any]) -> InstalledOffer:
    """Return the installed model that a training's record names; raises NotInstalledError."""
    return find(MODELS, facts["model"]["name"], facts["model"]["distribution"])


def build_model(offer: InstalledOffer, facts: dict[str, Any], part: Frame) -> Pipeline:
    """Return the unfitted Pipeline that a training's record describes, for the rows that it learns from."""
    settings = facts["settings"]
    own = {name: value for name, value in settings.items() if not name.startswith(PREFIX)}
    made = _configure(make_estimator(offer), own, facts["seed"])
    if facts.get("preparation", 1) == 1:
        return build_first_pipeline(made, part.types)
    return build_pipeline(made, part, settings, facts["seed"])


def _configure(made: Any, settings: dict[str, Any], seed: int) -> Any:
    known = settings_of(made)
    unknown = sorted(set(settings) - set(known))
    if unknown:
        msg = f"The installed model has no setting {', '.join(unknown)}; it has {', '.join(known) or 'none'}."
        raise BadInputError(msg)
    chosen = {name: convert_value(value, known[name]) for name, value in settings.items()}
    seeded = {"random_state": seed} if "random_state" in made.get_params(deep=False) else {}
    return made.set_params(**chosen, **seeded)


def fit_model(model: Pipeline, part: Frame, name: str) -> list[str]:
    """Fit in place and return what it warned of; a refusal of the estimator is the caller's bad input."""
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        try:
            model.fit(part.features, part.target)
        except ValueError as error:
            raise BadInputError(f"{name} refused these settings or this data: {error}") from error
    return list(dict.fromkeys(str(each.message) for each in heard))


def build_provenance(facts: dict[str, Any], split_sha256: str, model_version: str) -> dict[str, Any]:
    """Return the record from which a training can be done again."""
    return {
        "dataset_sha256": facts["dataset"]["sha256"],
        "target": facts["target"],
        "columns": facts.get("columns"),
        "settings": facts["settings"],
        "preparation": facts.get("preparation", 1),
        "learning_task": facts.get("learning_task", "classification"),
        "seed": facts["seed"],
        "test_size": facts["test_size"],
        "split": facts.get("split"),
        "split_sha256": split_sha256,
        "model": {**facts["model"], "version": model_version},
        **machine_versions(),
    }


@functools.cache
def machine_versions() -> dict[str, Any]:
    """Return versions and CPU of this machine.

    `blas` has the processor for which the linear algebra computes, too: the machine's, or what a variable such as
    OPENBLAS_CORETYPE names. Another one rounds otherwise.
    """
    versions = {name: version(name) for name in LIBRARIES}
    blas = sorted({_describe_blas(it) for it in threadpool_info() if it["user_api"] == "blas"})
    computing = {"blas": ", ".join(blas), "blas_threads": BLAS_THREADS, "cpu": _cpu()}
    return {"python": platform.python_version(), **versions, **computing}


def _describe_blas(library: dict[str, Any]) -> str:
    return " ".join(str(library[name]) for name in ("internal_api", "version", "architecture") if library.get(name))


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
