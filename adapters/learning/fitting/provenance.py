"""What a result depends on, besides the data: settings, seed, split and the machine's versions."""

from __future__ import annotations

import functools
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

LIBRARIES = ("scikit-learn", "numpy", "pandas")
BLAS_THREADS = 1  # set in the environment of every task process, before anything loads: adapters/tasks/preload.py


def provenance(facts: dict[str, Any], split_sha256: str, model_version: str) -> dict[str, Any]:
    """Return the record from which a training can be done again."""
    return {
        "dataset_sha256": facts["dataset"]["sha256"],
        "settings": facts["settings"],
        "seed": facts["seed"],
        "test_size": facts["test_size"],
        "split_sha256": split_sha256,
        "model": {**facts["model"], "version": model_version},
        **machine_versions(),
    }


@functools.cache
def machine_versions() -> dict[str, Any]:
    """Return versions and CPU of this machine."""
    versions = {name: version(name) for name in LIBRARIES}
    return {"python": platform.python_version(), **versions, "blas_threads": BLAS_THREADS, "cpu": _cpu()}


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
