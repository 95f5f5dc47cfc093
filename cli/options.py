"""The options that every command has (`-o`, `--json`, `--url`), those that several share, and values of options."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import click

from autolearn.locations import DEFAULT_PORT, DEFAULT_URL
from autolearn.setting_values import parse_value

Command = Callable[..., Any]

FORMATS = ("table", "json", "jsonl", "csv")


def check_finite(_: click.Context, __: click.Parameter, number: float | None) -> float | None:
    """Return the value of an option; refuses `nan` and infinite numbers."""
    if number is not None and not math.isfinite(number):
        raise click.BadParameter(f"{number} is not allowed: a finite number.")
    return number


FORMAT = click.option("-o", "--output", "form", type=click.Choice(FORMATS), help="Format of the result.")
JSON = click.option("--json", "as_json", is_flag=True, help="Same as -o json.")
URL = click.option("--url", help=f"The backend.  [default: AUTOLEARN_URL or {DEFAULT_URL}]")

as_of = click.option("--as-of", metavar="T", help="What was true then: a time with zone, `2h ago`, or `@position`.")
no_wait = click.option("--no-wait", is_flag=True, help="Answer at once (`Prefer: respond-async`); the task goes on.")
reason = click.option("--reason", required=True, help="Why; it is kept with the event.")
limit = click.option("--limit", type=click.IntRange(1, 1000), help="At most so many rows, up to 1,000.  [default: 100]")
cursor = click.option("--cursor", help="Continue after an earlier page, which printed this.")
port_option = click.option(
    "--port", type=click.IntRange(0, 65535), default=DEFAULT_PORT, show_default=True, help="0: any free one."
)


LEARNING = (
    click.option("--target", metavar="COLUMN", help="Predict this column.  [default: the data set's own target]"),
    click.option("--only", metavar="A,B", multiple=True, help="Learn from these columns alone; again for more."),
    click.option("--drop", metavar="A,B", multiple=True, help="Leave these columns out; again for more."),
    click.option(
        "--seed", type=click.IntRange(0, 2**32 - 1), help="Of split and model.  [default: by the data set's version]"
    ),
    click.option(
        "--split", metavar="HOW", help="random, group:COLUMN, time:COLUMN or dataset:NAME.  [default: random]"
    ),
    click.option("--test-size", type=float, callback=check_finite, help="The held-out part.  [default: 0.25]"),
    click.option(
        "--memory", type=int, metavar="BYTES", help="What its tasks may use.  [default: AUTOLEARN_TASK_MEMORY]"
    ),
)


def learning_options(command: Command) -> Command:
    """Give a command the options that say which rows and columns are learned from."""
    for option in reversed(LEARNING):
        command = option(command)
    return command


def learning_of(options: dict[str, Any]) -> dict[str, Any]:
    """Return the values of these options."""
    names = {name: parse_names(options[name]) for name in ("only", "drop")}
    return {name: options[name] for name in ("target", "seed", "split", "test_size", "memory")} | names


def shared_before_command(group: Command) -> Command:
    """Let the group itself take the shared options too: `autolearn --json history`."""

    @wraps(group)
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


def parse_settings(pairs: Iterable[str]) -> dict[str, Any]:
    """Return the settings of `-p KEY=VALUE`; refuses a pair without `=`, a key twice, and what JSON cannot carry."""
    return {key: value for key, (_, value) in _parse_pairs(pairs).items()}


def parse_space(pairs: Iterable[str]) -> dict[str, Any]:
    """Return what `-p KEY=VALUES` says of each setting: a list that is JSON, else the text, which the backend reads."""
    return {key: value if isinstance(value, list) else text for key, (text, value) in _parse_pairs(pairs).items()}


def _parse_pairs(pairs: Iterable[str]) -> dict[str, tuple[str, Any]]:
    """Return the text and the value of each key."""
    found: dict[str, tuple[str, Any]] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        key = key.strip()
        if not equals or not key:
            raise click.UsageError(f"-p {pair!r}: a setting looks like KEY=VALUE, for example -p C=0.5.")
        if key in found:
            raise click.UsageError(f"-p {key} is given twice.")
        value = parse_value(text)
        found[key] = text, value
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, float) and not math.isfinite(part):  # 1e400 is read as infinite
                raise click.UsageError(f"{key} = {part} is not allowed: a finite number.")
    return found


def parse_names(given: Iterable[str]) -> list[str]:
    """Return the column names of `A,B`; a name that has a comma itself stands in double quotes, as in CSV."""
    import csv  # noqa: PLC0415 - not for --help

    rows = list(csv.reader(given, skipinitialspace=True))  # that of an empty text is empty
    names = [name for row in rows for name in row]
    if not all(rows) or not all(names):
        raise click.UsageError(f"{', '.join(given)!r}: column names look like A,B.")
    return names


def number_or_text(_: click.Context, __: click.Parameter, text: str | None) -> Any:
    """Return a number where the text is one; the backend says what else is allowed."""
    value = None if text is None else parse_value(text)
    return text if isinstance(value, float) and not math.isfinite(value) else value  # JSON has no infinite numbers
