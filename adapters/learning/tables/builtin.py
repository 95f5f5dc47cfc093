"""The data sets that come with scikit-learn. `BUILTIN` is plain facts, so the backend may import this module."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SOURCE = "UCI Machine Learning Repository, as shipped with scikit-learn"
LICENCE = "CC BY 4.0"


@dataclass(frozen=True, slots=True)
class Builtin:
    """Name of the target column, and where the data comes from; ingest facts: `{"builtin": name, "target": target}`."""

    target: str
    loader: str
    licence: str = LICENCE
    source: str = SOURCE


BUILTIN: dict[str, Builtin] = {
    "iris": Builtin("species", "load_iris"),
    "wine": Builtin("cultivar", "load_wine"),
    "breast-cancer": Builtin("diagnosis", "load_breast_cancer"),
    "digits": Builtin("digit", "load_digits"),
}


def builtin_table(name: str) -> Any:
    """Return a data set as a pyarrow table, classes by their names."""
    import pyarrow as pa  # noqa: PLC0415 - only a task process comes here
    from sklearn import datasets  # noqa: PLC0415 - idem

    about = BUILTIN[name]
    bunch = getattr(datasets, about.loader)()
    columns = {str(column): bunch.data[:, i] for i, column in enumerate(bunch.feature_names)}
    return pa.table({**columns, about.target: [_plain(bunch.target_names[label]) for label in bunch.target]})


def _plain(label: Any) -> Any:
    return label.item() if hasattr(label, "item") else label
