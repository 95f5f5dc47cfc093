"""A file that the user asked for by name: written whole or not at all, and never over another without `--force`.

The name `-` is standard output.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from cli.umask import give_users_mode

STDOUT = Path("-")

force_option = click.option("--force", is_flag=True, help="Overwrite the file if there is one.")


@contextmanager
def new_file(file: Path, *, force: bool) -> Iterator[Path]:
    """Yield the path of a draft, which becomes the file at the end; raises click.UsageError."""
    folder = Path(tempfile.gettempdir()) if file == STDOUT else file.parent
    if not os.access(folder, os.W_OK) or not folder.is_dir():
        raise click.UsageError(f"{folder} is not a folder that you may write to.")
    if file != STDOUT and not force and os.path.lexists(file):
        raise click.UsageError(f"{file} exists already: name another file, or overwrite it with --force.")
    descriptor, name = tempfile.mkstemp(prefix=f".{file.name}.", suffix=".new", dir=folder)
    os.close(descriptor)
    draft = Path(name)
    try:
        yield draft
        if file == STDOUT:
            with draft.open("rb") as content:
                shutil.copyfileobj(content, sys.stdout.buffer)
            sys.stdout.buffer.flush()
        else:
            give_users_mode(draft)
            draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
