"""Every gauge, and all that a process measures of itself, has a row of its own on docs/metrics.md.

What each kind of process answers is compared in tests/distributed/test_metrics_page.py, which needs servers.
"""

from __future__ import annotations

from pathlib import Path

from adapters.host.process_metrics import REGISTRY
from adapters.http.metrics import GAUGES
from tests.house.pages import rows, text


def test_every_metric_has_a_row() -> None:
    cells = {row[0].strip("`").removesuffix("_total") for row in rows(text(Path("docs/metrics.md")))}
    measured = {family.name for family in REGISTRY.collect() if family.name.startswith("autolearn_")}
    assert {f"autolearn_{name}" for name in GAUGES} | measured <= cells
