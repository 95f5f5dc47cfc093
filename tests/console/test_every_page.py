"""What holds on every page: no barrier that axe-core finds, room on a phone, no foreign request."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest

import console as console_package
from tests.console.conftest import Console, Visit, axe_violations
from tests.console.screenshots import MADE_FROM, drawn_from

PATHS = [
    "/",
    "/datasets",
    "/datasets/digits",
    "/train?dataset=iris&model=svm",
    "/searches",
    "/searches/SEARCH",
    "/session",
    "/history",
    "/history?where=precision+%3E%3E+1&as_of=@50",
    "/history?x=accuracy&y=f1:macro",
    "/compare",
    "/compare?tick=EXPERIMENT&tick=OTHER&baseline=EXPERIMENT&show=all",
    "/timeline/session:local:1?view=full",
    "/log",
    "/time-machine?as_of=@49",
    "/health",
    "/experiments/EXPERIMENT",
    "/predictions",
    "/predictions?experiment=EXPERIMENT",
    "/nowhere",
]
PHONE = {"width": 360, "height": 740}
STATIC = Path(console_package.__file__).parent / "static"
LARGEST = 60 * 1024  # bytes of all scripts and styles, compressed


@pytest.fixture(scope="module")
def names(console: Console) -> dict[str, str]:
    """What stands in paths for two committed experiments and a search."""
    experiments = [it["experiment"] for it in console.shell("history").json["experiments"]]
    search = console.shell("search", "wine", "decision-tree", "-p", "max_depth=1,2", "--cv", "2").json["search"]
    return {"EXPERIMENT": experiments[0], "OTHER": experiments[1], "SEARCH": search}


@pytest.fixture(params=PATHS)
def path(request: pytest.FixtureRequest, names: dict[str, str]) -> str:
    path = str(request.param)
    for word, name in names.items():
        path = path.replace(word, name)
    return path


def test_axe_finds_nothing(visit: Visit, path: str) -> None:
    assert axe_violations(visit(path)) == []


def test_axe_finds_no_weak_contrast_in_the_dark(visit: Visit, path: str) -> None:
    """Nothing else depends on the colours."""
    assert axe_violations(visit(path, color_scheme="dark"), "color-contrast") == []


def test_a_phone_needs_no_scrolling_sideways(visit: Visit, path: str) -> None:
    page = visit(path, viewport=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_page_asks_nobody_else(visit: Visit, path: str) -> None:
    page, asked = visit("/"), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path)
    assert asked
    assert all(url.startswith(page.url.split("/", 3)[0] + "//127.0.0.1:") for url in asked)


def test_scripts_and_styles_are_small() -> None:
    sent = [path for path in STATIC.iterdir() if path.suffix in {".js", ".css"}]
    assert sum(len(gzip.compress(path.read_bytes())) for path in sent) <= LARGEST


def test_foreign_files_are_those_of_their_packages() -> None:
    """`make assets` fetches them anew."""
    for line in (STATIC / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split()
        assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == digest


def test_screenshots_are_of_these_templates() -> None:
    """`make screenshots` makes them anew."""
    assert MADE_FROM.read_text().strip() == drawn_from()
