"""What is on offer: Python entry points of all installed distributions, AutoLearn's own models and measures included.

`autolearn.models` names classes of scikit-learn compatible classifiers and regressors, or callables that return one;
`autolearn.measures` names functions `(y_true, y_pred)` or scorers `(estimator, X, y)`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from domain.values import CATALOG_NAME

MODELS = "autolearn.models"
MEASURES = "autolearn.measures"
OWN = "autolearn"


class NotInstalledError(Exception):
    """No distribution on this machine offers what the task names."""


@dataclass(frozen=True)
class InstalledOffer:
    """One entry point, with the distribution that declares it."""

    name: str
    distribution: str
    version: str
    entry_point: EntryPoint

    def target(self) -> Any:
        """Import and return what the entry point names; raises whatever the import raises."""
        return self.entry_point.load()

    def roots(self) -> frozenset[str]:
        """Return the top-level packages of the distribution: its models may have types of these."""
        if self.distribution == OWN:
            return frozenset()
        distribution = self.entry_point.dist
        files = (distribution.files or []) if distribution else []
        found = {file.parts[0].removesuffix(".py") for file in files if file.suffix == ".py" and file.parts[0] != ".."}
        return frozenset(found | {self.entry_point.module.partition(".")[0]}) - {"sklearn"}


@functools.cache
def offers(group: str) -> tuple[InstalledOffer, ...]:
    """Return what a group offers, by name; for one name, AutoLearn's own comes first, then by distribution.

    Scanning all distributions takes tens of milliseconds, so the forkserver does it once for all its children.
    """
    found = [
        InstalledOffer(entry.name, entry.dist.name, entry.dist.version, entry)
        for entry in entry_points(group=group)
        if entry.dist is not None
    ]
    unique = {(offer.name, offer.distribution): offer for offer in reversed(found)}
    rank = [offer for offer in unique.values() if CATALOG_NAME.fullmatch(offer.name)]
    return tuple(sorted(rank, key=lambda offer: (offer.name, offer.distribution != OWN, offer.distribution)))


def find(group: str, name: str, distribution: str | None = None) -> InstalledOffer:
    """Return the offer of a name (of a stated distribution); raises NotInstalledError."""
    for offer in offers(group):
        if offer.name == name and distribution in (None, offer.distribution):
            return offer
    by = f" of the distribution {distribution!r}" if distribution else ""
    raise NotInstalledError(f"{name!r}{by} is not installed on this machine.")


def make_estimator(offer: InstalledOffer) -> Any:
    """Make the estimator with its own defaults, from a class or a callable."""
    made = offer.target()()
    for method in ("fit", "predict", "get_params", "set_params"):
        if not callable(getattr(made, method, None)):
            raise TypeError(f"{type(made).__name__} is not a scikit-learn estimator: it has no method {method}().")
    return made


def takes_estimator(measure: Callable[..., Any]) -> bool:
    """Tell a scorer `(estimator, X, y)` from a function `(y_true, y_pred)`; a wrong shape raises TypeError."""
    if not callable(measure):
        raise TypeError(f"{measure!r} cannot be called.")
    names = list(inspect.signature(measure).parameters)
    if names[:1] == ["estimator"]:
        return True
    if len(names) >= len(("y_true", "y_pred")):
        return False
    raise TypeError("A measure takes (y_true, y_pred) or (estimator, X, y).")
