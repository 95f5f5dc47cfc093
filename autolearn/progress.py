"""How far something is, as a bar: by tqdm where it is installed and someone looks, else nothing."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from autolearn.packages import find_package
from autolearn.printable import visible

SILENT_SECONDS = 0.5  # a shorter wait shows nothing
PARTS = 100
FORM = "{desc} |{bar}| {elapsed}"

Tell = Callable[[str, float | None], None]
"""Gets what is being done, and how much of it (0..1) is done, if that is known."""


@contextmanager
def progress_bar(activity: str, *, wanted: bool) -> Iterator[Tell]:
    """Show a bar while the context is open; yields the function that moves it."""
    bar = _bar(activity) if wanted else None
    if bar is None:
        yield lambda _, __: None
        return

    def tell(activity: str, fraction: float | None) -> None:
        bar.set_description_str(visible(activity), refresh=False)
        bar.update(max(0, int((fraction or 0.0) * PARTS) - bar.n))
        bar.refresh()

    with bar:
        yield tell


def _bar(activity: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a notebook without widgets: it gets a bar of text
        tqdm = find_package("tqdm.auto")
        if tqdm is None:
            return None
        return tqdm.tqdm(
            total=PARTS, desc=visible(activity), delay=SILENT_SECONDS, bar_format=FORM, leave=False, disable=None
        )
