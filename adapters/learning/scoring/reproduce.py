"""The reproduce task: train again from the record and say how far the result is the same."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from adapters.learning.fitting.fit import Fitted, machine_versions, train
from adapters.learning.fitting.learned import learned_bytes
from adapters.learning.fitting.model_file import load_model, read_verified
from adapters.learning.offers.catalog import NotInstalledError
from adapters.learning.preparation.frame import is_regression
from adapters.learning.scoring.measure import compute_measure
from commands.ports import BlobMissing, Blobs
from domain.errors import BadInputError
from domain.values import MeasureSpec

OF_CLASSES = ("accuracy", "balanced-accuracy", "mcc", "confusion-matrix")
OF_NUMBERS = ("r2", "mae", "rmse", "max-error")
TOLERANCE = 1e-9
MOST = 20
OPAQUE = "A part of the model has a state that cannot be read, so its measures were compared."


def reproduce(facts: dict[str, Any], blobs: Blobs) -> dict[str, Any]:
    """Return `{verdict, differences}`: bit-identical, metric-equal, different, or not-possible and why."""
    try:
        before = read_verified(blobs, facts["learned_blob"])
        again = train(facts, blobs)
    except BlobMissing as missing:
        return _verdict("not-possible", [_explain_missing(facts, str(missing))])
    except NotInstalledError as error:
        return _verdict("not-possible", [f"The model {error}"])
    except BadInputError as error:
        return _verdict(
            "not-possible", [f"The training is refused now: {error}", *_environment_differences(facts["provenance"])]
        )
    after = learned_bytes(again.model)
    is_opaque = b'{"opaque":"' in after
    if after == before and not is_opaque:
        return _verdict("bit-identical", [])
    found = _parameter_differences(json.loads(before), json.loads(after))
    return _compare(facts, blobs, again, [*found, OPAQUE] if is_opaque else found)


def _compare(facts: dict[str, Any], blobs: Blobs, again: Fitted, found: list[str]) -> dict[str, Any]:
    """Compare what both models say about the held-out part, as learned parameters differ."""
    differences = [*_environment_differences(facts["provenance"]), *found]
    part = again.held.held_out(again.frame)
    if again.held.sha256 != facts["provenance"]["split_sha256"]:
        return _verdict("different", ["The held-out part differs.", *differences])
    try:
        first = load_model(blobs, facts["model_blob"], again.offer)
    except BlobMissing as missing:
        return _verdict("not-possible", [_explain_missing(facts, str(missing)), *differences])
    specs = [MeasureSpec(name=name) for name in (OF_NUMBERS if is_regression(facts) else OF_CLASSES)]
    pairs = {
        spec.name: tuple(compute_measure(spec, model, part, None)[0] for model in (first, again.model))
        for spec in specs
    }
    changed = [f"{name} was {then}, is {now}." for name, (then, now) in pairs.items() if not _are_equal(then, now)]
    return _verdict("different" if changed else "metric-equal", [*changed, *differences])


def _verdict(verdict: str, differences: list[str]) -> dict[str, Any]:
    return {"verdict": verdict, "differences": differences[:MOST]}


def _explain_missing(facts: dict[str, Any], sha256: str) -> str:
    if sha256 == facts["dataset"]["sha256"]:
        return f"The data set {facts['dataset']['name']} version {facts['dataset']['version']} ({sha256}) is missing."
    return f"The stored file {sha256} of the training is missing."


def _environment_differences(then: dict[str, Any]) -> list[str]:
    now = machine_versions()
    changed = [name for name in sorted(now) if then.get(name) != now[name]]
    return [f"{name} was {then.get(name, 'not recorded')}, is {now[name]}." for name in changed]


def _parameter_differences(before: Any, after: Any) -> list[str]:
    names = list(dict.fromkeys(_differing_paths(before["steps"], after["steps"], "")))
    return [f"Learned parameters differ: {', '.join(names[:MOST])}."] if names else []


def _differing_paths(before: Any, after: Any, at: str) -> Iterator[str]:
    """Yield where two learned states differ, as dotted names down to whole arrays."""
    if before == after:
        return
    if not isinstance(before, dict) or not isinstance(after, dict) or "data" in before:
        yield at.replace(".learned", "").lstrip(".")
        return
    for name in sorted(before.keys() | after.keys()):
        yield from _differing_paths(before.get(name), after.get(name), f"{at}.{name}")


def _are_equal(then: Any, now: Any) -> bool:
    if isinstance(then, float) and isinstance(now, float):
        return math.isclose(then, now, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
    return bool(then == now)
