"""The options that every command has (`-o`, `--json`, `--url`), and those that several share."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import wraps
from typing import Any

import click


class Finite(click.FloatRange):
    """A number, neither `nan` nor infinite."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Read it; refuses in one sentence what is none."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{number} is not allowed: a finite number.", param, ctx)
        return number


FORMATS = ("table", "json", "jsonl", "csv")

Command = Callable[..., Any]

FORMAT = click.option("-o", "--output", "form", type=click.Choice(FORMATS), help="Format of the result.")
JSON = click.option("--json", "as_json", is_flag=True, help="Same as -o json.")
URL = click.option("--url", help="The backend.  [default: AUTOLEARN_URL or http://127.0.0.1:8420]")

as_of = click.option("--as-of", metavar="T", help="What was true then: a time with zone, `2h ago`, or `@position`.")
no_wait = click.option("--no-wait", is_flag=True, help="Answer at once (`Prefer: respond-async`); the backend goes on.")
reason = click.option("--reason", required=True, help="Why; it is kept with the event.")
limit = click.option("--limit", type=click.IntRange(1, 1000), help="At most so many rows, up to 1,000.  [default: 100]")
cursor = click.option("--cursor", help="Where the page before said that it goes on.")


def placed(command: Command) -> Command:
    """Let the group itself take the shared options too: `autolearn --json history`."""

    @wraps(command)
    def run(form: str | None, url: str | None, *, as_json: bool) -> None:
        click.get_current_context().obj = {"form": "json" if as_json else form, "url": url}

    return FORMAT(JSON(URL(run)))


def shared(command: Command) -> Command:
    """Give a command the shared options; it gets a Terminal as its first argument."""

    @wraps(command)
    def run(*arguments: Any, form: str | None, url: str | None, as_json: bool, **options: Any) -> Any:
        from cli.terminal import Terminal  # noqa: PLC0415 - not for --help

        before = click.get_current_context().find_object(dict) or {}
        chosen = "json" if as_json else form or before.get("form") or "table"
        return command(Terminal(chosen, url or before.get("url")), *arguments, **options)

    return FORMAT(JSON(URL(run)))
