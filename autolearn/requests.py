"""What commands ask the backend for: bodies and queries, the same from the command line and from Python."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from autolearn.errors import InvalidInputError
from autolearn.views import Facts

FORMATS = {
    ".csv": "csv", ".txt": "csv", ".tsv": "tsv", ".tab": "tsv", ".xlsx": "xlsx", ".xlsm": "xlsx", ".ods": "ods",
    ".parquet": "parquet", ".pq": "parquet", ".feather": "feather", ".arrow": "feather",
}  # fmt: skip


def given(**facts: Any) -> Facts:
    """Return the facts that were given: those that are not None."""
    return {name: value for name, value in facts.items() if value is not None}


def learning_request(
    *,
    target: str | None = None,
    only: Iterable[str] | None = None,
    drop: Iterable[str] | None = None,
    seed: int | None = None,
    split: str | None = None,
    test_size: float | None = None,
    memory: int | None = None,
) -> Facts:
    """Return which rows and columns are learned from."""
    plain = given(target=target, seed=seed, split=split, test_size=test_size, memory=memory)
    names = {"only": _names("only", only), "drop": _names("drop", drop)}
    return plain | {name: value for name, value in names.items() if value}


def training_request(
    dataset: str, model: str, settings: Mapping[str, Any], *, deadline: float | None = None, **learning: Any
) -> Facts:
    """Return the body of a training; `learning` is as of `learning_request`."""
    request = {"dataset": dataset, "model": model, "settings": dict(settings)}
    return request | learning_request(**learning) | given(deadline=deadline)


def search_request(
    dataset: str,
    models: Sequence[str],
    space: Mapping[str, Any],
    *,
    strategy: str | None = None,
    trials: int | None = None,
    cv: int | str | None = None,
    by: str | None = None,
    keep: int | None = None,
    deadline: float | None = None,
    **learning: Any,
) -> Facts:
    """Return the body of a search; `learning` is as of `learning_request`."""
    request = {"dataset": dataset, "models": list(models), "space": dict(space)}
    request |= given(strategy=strategy, trials=trials, cv=cv, by=by, keep=keep, deadline=deadline)
    return request | learning_request(**learning)


def evaluation_request(experiment: str | None, measures: Iterable[str] = (), **how: Any) -> Facts:
    """Return the body of an evaluation; `how`: average, on, cv, repeats, threshold, positive, by, importance."""
    request = {"experiment": experiment, "measures": _names("measures", measures)}
    return request | {name: value for name, value in how.items() if value is not None and value is not False}


def commit_request(experiments: Sequence[str], message: str | None) -> Facts:
    """Return the body of a commit; without experiments it is of all that are completed."""
    return {"experiments": list(experiments), "message": message}


def annotation_request(text: str, reason: str) -> Facts:
    return {"text": text, "reason": reason}


def reason_request(reason: str) -> Facts:
    """Return the body of a withdrawal or restoration."""
    return {"reason": reason}


def dataset_query(**decisions: Any) -> Facts:
    """Return how a file is to be read as query parameters: lists and types as JSON, without what was not given."""
    known = {name: value for name, value in decisions.items() if value not in (None, False, [], (), {})}
    return {
        name: 1 if value is True else value if isinstance(value, str) else json.dumps(value)
        for name, value in known.items()
    }


def file_query(file: Path) -> Facts:
    """Return the format of a table by the file's name, and whether it is packed by gzip; raises InvalidInputError."""
    suffixes = [suffix.lower() for suffix in file.suffixes]
    gzip = suffixes[-1:] == [".gz"]
    form = FORMATS.get("".join((suffixes[:-1] if gzip else suffixes)[-1:]))
    if form is None:
        known = ".csv, .tsv, .xlsx, .ods, .parquet or .feather"
        raise InvalidInputError(f"{file.name}: a table is a {known} file, or one of them with .gz.")
    return {"format": form, "gzip": int(gzip)}


def _names(what: str, names: Iterable[str] | None) -> list[str]:
    """Return names as a list; raises InvalidInputError for a text, whose letters would be taken for names."""
    if isinstance(names, str):
        raise InvalidInputError(f"{what} = {names!r} is a text: give a list of names, [{names!r}].")
    return list(names or ())
