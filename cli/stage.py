"""The stage of the demo: real commands, each shown before its real output, and what later ones need of earlier ones."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from dataclasses import dataclass, field
from typing import Any

import click

from adapters.host.printable import visible
from adapters.host.processes import child_environment, python_command
from autolearn.errors import ClientError
from cli.terminal import style


@dataclass
class Stage:
    """A backend's URL, the credentials' file and the data directory, for every command."""

    url: str
    credentials: str
    data: str
    _known: dict[str, Any] = field(default_factory=dict)

    def chapter(self, title: str, sentence: str) -> None:
        """Begin the next part."""
        click.echo()
        click.echo(style().painted("1", f"== {title} ".ljust(72, "=")))
        self.tell(sentence)

    def tell(self, sentence: str) -> None:
        """Say what comes."""
        click.echo(f"\n{sentence}")

    def show(self, *arguments: str, exits: int = 0) -> None:
        """Run a command before the audience; another exit code than `exits` ends the demo."""
        self._announce(arguments)
        self._check(arguments, self._run(arguments, capture=False), exits)

    def show_object(self, *arguments: str) -> Any:
        """Run a command in a JSON mode before the audience, and return its object."""
        self._announce(arguments)
        done = self._run(arguments, capture=True)
        click.echo(done.stdout.decode(errors="replace"), nl=False)
        self._check(arguments, done, 0)
        return json.loads(done.stdout)

    def ask(self, *arguments: str) -> Any:
        """Run a query behind the scenes and return its object."""
        done = self._run((*arguments, "--json"), capture=True)
        self._check(arguments, done, 0)
        return json.loads(done.stdout)

    def remember(self, name: str, value: Any) -> None:
        """Keep something for a later act."""
        self._known[name] = value

    def known(self, name: str) -> Any:
        """Return what was kept."""
        return self._known[name]

    def _run(self, arguments: tuple[str, ...], *, capture: bool) -> subprocess.CompletedProcess[bytes]:
        own = {"AUTOLEARN_URL": self.url, "AUTOLEARN_CREDENTIALS": self.credentials, "AUTOLEARN_DATA": self.data}
        return subprocess.run(  # noqa: S603 - this very program
            python_command("cli.main", *arguments),
            env=child_environment(os.environ | own),
            stdout=subprocess.PIPE if capture else None,
            check=False,
        )

    @staticmethod
    def _announce(arguments: tuple[str, ...]) -> None:
        click.echo(style().painted("36", f"$ autolearn {visible(shlex.join(arguments))}"))

    @staticmethod
    def _check(arguments: tuple[str, ...], done: subprocess.CompletedProcess[bytes], exits: int) -> None:
        if done.returncode != exits:
            told = f"`autolearn {shlex.join(arguments)}` ended with exit code {done.returncode} instead of {exits}."
            raise ClientError(f"The demo stops: {told}")
