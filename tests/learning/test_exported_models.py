"""What docs/export.md says of exported models: a frame read by plain pandas gives what AutoLearn itself predicts."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from adapters.learning.fitting.fit import train
from adapters.learning.fitting.model_file import model_bytes
from tests.house.tracked import ROOT

SNIPPET = re.search(r"```python\n(.*?)```", (ROOT / "docs/export.md").read_text(), re.DOTALL)

BOOLEANS = pd.DataFrame(
    {"on": [True, False, True] * 9, "size": [it / 2 for it in range(27)], "class": ["a", "b", "a"] * 9}
)


@pytest.mark.parametrize("model", ["logistic-regression", "random-forest", "gradient-boosting", "svm"])
def test_the_snippet_predicts_as_autolearn_does(
    learning: Any, model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = train(learning.facts("penguins", model), learning.blobs)
    (tmp_path / "model.skops").write_bytes(model_bytes(done.model, done.frame.ranges()))
    shutil.copy(ROOT / "examples/penguins.csv", tmp_path)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(SNIPPET[1] if SNIPPET else "", names)  # noqa: S102 - our own page
    assert done.frame.features.isna().to_numpy().any()
    assert list(names["model"].predict(names["frame"])) == list(done.model.predict(done.frame.features))


@pytest.mark.parametrize("missing", ["median", "constant"])
def test_a_column_of_booleans_is_taken_as_pandas_reads_it(learning: Any, missing: str, tmp_path: Path) -> None:
    BOOLEANS.to_csv(tmp_path / "booleans.csv", index=False)
    given = {"path": str(tmp_path / "booleans.csv"), "format": "csv", "gzip": False, "target": "class"}
    stored = learning.done("ingest", **given)
    facts = learning.facts("iris", "logistic-regression", settings={"prepare.missing": missing}, target="class")
    facts["dataset"]["sha256"] = stored["blob"]["sha256"]
    done = train(facts, learning.blobs)
    assert list(done.model.predict(BOOLEANS)) == list(done.model.predict(done.frame.features))
