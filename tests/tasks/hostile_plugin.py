"""A model that misbehaves on demand, as a distribution in a folder: what the parent of a task must live through."""

from __future__ import annotations

from pathlib import Path

SOURCE = '''
import os, signal, subprocess
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

class Hostile(ClassifierMixin, BaseEstimator):
    """Do a deed while fitting; open a FIFO first, so that the test knows when."""

    def __init__(self, deed="nothing", fifo=""):
        self.deed = deed
        self.fifo = fifo

    def fit(self, X, y):
        fifo = open(self.fifo, "w") if self.fifo else open(os.devnull, "w")
        getattr(self, self.deed)(fifo)
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return self.classes_[np.zeros(len(X), dtype=int)]

    def nothing(self, fifo):
        fifo.close()

    def sleep(self, fifo):
        fifo.close()
        while True:
            signal.pause()

    def hold_the_gil(self, fifo):
        fifo.close()
        sum(range(10**13))

    def leave(self, fifo):
        os._exit(7)

    def close_all(self, fifo):
        os.closerange(3, 256)
        while True:
            signal.pause()

    def answer_by_halves(self, fifo):
        for descriptor in range(3, 64):
            try:
                os.write(descriptor, (100).to_bytes(4, "big") + b"{")
            except OSError:
                pass
        while True:
            signal.pause()

    def fault(self, fifo):
        os.kill(os.getpid(), signal.SIGSEGV)

    def huge(self, fifo):
        np.empty(2**30)  # 8 GiB that are never touched: of address space alone

    def grow(self, fifo):
        kept = []
        while True:
            kept.append(bytearray(os.urandom(1 << 12)) * 2048)

    def have_a_child(self, fifo):
        child = subprocess.Popen(["sleep", "600"])
        print(child.pid, file=fifo, flush=True)
        fifo.close()
        child.wait()

    def leave_a_child(self, fifo):
        child = subprocess.Popen(["sleep", "600"])
        print(child.pid, file=fifo, flush=True)
        os._exit(7)

    def say_environment(self, fifo):
        names = [name for name in os.environ if name.startswith("AUTOLEARN_")]
        print(names, os.environ["OMP_NUM_THREADS"], len(os.listdir("/proc/self/task")), file=fifo, flush=True)
        fifo.close()
'''
ENTRIES = """[autolearn.models]
hostile = hostile_plugin_model:Hostile
broken = nowhere_to_be_found:Model
no-model = hostile_plugin_model:np
clusterer = sklearn.cluster:KMeans
"""
FATAL_ENTRIES = """[autolearn.models]
fatal = fatal_plugin_model:Fatal
"""


def install(site: Path) -> None:
    """Write the distribution as an installer would, and another that ends the process when it is imported."""
    _write(site, "hostile", "hostile_plugin_model", SOURCE, ENTRIES)
    _write(site, "fatal", "fatal_plugin_model", "import os\nos.abort()\n", FATAL_ENTRIES)


def _write(site: Path, name: str, module: str, source: str, entries: str) -> None:
    about = site / f"{name}-1.0.dist-info"
    about.mkdir(parents=True)
    (site / f"{module}.py").write_text(source)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(entries)
    (about / "RECORD").write_text(f"{module}.py,,\n")
