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


def pool(fitted: Iterable[FittedFold]) -> FittedFold:
    """Return all held-out rows as those of one fold, whose model knows what each model said of its own rows."""
    known: dict[str, list[Any]] = {}
    parts, heard = [], []
    for model, held, warnings in fitted:
        for name in sorted(ANSWERS):
            if hasattr(model, name):
                known.setdefault(name, []).append(getattr(model, name)(held.features))
        parts.append(held)
        heard += warnings
        last = model
    features = pd.concat([part.features for part in parts])
    target = np.concatenate([part.target for part in parts])
    answers = {name: np.concatenate(its) for name, its in known.items()}
    return FittedFold(CachedModel(last.model, features, answers), Frame(features, target, parts[0].types), heard)
