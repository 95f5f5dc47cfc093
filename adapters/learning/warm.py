"""Loaded once by the forkserver, before any child: everything that tasks import, and one tiny run of each kind.

The order matters: threads of BLAS and OpenMP are counted when their libraries load, and a process with threads must not fork.
"""

from __future__ import annotations

import gc
import importlib
import os
import tempfile
import warnings
from pathlib import Path
from typing import Any

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
TINY = "number,word,class\n" + "".join(f"{i % 7},{'ab'[i % 3 == 0]},{i % 2}\n" for i in range(24))
MEASURES = ("precision", "accuracy", "balanced-accuracy", "mcc", "roc-auc", "log-loss", "confusion-matrix")


def prepare_environment() -> None:
    """One thread for everything, and no variable of AutoLearn (it may name keys) for what plug-ins may read."""
    for name in [name for name in os.environ if name.startswith("AUTOLEARN_")]:
        del os.environ[name]
    os.environ.update(dict.fromkeys(THREADS, "1"), ARROW_DEFAULT_MEMORY_POOL="system")


def warm_up() -> None:
    """Ingest, fit and score once: what libraries put off until their first use happens here, not in each child."""
    from adapters.files.blobs import FileBlobs  # noqa: PLC0415 - after the environment is prepared
    from adapters.learning.catalog import MODELS, offers  # noqa: PLC0415 - idem
    from adapters.learning.work import work  # noqa: PLC0415 - idem

    with tempfile.TemporaryDirectory() as folder:
        blobs = FileBlobs(folder)
        raw = Path(blobs.scratch(".csv"))
        raw.write_text(TINY, encoding="utf-8")
        stored: Any = work("ingest", {"path": str(raw), "format": "csv", "gzip": False, "target": "class"}, blobs)
        for offer in offers(MODELS):
            if offer.distribution == "autolearn":
                _train_and_score(offer.name, stored.facts, blobs, work)


def _train_and_score(name: str, stored: dict[str, Any], blobs: Any, work: Any) -> None:
    facts = {
        "model": {"name": name, "version": "", "distribution": "autolearn"},
        "settings": {"n_estimators": 2} if name == "random-forest" else {},
        "seed": 1,
        "test_size": 0.5,
        "dataset": {"name": "tiny", "version": 1, "sha256": stored["blob"]["sha256"]},
        "target": "class",
    }
    done = work("fit", facts, blobs)
    chosen = [{"name": measure} for measure in MEASURES if (name, measure) != ("svm", "log-loss")]
    chosen[0]["average"] = "macro"
    work("score", {**facts, "model_blob": done.facts["model_blob"]["sha256"], "on": None, "measures": chosen}, blobs)


def main() -> None:
    """Load and warm; a failure here only makes the first tasks slower, and they say what is wrong."""
    prepare_environment()
    try:
        gc.disable()
        importlib.import_module("adapters.learning.work")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warm_up()
    except Exception as error:  # noqa: BLE001 - see above
        warnings.warn(f"task processes are not warm: {type(error).__name__}: {error}", stacklevel=1)
    finally:
        gc.collect()
        gc.freeze()  # what is loaded is never looked at again: its memory stays shared between all children
        gc.enable()
