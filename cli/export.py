"""`autolearn export`: the fitted model as a file."""

from __future__ import annotations

from pathlib import Path

import click

from autolearn.model_files import check_model_name, download_model
from cli.new_file import STDOUT, force_option, new_file
from cli.options import as_of, shared
from cli.terminal import Terminal


@click.command()
@click.argument("experiment")
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
@force_option
@as_of
@shared
def export(terminal: Terminal, experiment: str, file: Path, *, force: bool, as_of: str | None) -> None:
    """Write the fitted model of EXPERIMENT to FILE (`-`: standard output), a skops file; its SHA-256 is checked.

    A FILE named .onnx becomes ONNX, where the model has that form; it is compared with the model on the held-out rows
    before it is given out. docs/export.md says how both are used.
    """
    check_model_name(file)
    with new_file(file, force=force) as draft:
        facts, _ = download_model(terminal.client(), experiment, file, draft, as_of)
    if file != STDOUT:
        written = {"experiment": facts.pop("experiment"), "file": str(file)}
        terminal.show(written | facts)
