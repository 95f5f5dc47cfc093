"""`autolearn report`: an evaluation's report as tables, as charts on a terminal, or as a page with plots."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from autolearn.views import View
from autolearn.views.report import report_blocks
from cli.new_file import force_option, new_file
from cli.options import as_of, shared
from cli.terminal import Terminal, stdout_style


@click.command()
@click.argument("experiment")
@click.option("--evaluation", metavar="ID", help="The report of this evaluation.  [default: the newest]")
@click.option(
    "--html", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Write a page with plots to FILE."
)
@force_option
@as_of
@shared
def report(
    terminal: Terminal, experiment: str, *, evaluation: str | None, html: Path | None, force: bool, as_of: str | None
) -> None:
    """Show how a model of EXPERIMENT did: per class, which rows went wrong, curves, slices, importance.

    JSON has every key (docs/report.md). `evaluate --by COLUMN --importance` adds slices and the importance of columns.
    """
    client = terminal.client()
    body = client.get("experiments", experiment, "report", evaluation=evaluation, as_of=as_of).body
    if html is not None:
        from cli.report_page import make_page  # noqa: PLC0415 - only where it is asked for

        with new_file(html, force=force) as draft:
            size = draft.write_bytes(make_page(body).encode())
        terminal.show({key: body.get(key) for key in ("experiment", "evaluation")} | {"file": str(html), "bytes": size})
        return
    terminal.show(body, View(report_blocks))
    if terminal.is_for_people and sys.stdout.isatty():
        from cli.report_charts import draw_charts  # noqa: PLC0415 - plotext is for terminals alone

        for chart in draw_charts(body, stdout_style()):
            click.echo(f"\n{chart}")
