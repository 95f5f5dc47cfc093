"""`autolearn demo`: the whole life of models on real data, against a backend of its own in a temporary place."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from adapters.host.processes import child_environment, python_command
from autolearn.errors import ClientError
from autolearn.printable import visible
from cli.terminal import stdout_style
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
    """Start a backend in a temporary place, and run the whole life of models on real data, narrated."""
    from cli.up import temporary_backend  # noqa: PLC0415 - loads the adapters

    if not PENGUINS.exists():
        raise NotFoundError(f"The demo needs {PENGUINS}, which a checkout of the repository has.")
    start = time.monotonic()
    click.echo("A backend starts in a temporary place; its first start describes the catalog (some seconds).")
    with temporary_backend() as (url, credentials, data):
        shell = DemoShell(url, str(credentials), str(data))
        show_catalog(shell)
        train_and_evaluate(shell)
        before, receipt = commit(shell)
        ask_history(shell)
        ask_any_time(shell, before, receipt["position"])
        audit(shell, before, receipt)
    click.echo(f"\nThat was the whole life in {time.monotonic() - start:.0f} s. The backend and its data are gone now.")
    click.echo("Yours begins with: autolearn up --detach")


@dataclass(frozen=True)
class DemoShell:
    """Runs real commands against one backend, each printed before its real output."""

    url: str
    credentials: str
    data: str

    def chapter(self, title: str, sentence: str) -> None:
        click.echo()
        click.echo(stdout_style().paint("1", f"== {title} ".ljust(72, "=")))
        self.say(sentence)

    def say(self, sentence: str) -> None:
        click.echo(f"\n{sentence}")

    def show(self, *arguments: str, exits: int = 0) -> None:
        """Run a command; another exit code than `exits` ends the demo."""
        self._print(arguments)
        self._run(arguments, exits=exits)

    def show_object(self, *arguments: str) -> Any:
        self._print(arguments)
        output = self._run(arguments, capture=True)
        click.echo(output.decode(errors="replace"), nl=False)
        return json.loads(output)

    def ask(self, *arguments: str) -> Any:
        """Run a query unseen and return its object."""
        return json.loads(self._run((*arguments, "--json"), capture=True))

    def _print(self, arguments: tuple[str, ...]) -> None:
        click.echo(stdout_style().paint("36", f"$ autolearn {visible(shlex.join(arguments))}"))

    def _run(self, arguments: tuple[str, ...], *, capture: bool = False, exits: int = 0) -> bytes:
        own = {"AUTOLEARN_URL": self.url, "AUTOLEARN_CREDENTIALS": self.credentials, "AUTOLEARN_DATA": self.data}
        done = subprocess.run(  # noqa: S603 - this very program
            python_command("cli.main", *arguments),
            env=child_environment(os.environ | own),
            stdout=subprocess.PIPE if capture else None,
            check=False,
        )
        if done.returncode != exits:
            command = f"`autolearn {shlex.join(arguments)}`"
            raise ClientError(f"The demo stops: {command} ended with exit code {done.returncode} instead of {exits}.")
        return done.stdout or b""


def show_catalog(shell: DemoShell) -> None:
    shell.chapter("1. The catalog", "Which models, data sets and measures are on offer?")
    shell.show("catalog")
    shell.say("A data set of our own: 344 penguins, numbers and categories mixed, some values missing.")
    add = ("--name", "penguins", "--target", "species", "--licence", "CC0-1.0", "--source", "palmerpenguins")
    shell.show("dataset", "add", os.path.relpath(PENGUINS), *add)


def train_and_evaluate(shell: DemoShell) -> None:
    shell.chapter("2. Train and evaluate", "The first training opens a session: uncommitted work that only you see.")
    shell.show("train", "penguins", "logistic-regression", "-p", "C=0.5", *SEED)
    shell.show("evaluate", "-m", "precision", "-m", "recall", "-m", "confusion-matrix")
    shell.say("The other four models, each trained and evaluated in one go.")
    for model in MODELS:
        shell.show("train", "penguins", *model, *SEED, "--evaluate")
    shell.say("Bad input changes nothing, and the message says what would be right. (Exit code 5: not found.)")
    shell.show("train", "pinguins", "svm", exits=5)
    shell.say("Exit code 2: a wrong value.")
    shell.show("train", "penguins", "svm", "-p", "kernel=cubic", exits=2)


def commit(shell: DemoShell) -> tuple[int, dict[str, Any]]:
    """Return the position before the commit, and its receipt."""
    shell.chapter("3. Session and commit", "A commit makes all of it history at once, and hands out a receipt.")
    shell.show("session")
    before = shell.ask("session")["position"]
    return before, shell.show_object("commit", "--message", "Five models on penguins", "--json")


def ask_history(shell: DemoShell) -> None:
    shell.chapter("4. Ask what happened", "Filters know columns, measures and settings.")
    shell.show("history")
    shell.show("history", "--where", "precision > 0.5 and (C in (0.5, 2) or max_depth <= 4)", "--sort", "-precision")
    first, second = (it["experiment"] for it in shell.ask("history", "--sort", "-precision")["experiments"][:2])
    shell.say("The best two side by side; what differs comes first. A unique prefix of an id is enough.")
    shell.show("compare", first[:6], second[:6])
    shell.say("Every training can be repeated from its record.")
    shell.show("reproduce", first[:6])


def ask_any_time(shell: DemoShell, before: int, after: int) -> None:
    shell.chapter("5. Any time", f"What did the history say before the commit (@{before}), and after it (@{after})?")
    shell.show("history", "--as-of", f"@{before}")
    shell.show("history", "--as-of", f"@{after}")


def audit(shell: DemoShell, before: int, receipt: dict[str, Any]) -> None:
    shell.chapter("6. For the sys-admin", "Every call is on record.")
    shell.show("log", "--limit", "6")
    shell.say("The state before the commit, computed from the log alone, held against the read models.")
    shell.show("replay", "--as-of", f"@{before}")
    shell.say("A check of everything, against the receipt of the commit: it proves that nothing has changed since.")
    anchor = f"{receipt['position']}:{receipt['head']}"
    shell.show("verify", "--anchor", anchor, "--audit-anchor", receipt["audit"])
