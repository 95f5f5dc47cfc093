"""What every command shares: where its result goes, where it talks, and which backend it calls."""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from adapters.host.printable import may_colour, visible
from cli.cells import as_json
from cli.output import View, rendered
from cli.table import Style

if TYPE_CHECKING:
    from autolearn.client import Client
    from cli.spinner import Spinner

PLAIN = View()


@dataclass(frozen=True, slots=True)
class Terminal:
    """The user's side: results on stdout in one format, everything else on stderr."""

    form: str = "table"
    url: str | None = None

    @property
    def is_for_people(self) -> bool:
        """Whether the result is a table."""
        return self.form == "table"

    def client(self) -> Client:
        """Return the Remote Proxy of the backend."""
        from autolearn.client import connect  # noqa: PLC0415 - loads cryptography and http.client

        return connect(self.url)

    def show(self, body: dict[str, Any], view: View = PLAIN) -> None:
        """Print a result."""
        text, left_out = rendered(body, self.form, view, style() if self.is_for_people else Style())
        if text:
            click.echo(text)
        elif self.is_for_people:
            self.say("Nothing to show.")
        if left_out:
            self.say(f"Not shown for lack of room: {', '.join(left_out)} (`-o json` shows all).")

    def point_on(self, body: dict[str, Any]) -> None:
        """Say that a list goes on, where the result does not say so itself."""
        if self.form != "json" and body.get("next"):
            self.say(f"More: the same command with --cursor {body['next']}")

    def show_line(self, row: dict[str, Any], text: str) -> None:
        """Print one row of a result that has no end: JSON in every format but table."""
        click.echo(text if self.is_for_people else as_json(row))

    def say(self, sentence: str) -> None:
        """Talk to the user."""
        click.echo(visible(sentence), err=True)

    def working(self, what: str) -> AbstractContextManager[Spinner | None]:
        """Show, on a terminal, that something takes its time."""
        if not sys.stderr.isatty():
            return nullcontext()
        from cli.spinner import Spinner  # noqa: PLC0415 - only on a terminal

        return Spinner(what)


def style() -> Style:
    """Return how to draw: `COLUMNS`, or the terminal's width, or any; colours only on a terminal without NO_COLOR."""
    import shutil  # noqa: PLC0415 - only for tables

    on_terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size((0, 0)).columns if on_terminal or os.environ.get("COLUMNS") else 0
    return Style(width or None, may_colour(sys.stdout))
