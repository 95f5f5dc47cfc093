"""Names that anybody may have given: markup, control characters, right-to-left marks, thousands of characters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from tests.console.conftest import Console, Visit, console_for
from tests.end_to_end.place import Place

MARKUP = "<img src=x onerror=window.hacked=1><script>window.hacked=1</script>\"'`{{7*7}}"
COLUMNS = [MARKUP, "\u202eright to left\u202c", "w" * 190]
CLASSES = ["<script>window.hacked=1</script>", "\u202eyes \x1b[31m\x07", "n" * 95]
PATHS = [
    "/",
    "/datasets",
    "/datasets/hostile",
    "/train?dataset=hostile&model=decision-tree",
    "/session",
    "/history",
    "/compare?tick=EXPERIMENT",
    "/experiments/EXPERIMENT",
    "/predictions?experiment=EXPERIMENT",
    "/timeline/experiment:EXPERIMENT?view=full",
    "/log",
]
PHONE = {"width": 360, "height": 740}


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A backend with a data set, remarks and reasons that are hostile."""
    place = Place(tmp_path_factory.mktemp("hostile") / "data")
    table = tmp_path_factory.mktemp("table") / "hostile.parquet"
    write_table(table)
    try:
        shell = place.start()
        shell("dataset", "add", str(table), "--name", "hostile", "--target", "target")
        shell("train", "hostile", "decision-tree", "--evaluate", "--commit", "--message", MARKUP)
        name = shell("history").json["experiments"][0]["experiment"]
        shell("evaluate", name, "--importance", "--by", COLUMNS[0])
        shell("annotate", name, MARKUP, "--reason", COLUMNS[1])
        shell("train", "hostile", "decision-tree")
        with console_for(place, shell) as running:
            yield running
    finally:
        place.stop()


def write_table(path: Path) -> None:
    rows = {name: [(number * (at + 3)) % 7 for number in range(60)] for at, name in enumerate(COLUMNS)}
    classes = [CLASSES[number % len(CLASSES)] for number in range(60)]
    pd.DataFrame({**rows, "target": classes}).to_parquet(path)


@pytest.mark.parametrize("path", PATHS)
def test_hostile_names_run_nothing_and_fit_a_phone(visit: Visit, console: Console, path: str) -> None:
    name = console.shell("history").json["experiments"][0]["experiment"]
    page = visit(path.replace("EXPERIMENT", name), viewport=PHONE)
    assert page.evaluate("window.hacked") is None
    assert page.evaluate("document.querySelectorAll('main script, main img').length") == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert not set("\x1b\x07\u202e") & set(page.content())
