"""Loaded once by the forkserver, before any child: everything that tasks import, and one tiny run of each kind.

The order matters: BLAS and OpenMP count their threads when they load, and a process with threads must not fork.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import os
import tempfile
import warnings
from pathlib import Path
from typing import Any

from autolearn.secret_files import forbid_dumps

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "NUMEXPR_NUM_THREADS")
ROWS = range(24)
TINY = {
    "number": [float(i % 7) for i in ROWS],
    "switch": [i % 5 == 0 for i in ROWS],
    "word": ["ab"[i % 3 == 0] for i in ROWS],
    "class": ["xy"[i % 2] for i in ROWS],
}
FEW = {"random-forest": {"n_estimators": 2}, "extra-trees": {"n_estimators": 2}, "gradient-boosting": {"max_iter": 2}}
MEASURES = ("precision", "accuracy", "balanced-accuracy", "mcc", "roc-auc", "log-loss", "confusion-matrix")


def prepare_environment() -> None:
    """Set one thread for everything; remove AutoLearn's variables: plug-ins could read keys that they name."""
    for name in [name for name in os.environ if name.startswith("AUTOLEARN_")]:
        del os.environ[name]
    os.environ.update(dict.fromkeys(THREADS, "1"))
    os.environ["JOBLIB_MULTIPROCESSING"] = "0"  # its processes need /dev/shm, which a confined task has not
    os.environ.update(ARROW_DEFAULT_MEMORY_POOL="system", JE_ARROW_MALLOC_CONF="background_thread:false")


def warm_up() -> None:
    """Store, fit and score once, so that libraries do their first-use work here, not in each child."""
    import pyarrow as pa  # noqa: PLC0415 - after the environment is prepared

    from adapters.files.blobs import FileBlobs  # noqa: PLC0415 - idem
    from adapters.learning.offers.catalog import MODELS, OWN, make_estimator, offers  # noqa: PLC0415 - idem
    from adapters.learning.offers.learning_tasks import task_of  # noqa: PLC0415 - idem
    from adapters.learning.run_task import run_task  # noqa: PLC0415 - idem
    from adapters.learning.tables.parquet import write  # noqa: PLC0415 - idem

    with tempfile.TemporaryDirectory() as folder:
        blobs = FileBlobs(folder)
        path = Path(blobs.scratch(".parquet"))
        table = pa.table(TINY)
        write(table.to_batches(), table.schema, path)  # not CSV: pyarrow's reader of it starts a thread that stays
        sha256 = blobs.put_file(str(path)).sha256
        for offer in offers(MODELS):  # regressors have no parts of their own to load
            if offer.distribution == OWN and task_of(make_estimator(offer)) == "classification":
                _train_and_score(offer.name, sha256, blobs, run_task)


def _train_and_score(name: str, sha256: str, blobs: Any, run_task: Any) -> None:
    facts = {
        "model": {"name": name, "version": "", "distribution": "autolearn"},
        "settings": FEW.get(name, {}),
        "seed": 1,
        "test_size": 0.5,
        "preparation": 2,
        "dataset": {"name": "tiny", "version": 1, "sha256": sha256},
        "target": "class",
    }
    done = run_task("fit", facts, blobs)
    chosen = [{"name": measure} for measure in MEASURES]
    chosen[0]["average"] = "macro"
    run_task(
        "score", {**facts, "model_blob": done.facts["model_blob"]["sha256"], "on": None, "measures": chosen}, blobs
    )
    run_task(
        "trial", {**facts, "folds": {"kind": "kfold", "k": 2}, "measure": {"name": "accuracy"}, "rows": None}, blobs
    )


def main() -> None:
    """Load and warm up; a failure here only makes the first tasks slower, and they report what is wrong."""
    prepare_environment()
    forbid_dumps()
    try:
        gc.disable()
        importlib.import_module("adapters.learning.run_task")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warm_up()
    except Exception as error:  # noqa: BLE001 - see above
        warnings.warn(f"task processes are not warm: {type(error).__name__}: {error}", stacklevel=1)
    finally:
        gc.collect()
        with contextlib.suppress(OSError, AttributeError):  # not glibc
            ctypes.CDLL("libc.so.6").malloc_trim(0)
        gc.freeze()  # what is loaded is never looked at again: its memory stays shared between all children
        gc.enable()
