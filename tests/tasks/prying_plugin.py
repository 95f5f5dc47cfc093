"""A model that tries whatever its setting says and tells what came of it, as a distribution in a folder."""

from __future__ import annotations

from pathlib import Path

SOURCE = '''
import ctypes, os, signal, socket, subprocess, sys, tempfile, threading
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

class Told(Exception):
    """What came of it."""

class Prying(ClassifierMixin, BaseEstimator):
    def __init__(self, code="pass"):
        self.code = code

    def fit(self, X, y):
        scope = dict(globals())
        exec(self.code, scope)
        if "told" in scope:
            raise Told(scope["told"])
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return self.classes_[np.zeros(len(X), dtype=int)]

def system(name, *arguments):
    """Call the C library, and raise what it says."""
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
'''
ENTRIES = "[autolearn.models]\nprying = prying_plugin_model:Prying\n"
METADATA = "Metadata-Version: 2.1\nName: prying\nVersion: 1.0\n"


def install(site: Path) -> None:
    """Write the distribution as an installer would."""
    about = site / "prying-1.0.dist-info"
    about.mkdir(parents=True)
    (site / "prying_plugin_model.py").write_text(SOURCE)
    (about / "METADATA").write_text(METADATA)
    (about / "entry_points.txt").write_text(ENTRIES)
    (about / "RECORD").write_text("prying_plugin_model.py,,\n")
