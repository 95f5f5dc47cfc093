"""95 % bootstrap intervals: rows are drawn with replacement, and each measure is computed of their predictions.

AutoLearn's own measures are computed of many resamples at once, as scikit-learn takes a millisecond for each; a test
holds them against it. Of a plug-in's measure one resample is computed after the other.
"""

from __future__ import annotations

import inspect
import time
import warnings
from collections.abc import Callable, Iterator
from functools import cached_property, partial
from typing import Any

import numpy as np
from sklearn import metrics

from adapters.learning import measures
from adapters.learning.offers.catalog import MEASURES, find, takes_estimator
from adapters.learning.preparation.frame import Frame
from adapters.learning.scoring.cached_model import CachedModel
from domain.values import MeasureSpec

RESAMPLES, FEWEST = 1000, 100
MOST_DRAWN = 20_000_000  # rows times classes, in all resamples together: that takes about a second
MOST_SCORES = 1_000_000  # rows times classes of which areas under curves have an interval
BATCH = 500_000  # rows
SECONDS = 1.0  # for the measures of plug-ins, all together
SHARES = (0.025, 0.975)

Array = np.ndarray[Any, Any]
Statistic = Callable[["Resamples"], Array]


class Sample:
    """Rows with their true and predicted classes or numbers."""

    def __init__(self, model: CachedModel, part: Frame, positive: Any) -> None:
        self.model, self.part, self.positive = model, part, positive
        self.truth: Array = part.target

    @cached_property
    def predicted(self) -> Array:
        return np.asarray(self.model.predict(self.model.features))

    @cached_property
    def classes(self) -> tuple[Array, Array, Array]:
        """The classes that occur, and the places of the true and of the predicted ones among them."""
        labels, places = np.unique(np.concatenate([self.truth, self.predicted]), return_inverse=True)
        true, predicted = np.split(places, 2)
        return labels, true, predicted


class Resamples:
    """Some resamples: row numbers (resample x row), and how often each class was right, true and predicted."""

    def __init__(self, sample: Sample, drawn: Array) -> None:
        self.sample, self.drawn = sample, drawn

    @cached_property
    def counts(self) -> tuple[Array, Array, Array]:
        labels, true, predicted = self.sample.classes
        right = np.where(true == predicted, true, len(labels))
        found = (_count_places(places[self.drawn], len(labels) + 1) for places in (right, true, predicted))
        return tuple(each[:, :-1] for each in found)  # type: ignore[return-value] # three in, three out


def find_intervals(
    specs: list[MeasureSpec], model: CachedModel, part: Frame, positive: Any, seed: int
) -> tuple[dict[str, tuple[float, float]], int]:
    """Return low and high ends by identity, and of how many resamples; a measure that has none is left out.

    The measures must have had a number as their value. A resample in which a measure is not defined does not count.
    """
    if not specs:
        return {}, 0
    rows, sample = len(part.target), Sample(model, part, positive)
    size = rows * (1 if part.target.dtype.kind == "f" else len(model.classes_))
    number = min(RESAMPLES, max(FEWEST, MOST_DRAWN // size))
    chosen = [spec for spec in specs if size <= MOST_SCORES or spec.name != "roc-auc"]
    statistics = {spec.identity: _statistic(spec, sample, SECONDS / len(specs)) for spec in chosen}
    values: dict[str, list[Array]] = {name: [] for name in statistics}
    with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
        warnings.simplefilter("ignore")
        for drawn in _draw(rows, number, seed):
            resamples = Resamples(sample, drawn)
            for name, statistic in statistics.items():
                values[name].append(statistic(resamples))
    found = {name: np.concatenate(parts) for name, parts in values.items()}
    enough = {name: its for name, its in found.items() if np.isfinite(its).sum() >= FEWEST}
    return (
        {name: _ends(its[np.isfinite(its)]) for name, its in enough.items()},
        min(map(len, enough.values()), default=0),
    )


def _count_places(places: Array, size: int) -> Array:
    """Count how often each place (below `size`) is in each row of a table of them."""
    offsets = np.arange(len(places))[:, None] * size
    return np.bincount((places + offsets).ravel(), minlength=len(places) * size).reshape(len(places), size)


def _draw(rows: int, number: int, seed: int) -> Iterator[Array]:
    draws, step = np.random.default_rng(seed), max(1, BATCH // rows)
    for start in range(0, number, step):
        yield draws.integers(rows, size=(min(step, number - start), rows))


def _ends(values: Array) -> tuple[float, float]:
    low, high = np.quantile(values, SHARES)
    return float(low), float(high)


def _statistic(spec: MeasureSpec, sample: Sample, seconds: float) -> Statistic:
    measure = find(MEASURES, spec.name).target()
    if measure in OF_COUNTS:
        return partial(OF_COUNTS[measure], average=spec.average)
    if measure is measures.roc_auc:
        return _areas(sample, spec.average)
    if measure is measures.log_loss:
        return _losses(sample)
    if measure is metrics.max_error:
        errors = np.abs(sample.truth - sample.predicted)
        return lambda its: errors[its.drawn].max(axis=1)
    if "multioutput" in inspect.signature(measure).parameters:
        return lambda its: measure(
            sample.truth[its.drawn.T], sample.predicted[its.drawn.T], multioutput="raw_values"
        )  # a column for each resample
    return _OneByOne(measure, {} if spec.average is None else {"average": spec.average}, sample, seconds)


class _OneByOne:
    """Computes a measure of one resample after the other, until its time is over."""

    def __init__(self, measure: Any, options: dict[str, Any], sample: Sample, seconds: float) -> None:
        self.measure, self.options, self.sample, self.left = measure, options, sample, seconds
        if options.get("average") == "binary":
            self.options["pos_label"] = sample.positive

    def __call__(self, resamples: Resamples) -> Array:
        values = []
        begin = time.perf_counter()
        for rows in resamples.drawn:
            if time.perf_counter() - begin > self.left:
                break
            values.append(self._value(rows))
        self.left -= time.perf_counter() - begin
        return np.array(values, dtype=float)

    def _value(self, rows: Array) -> float:
        truth = self.sample.truth[rows]
        try:
            if takes_estimator(self.measure):
                model = self.sample.model.of_rows(rows)
                return float(self.measure(model, model.features, truth, **self.options))
            return float(self.measure(truth, self.sample.predicted[rows], **self.options))
        except Exception:  # noqa: BLE001 - a plug-in may refuse a resample in any way
            return np.nan


def _ratio(part: Array, whole: Array) -> Array:
    return np.where(whole == 0, 0.0, part / whole)


def _average(its: Resamples, part: Array, whole: Array, average: str | None) -> Array:
    """Average a ratio over the classes as scikit-learn does: those that a resample has; none found counts as 0."""
    _, true, predicted = its.counts
    found: Array
    if average == "micro":
        found = part.sum(axis=1) / whole.sum(axis=1)
        return found
    if average == "binary":
        place = np.flatnonzero(its.sample.classes[0] == its.sample.positive)
        chosen = _ratio(part, whole)[:, place].sum(axis=1)
        return np.where(true[:, place].sum(axis=1) > 0, chosen, np.nan)
    weights = true if average == "weighted" else true + predicted > 0
    found = (_ratio(part, whole) * weights).sum(axis=1) / weights.sum(axis=1)
    return found


def _precision(its: Resamples, average: str | None) -> Array:
    right, _, predicted = its.counts
    return _average(its, right, predicted, average)


def _recall(its: Resamples, average: str | None) -> Array:
    right, true, _ = its.counts
    return _average(its, right, true, average)


def _f1(its: Resamples, average: str | None) -> Array:
    right, true, predicted = its.counts
    return _average(its, 2 * right, true + predicted, average)


def _accuracy(its: Resamples, average: None = None) -> Array:
    del average
    shares: Array = its.counts[0].sum(axis=1) / its.drawn.shape[1]
    return shares


def _balanced_accuracy(its: Resamples, average: None = None) -> Array:
    del average
    right, true, _ = its.counts
    means: Array = np.nanmean(right / true, axis=1)
    return means


def _mcc(its: Resamples, average: None = None) -> Array:
    del average
    right, true, predicted = (each.astype(float) for each in its.counts)
    rows = its.drawn.shape[1]
    covered = right.sum(axis=1) * rows - (true * predicted).sum(axis=1)
    spread = (rows**2 - (true**2).sum(axis=1)) * (rows**2 - (predicted**2).sum(axis=1))
    return _ratio(covered, np.sqrt(spread))


OF_COUNTS: dict[Any, Callable[..., Array]] = {
    metrics.precision_score: _precision,
    metrics.recall_score: _recall,
    metrics.f1_score: _f1,
    metrics.accuracy_score: _accuracy,
    metrics.balanced_accuracy_score: _balanced_accuracy,
    metrics.matthews_corrcoef: _mcc,
}


def _areas(sample: Sample, average: str | None) -> Statistic:
    """Compute the area under the ROC curve as the share of pairs in the right order; equal scores count half."""
    classes = np.asarray(sample.model.classes_)
    scores = np.asarray(measures.class_scores(sample.model, sample.model.features))
    of_class = sample.truth[:, None] == (classes[1:] if scores.ndim == 1 else classes)
    scores, size = scores.reshape(len(scores), -1), of_class.shape[1]
    if average == "micro":  # all classes together
        scores, of_class = scores.reshape(-1, 1), of_class.reshape(-1, 1)
    ranks = [np.unique(column, return_inverse=True)[1] for column in scores.T]

    def areas(its: Resamples) -> Array:
        found, weights, drawn = [], [], its.drawn
        if average == "micro":
            drawn = (drawn[:, :, None] * size + np.arange(size)).reshape(len(drawn), -1)
        for rank, is_class in zip(ranks, of_class.T, strict=True):
            inside, outside = (_counted_ranks(rank, drawn, chosen) for chosen in (is_class, ~is_class))
            pairs = inside.sum(axis=1) * outside.sum(axis=1)
            found.append((inside * (outside.cumsum(axis=1) - outside / 2)).sum(axis=1) / pairs)
            weights.append(inside.sum(axis=1))
        return np.average(found, axis=0, weights=weights if average == "weighted" else None)

    return areas


def _counted_ranks(rank: Array, drawn: Array, chosen: Array) -> Array:
    """Count the drawn rows of each rank that are chosen."""
    return _count_places(np.where(chosen, rank, rank.max() + 1)[drawn], int(rank.max()) + 2)[:, :-1]


def _losses(sample: Sample) -> Statistic:
    labels, given = sample.model.classes_, sample.model.predict_proba(sample.model.features)
    chances = given[np.arange(len(given)), np.searchsorted(labels, sample.truth)]
    losses = -np.log(np.clip(chances, np.finfo(given.dtype).eps, 1))
    return lambda its: losses[its.drawn].mean(axis=1)
