"""`autolearn catalog`: what can be trained, on what, and measured by what."""

from __future__ import annotations

import click

from autolearn.views import Facts, View
from autolearn.views.catalog import catalog_blocks, entry_blocks
from cli.options import as_of, shared
from cli.terminal import Terminal

KINDS = ("models", "datasets", "measures")


@click.command()
@click.argument("kind", required=False, type=click.Choice(KINDS))
@click.argument("name", required=False)
@as_of
@shared
def catalog(terminal: Terminal, kind: str | None, name: str | None, as_of: str | None) -> None:
    """Show the models, data sets and measures on offer.

    A data set that is named is shown with its versions; `penguins@1` names one of them.
    """
    path = [part for part in ("catalog", kind, name) if part]
    body = terminal.client().get(*path, as_of=as_of).body
    csv_rows = None if kind else _flat_entries
    terminal.show(body, View(entry_blocks) if name else View(catalog_blocks, rows=kind or _entries, csv_rows=csv_rows))


def _entries(body: Facts) -> list[Facts]:
    return [{"kind": kind.removesuffix("s")} | it for kind in KINDS for it in body.get(kind, [])]


def _flat_entries(body: Facts) -> list[Facts]:
    """Return the entries without the facts that only one kind or entry has."""
    return [{name: value for name, value in it.items() if not isinstance(value, dict)} for it in _entries(body)]
