"""`autolearn demo`: the whole life of models on real data, against a backend of its own in a temporary place."""

from __future__ import annotations

import os
import time
from pathlib import Path

import click

from cli.stage import Stage
from domain.errors import NotFoundError

PENGUINS = Path(__file__).parent.parent / "examples" / "penguins.csv"
MODELS = (
    ("decision-tree", "-p", "max_depth=4"),
    ("random-forest", "-p", "n_estimators=50"),
    ("svm", "-p", "C=2"),
    ("naive-bayes",),
)
SEED = ("--seed", "7")


@click.command()
def demo() -> None:
    """Start a backend in a temporary place, and live the whole life of models on real data, narrated."""
    from cli.up import temporary_backend  # noqa: PLC0415 - loads the adapters

    if not PENGUINS.exists():
        raise NotFoundError(f"The demo needs {PENGUINS}, which a checkout of the repository has.")
    begin = time.monotonic()
    click.echo("A backend starts in a temporary place; its first start describes the catalog (some seconds).")
    with temporary_backend() as (url, credentials, data):
        stage = Stage(url, str(credentials), str(data))
        for act in (_catalog, _trainings, _commit, _history, _time, _audit):
            act(stage)
    click.echo(f"\nThat was the whole life in {time.monotonic() - begin:.0f} s. The backend and its data are gone now.")
    click.echo("Yours begins with: autolearn up --detach")


def _catalog(stage: Stage) -> None:
    stage.chapter("1. The catalog", "Which models, data sets and measures are on offer?")
    stage.show("catalog")
    stage.tell("A data set of our own: 344 penguins, numbers and categories mixed, some values missing.")
    add = ("--name", "penguins", "--target", "species", "--licence", "CC0-1.0", "--source", "palmerpenguins")
    stage.show("dataset", "add", os.path.relpath(PENGUINS), *add)


def _trainings(stage: Stage) -> None:
    stage.chapter("2. Train and evaluate", "The first training opens a session: uncommitted work that only you see.")
    stage.show("train", "penguins", "logistic-regression", "-p", "C=0.5", *SEED)
    stage.show("evaluate", "-m", "precision", "-m", "recall", "-m", "confusion-matrix")
    stage.tell("The other four models, each trained and evaluated in one go.")
    for model in MODELS:
        stage.show("train", "penguins", *model, *SEED, "--evaluate")
    stage.tell("Bad input changes nothing, and is told what would be right. (Exit code 5: not found.)")
    stage.show("train", "pinguins", "svm", exits=5)
    stage.tell("Exit code 2: a wrong value.")
    stage.show("train", "penguins", "svm", "-p", "kernel=cubic", exits=2)


def _commit(stage: Stage) -> None:
    stage.chapter("3. Session and commit", "A commit makes all of it history at once, and hands out a receipt.")
    stage.show("session")
    stage.remember("before", stage.ask("session")["position"])
    receipt = stage.show_object("commit", "--message", "Five models on penguins", "--json")
    stage.remember("after", receipt["position"])
    stage.remember("receipt", f"{receipt['position']}:{receipt['head']}")
    stage.remember("audit", receipt["audit"])


def _history(stage: Stage) -> None:
    stage.chapter("4. Ask what happened", "Filters know columns, measures and settings.")
    stage.show("history")
    stage.show("history", "--where", "precision > 0.5 and (C in (0.5, 2) or max_depth <= 4)", "--sort", "-precision")
    first, second = (it["experiment"] for it in stage.ask("history", "--sort", "-precision")["experiments"][:2])
    stage.tell("The best two side by side; what differs comes first. A unique beginning of an id is enough.")
    stage.show("compare", first[:6], second[:6])
    stage.tell("Every training can be repeated from its record.")
    stage.show("reproduce", first[:6])


def _time(stage: Stage) -> None:
    before, after = stage.known("before"), stage.known("after")
    stage.chapter("5. Any time", f"What did the history say before the commit (@{before}), and after it (@{after})?")
    stage.show("history", "--as-of", f"@{before}")
    stage.show("history", "--as-of", f"@{after}")


def _audit(stage: Stage) -> None:
    stage.chapter("6. For the sys-admin", "Every call is on record.")
    stage.show("log", "--limit", "6")
    stage.tell("The state before the commit, computed from the log alone, held against the read models.")
    stage.show("replay", "--as-of", f"@{stage.known('before')}")
    stage.tell("A check of everything, against the receipt of the commit: who keeps it can prove that nothing changed.")
    stage.show("verify", "--anchor", stage.known("receipt"), "--audit-anchor", stage.known("audit"))
