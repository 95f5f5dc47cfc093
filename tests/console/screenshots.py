"""`make screenshots`: the pages that README and docs show, made from a small life of models on real data."""

from __future__ import annotations

import hashlib
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, ViewportSize, sync_playwright

import console as console_package
from tests.console.browsers import CHROMIUM_ARGUMENTS, find_chromium
from tests.console.conftest import Console, console_for
from tests.end_to_end.place import Place, Shell

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "screenshots"
MADE_FROM = FOLDER / "made-from.txt"
SIZE = ViewportSize(width=1200, height=760)
PENGUINS = ROOT / "examples" / "penguins.csv"


def drawn_from() -> str:
    """Return the SHA-256 of all that pages are drawn from: templates, stylesheet, scripts."""
    package = Path(console_package.__file__).parent
    files = sorted(path for folder in ("templates", "static") for path in (package / folder).iterdir())
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def live(shell: Shell) -> str:
    """Do what an analyst does in an hour; return the experiment to show."""
    shell("dataset", "add", str(PENGUINS), "--name", "penguins", "--target", "species")
    for model, *settings in (("decision-tree", "-p", "max_depth=3"), ("random-forest",), ("svm", "-p", "C=2")):
        shell("train", "penguins", model, *settings, "--evaluate")
    shell("commit", "--message", "three models on the penguins")
    for depth in (2, 4, 8):
        shell("train", "wine", "decision-tree", "-p", f"max_depth={depth}", "--evaluate")
    shell("commit", "--message", "how deep a tree for the wines")
    shell("train", "penguins", "gradient-boosting", "--evaluate")
    return str(shell("history", "--model", "random-forest").json["experiments"][0]["experiment"])


def take(page: Page, console: Console, experiment: str) -> None:
    page.goto(f"{console.base}/?secret={console.server.secret}")
    shots = {
        "history": "/history?sort=-accuracy&x=accuracy&y=f1:macro",
        "experiment": f"/experiments/{experiment}",
        "dataset": "/datasets/penguins",
        "time-machine": "/time-machine?as_of=@60",
    }
    for name, path in shots.items():
        page.goto(f"{console.base}{path}")
        page.screenshot(path=FOLDER / f"{name}.png")


def main() -> int:
    """Make all of them anew, and note what they were made from."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        place = Place(Path(folder) / "data")
        try:
            shell = place.start()
            experiment = live(shell)
            with console_for(place, shell) as console:
                browser = playwright.chromium.launch(executable_path=find_chromium(), args=CHROMIUM_ARGUMENTS)
                take(browser.new_page(viewport=SIZE), console, experiment)
                browser.close()
        finally:
            place.stop()
    MADE_FROM.write_text(f"{drawn_from()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
