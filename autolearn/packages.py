"""Packages that a method needs and that a client can do without: they are loaded where they are needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from autolearn.errors import MissingPackageError


def need_package(name: str, what: str) -> Any:
    """Return a package that `what` needs; raises MissingPackageError."""
    package = find_package(name)
    if package is None:
        root = name.partition(".")[0]
        raise MissingPackageError(f"{what} needs {root}: `python -m pip install {root}` installs it.")
    return package


def find_package(name: str) -> Any:
    """Return a package, None where it is not installed."""
    try:
        return import_module(name)
    except ImportError:
        return None
