"""Answers that are files: written to a folder of their own, which goes when the browser has them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from starlette.background import BackgroundTask
from starlette.responses import FileResponse


def answer_by_file(name: str, write: Callable[[Path], object]) -> FileResponse:
    """Let `write` make the file, and send it to be kept under this name."""
    folder = Path(tempfile.mkdtemp(prefix="autolearn-console-"))
    try:
        write(folder / "file")
    except BaseException:
        shutil.rmtree(folder)
        raise
    gone = BackgroundTask(shutil.rmtree, folder)
    return FileResponse(folder / "file", media_type="application/octet-stream", filename=name, background=gone)
