"""Models that are fitted again on the folds of a cross-validation, each with the rows that it did not see."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from adapters.learning.fitting.fit import build_model, find_model, fit_model
from adapters.learning.preparation.folds import make_folds
from adapters.learning.preparation.frame import Frame, split_request
from adapters.learning.scoring.cached_model import ANSWERS, CachedModel
from domain.values import Folds


class FittedFold(NamedTuple):
    """A model that learned from a fold, the rows that the fold held out, and what the fit warned of."""

    model: CachedModel
    held: Frame
    warnings: list[str]


def fit_folds(
    facts: dict[str, Any], frame: Frame, folds: Folds, finish: Callable[[Any], Any] = lambda model: model
) -> Iterator[FittedFold]:
    """Fit the whole Pipeline of a training again on each fold of some rows, and finish each; raises BadInputError."""
    offer, method = find_model(facts), split_request(facts).method
    for learned, held in make_folds(frame.target, folds, facts["seed"], method, frame.split_by):
        part, out = frame.rows(learned), frame.rows(held)
        model = build_model(offer, facts, part)
        heard = fit_model(model, part, offer.name)
        yield FittedFold(CachedModel(finish(model), out.features), out, heard)


class Pool:
    """The held-out rows of several folds, and what each model said of its own; the models are not kept."""

    def __init__(self) -> None:
        self._answers: dict[str, list[Any]] = {}
        self._parts: list[Frame] = []
        self._heard: list[str] = []
        self._last: CachedModel | None = None

    def watch(self, fitted: Iterable[FittedFold], most: int | None = None) -> Iterator[FittedFold]:
        """Pass folds on, and take in all or only the first ones: those of one repeat, which have each row once."""
        for place, fold in enumerate(fitted):
            if most is None or place < most:
                self._take(fold)
            yield fold

    @property
    def fold(self) -> FittedFold:
        """All rows as those of one fold, whose model knows the answers."""
        if self._last is None:
            raise LookupError("no fold was taken in")
        features = pd.concat([part.features for part in self._parts])
        target = np.concatenate([part.target for part in self._parts])
        answers = {name: np.concatenate(its) for name, its in self._answers.items()}
        pooled = Frame(features, target, self._parts[0].types)
        return FittedFold(CachedModel(self._last.model, features, answers), pooled, self._heard)

    def _take(self, fold: FittedFold) -> None:
        for name in sorted(ANSWERS):
            if hasattr(fold.model, name):
                self._answers.setdefault(name, []).append(getattr(fold.model, name)(fold.held.features))
        self._parts.append(fold.held)
        self._heard += fold.warnings
        self._last = fold.model


def pool(fitted: Iterable[FittedFold]) -> FittedFold:
    """Return all held-out rows as those of one fold."""
    pooled = Pool()
    for _ in pooled.watch(fitted):
        pass
    return pooled.fold
