"""Packages that a method needs and that a client can do without: they are loaded where they are needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from autolearn.errors import MissingPackageError


def need_pandas() -> Any:
    """Return pandas; raises MissingPackageError."""
    return _need("pandas", "a frame")


def find_package(name: str) -> Any:
    """Return a package, None where it is not installed."""
    try:
        return import_module(name)
    except ImportError:
        return None


def _need(name: str, what: str) -> Any:
    package = find_package(name)
    if package is None:
        raise MissingPackageError(f"{what.capitalize()} needs {name}: `python -m pip install {name}` installs it.")
    return package
