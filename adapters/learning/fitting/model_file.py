"""Fitted models as skops files: opened only after their SHA-256 matched, and made of allowed types only."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from typing import Any

import skops.io
from sklearn.metrics import _dist_metrics
from sklearn.pipeline import Pipeline
from skops.io.exceptions import UntrustedTypesFoundException

from adapters.learning.offers.catalog import InstalledOffer
from commands.ports import Blobs

# What scikit-learn's estimators are made of and skops does not trust by itself: compiled holders of numbers, the sparse
# rows that neighbours and support vectors keep, the folds of a TargetEncoder, and what HistGradientBoosting checks
# columns of words with (of a partial, the function itself must be allowed, too).
ALLOWED = frozenset(
    {
        "functools.partial",
        "numpy.dtype",
        "scipy.sparse._csr.csr_array",
        "scipy.sparse._csr.csr_matrix",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.model_selection._split.KFold",
        "sklearn.model_selection._split.StratifiedKFold",
        "sklearn.neighbors._ball_tree.BallTree",
        "sklearn.neighbors._kd_tree.KDTree",
        "sklearn.tree._tree.Tree",
        "sklearn.utils.validation.check_array",
    }
    | {f"sklearn.metrics._dist_metrics.{name}" for name in dir(_dist_metrics) if name.endswith("Distance64")}
    - {"sklearn.metrics._dist_metrics.PyFuncDistance64"}  # it calls a function of the file
)
FASTEST = 1
RANGES = "ranges.json"  # beside what skops reads: column -> least and greatest value of the training part


class NotTrustedError(Exception):
    """A model file whose bytes changed, or that has types which no distribution offered."""


def model_bytes(fitted: Pipeline, ranges: dict[str, list[float]]) -> bytes:
    """Return the skops file of a fitted Pipeline, with the ranges of the part that it learned from."""
    file = io.BytesIO(skops.io.dumps(fitted, compression=zipfile.ZIP_DEFLATED, compresslevel=FASTEST))
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(RANGES, json.dumps(ranges, separators=(",", ":")))
    return file.getvalue()


def read_verified(blobs: Blobs, sha256: str) -> bytes:
    """Return a blob's bytes after checking their SHA-256; raises NotTrustedError, BlobMissing."""
    with blobs.open(sha256) as file:
        data = file.read()
    if hashlib.sha256(data).hexdigest() != sha256:
        msg = f"The stored file {sha256} was changed: its bytes have another SHA-256. It is not opened."
        raise NotTrustedError(msg)
    return data


def load_model(blobs: Blobs, sha256: str, offer: InstalledOffer) -> Pipeline:
    """Return a blob's fitted Pipeline, made of skops' own types, ALLOWED and those of the offering distribution."""
    return load_model_and_ranges(blobs, sha256, offer)[0]


def load_model_and_ranges(
    blobs: Blobs, sha256: str, offer: InstalledOffer
) -> tuple[Pipeline, dict[str, list[float]] | None]:
    """Return the ranges with it; None for a model of release 0.1.0, which kept none."""
    data = read_verified(blobs, sha256)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        kept: Any = json.loads(archive.read(RANGES)) if RANGES in archive.namelist() else None
    try:  # the list of types costs as much as the model itself
        return skops.io.loads(data, trusted=sorted(ALLOWED)), kept
    except UntrustedTypesFoundException:
        unknown = skops.io.get_untrusted_types(data=data)
    roots = offer.roots()
    refused = [name for name in unknown if name not in ALLOWED and name.partition(".")[0] not in roots]
    if refused:
        msg = f"The model file holds types that {offer.distribution} does not bring: {', '.join(refused[:5])}."
        raise NotTrustedError(msg)
    return skops.io.loads(data, trusted=unknown), kept
