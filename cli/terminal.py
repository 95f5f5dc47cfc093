"""What every command gets: where its result and its messages go, and which backend it calls."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from autolearn.printable import as_json, may_colour, visible
from autolearn.text_table import Style, text_style
from autolearn.views import View
from cli.output import render

if TYPE_CHECKING:
    from autolearn.client import BackendClient
    from cli.spinner import Spinner

ALL_FACTS = View()


@dataclass(frozen=True, slots=True)
class Terminal:
    """Results go to stdout in one format (`form`), everything else to stderr."""

    form: str = "table"
    url: str | None = None

    @property
    def is_for_people(self) -> bool:
        return self.form == "table"

    def client(self) -> BackendClient:
        from autolearn.client import make_client  # noqa: PLC0415 - loads cryptography and http.client

        told: list[str] = []

        def tell_once(how_old: str) -> None:
            if not told:  # a command that asks again and again says it once
                told.append(how_old)
                self.say(f"Note: {how_old}.")

        return make_client(self.url, tell=tell_once)

    def show(self, body: dict[str, Any], view: View = ALL_FACTS) -> None:
        note = None
        if isinstance(body.get("note"), str) and (self.is_for_people or (self.form != "json" and view.rows)):
            body, note = {name: value for name, value in body.items() if name != "note"}, body["note"]
        text, left_out = render(body, self.form, view, stdout_style() if self.is_for_people else Style())
        if text:
            click.echo(text)
        elif self.is_for_people:
            self.say("Nothing to show.")
        if left_out:
            self.say(f"Not shown for lack of room: {', '.join(left_out)} (`-o json` shows all).")
        if note:
            self.say(f"Note: {note}")

    def show_page(self, body: dict[str, Any], view: View) -> None:
        self.show(body, view)
        if self.form != "json" and body.get("next"):
            self.say(f"More: the same command with --cursor {body['next']}")

    def show_line(self, row: dict[str, Any], text: str) -> None:
        """Print one row of an endless result: JSON in every format but table."""
        click.echo(text if self.is_for_people else as_json(row))

    def say(self, sentence: str) -> None:
        click.echo(visible(sentence), err=True)

    def working(self, activity: str) -> AbstractContextManager[Spinner | None]:
        """Show, on a terminal, that something takes its time."""
        if not sys.stderr.isatty():
            return nullcontext()
        from cli.spinner import Spinner  # noqa: PLC0415 - only on a terminal

        return Spinner(activity)


def stdout_style() -> Style:
    """Return how to draw: colours only on a terminal without NO_COLOR."""
    return Style(text_style().width, may_colour(sys.stdout))
