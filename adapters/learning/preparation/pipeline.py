"""The Pipeline of a training: what `prepare.…` says of numbers, booleans and words, then the estimator."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import is_regressor
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import (
    MaxAbsScaler,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    QuantileTransformer,
    RobustScaler,
    StandardScaler,
    TargetEncoder,
)

from adapters.learning.preparation.frame import Frame
from adapters.learning.preparation.settings import (
    NEEDS_NO_SCALING,
    TREES_OF_FLOAT32,
    complete_preparation,
    takes_sparse,
    takes_words,
)

MISSING = "(missing)"
FOLDS = 5  # of the target encoding: no row is encoded by its own target
SCALERS = {"standard": StandardScaler, "robust": RobustScaler, "minmax": MinMaxScaler}
STRATEGIES = {"median": "median", "mean": "mean", "most-frequent": "most_frequent", "constant": "constant"}
SQUARE_OVERFLOWS = 1e150
MOST_SPREAD = 10**3.5  # times another: its variance is then 1e7 times, its smoothing 1 % of that other variance
WORDS_SPREAD = 10**-0.5  # about that of a one-hot column
MOST_MERGED = 0.1  # of a column's different values; measured numbers merge now and then, and that does no harm


def build_pipeline(estimator: Any, part: Frame, settings: dict[str, Any], seed: int) -> Pipeline:
    """Return the unfitted Pipeline for the training part; what it does to a column can depend on its values there.

    Raises nothing: settings were checked, and what an estimator refuses it refuses when it is fitted.
    """
    chosen = complete_preparation(estimator, settings)
    words, switches = part.names("string"), part.names("boolean")
    numbers = [name for name in part.types if name not in {*words, *switches}]
    wide = _wide(part, numbers) if isinstance(estimator, GaussianNB) and chosen["scale"] == "auto" else []
    if chosen["scale"] == "auto":
        chosen["scale"] = None if isinstance(estimator, NEEDS_NO_SCALING) else "standard"
    ranked = [name for name in numbers if isinstance(estimator, TREES_OF_FLOAT32) and _merges(part, name)]
    huge = [name for name in numbers if name not in {*ranked, *wide} and _largest(part, name) > SQUARE_OVERFLOWS]
    plain = [name for name in numbers if name not in {*ranked, *huge, *wide}]
    branches = [
        ("words", _chain(_impute_words(chosen), *_encode(estimator, chosen, seed)), words),
        ("numbers", _chain(_impute(chosen), *_scale(chosen)), plain),
        ("huge", _chain(_impute(chosen), MaxAbsScaler(), *_scale(chosen)), huge),
        ("wide", _chain(_impute(chosen), MaxAbsScaler(), StandardScaler()), wide),
        ("ranked", _chain(_impute(chosen), _rank(part)), ranked),
        ("switches", _switches(chosen), switches),
    ]
    if chosen["missing-flag"] and part.features[[*numbers, *switches]].isna().to_numpy().any():
        flag = MissingIndicator(sparse=False, error_on_new=False)
        branches.append(("flags", flag, [*numbers, *switches]))
    used = [branch for branch in branches if branch[2]]
    return Pipeline([("prepare", ColumnTransformer(used)), ("model", _tell_words(estimator, chosen, len(words)))])


def _impute(chosen: dict[str, Any]) -> Any:
    if chosen["missing"] == "native":
        return None
    return SimpleImputer(strategy=STRATEGIES[chosen["missing"]], keep_empty_features=True)


def _switches(chosen: dict[str, Any]) -> Any:
    """Return what fills missing booleans. The scaler only makes floats: of booleans, too, as pandas reads them."""
    missing = chosen["missing"] if chosen["missing"] in {"native", "constant"} else "most-frequent"
    imputer = _impute({"missing": missing})
    return _chain(StandardScaler(with_mean=False, with_std=False) if imputer else None, imputer)


def _impute_words(chosen: dict[str, Any]) -> SimpleImputer:
    """Return what fills missing words: one of their own, unless the most frequent is asked for."""
    strategy = "most_frequent" if chosen["missing"] == "most-frequent" else "constant"
    return SimpleImputer(strategy=strategy, fill_value=MISSING, keep_empty_features=True)


def _scale(chosen: dict[str, Any]) -> list[Any]:
    return [] if chosen["scale"] is None else [SCALERS[chosen["scale"]]()]


def _encode(estimator: Any, chosen: dict[str, Any], seed: int) -> list[Any]:
    """Return the encoder of words; what it gives is scaled like a number, but for one-hot columns."""
    rare = chosen["rare"]
    if chosen["encode"] == "auto" and takes_words(estimator):
        most = min(rare, estimator.max_bins)
        return [OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan, max_categories=most)]
    if chosen["encode"] in {"auto", "onehot"}:
        sparse = takes_sparse(estimator) and chosen["missing"] != "native"  # no tree takes NaN in sparse columns
        return [OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=rare, sparse_output=sparse)]
    if chosen["encode"] == "target":
        return [_encoder_by_target(estimator, seed), *_scale(chosen)]
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, max_categories=rare)
    return [encoder, *_scale(chosen)]


def _encoder_by_target(estimator: Any, seed: int) -> TargetEncoder:
    if is_regressor(estimator):  # whole numbers would be taken for classes
        return TargetEncoder(target_type="continuous", cv=KFold(FOLDS, shuffle=True, random_state=seed))
    return TargetEncoder(cv=StratifiedKFold(FOLDS, shuffle=True, random_state=seed))


def _tell_words(estimator: Any, chosen: dict[str, Any], words: int) -> Any:
    """Tell an estimator that groups words itself which columns they are: the first ones."""
    if takes_words(estimator) and chosen["encode"] == "auto":
        estimator.set_params(categorical_features=list(range(words)) or None)
    return estimator


def _chain(*steps: Any) -> Any:
    """Return the steps as one transformer; names are those of their classes."""
    used = [(type(step).__name__.lower(), step) for step in steps if step is not None]
    return Pipeline(used) if used else "passthrough"


def _rank(part: Frame) -> QuantileTransformer:
    """Return what replaces each value by its rank among those of the training: the order survives 32 bits."""
    return QuantileTransformer(n_quantiles=len(part.target), subsample=None)


def _values(part: Frame, name: str) -> np.ndarray[Any, Any]:
    values = part.features[name].to_numpy()
    finite: np.ndarray[Any, Any] = values[np.isfinite(values)]
    return finite


def _largest(part: Frame, name: str) -> float:
    return float(np.abs(_values(part, name)).max(initial=0.0))


def _wide(part: Frame, numbers: list[str]) -> list[str]:
    """List columns that are so much wider than another that their smoothing (1e-9 of the widest) would drown it."""
    with np.errstate(over="ignore", invalid="ignore"):
        spreads = {name: float(np.std(values)) for name in numbers if len(values := _values(part, name))}
    others = [WORDS_SPREAD] if len(numbers) < len(part.types) else []
    least = min([spread for spread in spreads.values() if spread > 0] + others, default=0.0)
    return [name for name, spread in spreads.items() if not spread <= least * MOST_SPREAD]


def _merges(part: Frame, name: str) -> bool:
    """Tell whether a 32-bit float cannot tell apart, or not hold, what this column has in the training part."""
    values = np.unique(_values(part, name))
    if not len(values):
        return False
    with np.errstate(over="ignore"):
        narrow = values.astype(np.float32)
    merged = len(values) - len(np.unique(narrow))
    most = 0 if (values == np.floor(values)).all() else MOST_MERGED * len(values)
    return merged > most or not np.isfinite(narrow).all()
