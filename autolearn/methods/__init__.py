"""What the methods of a backend stand on: its client, questions as of a moment, and names given as objects."""

from __future__ import annotations

from typing import Any

from autolearn.answers import Response
from autolearn.client import BackendClient
from autolearn.errors import InvalidInputError
from autolearn.moments import Moment, as_of_text
from autolearn.results import Result

Named = str | Result
"""The id of a thing, or an answer that has it."""


class Methods:
    """A part of the methods of a backend."""

    client: BackendClient

    def __init__(self, client: BackendClient) -> None:
        self.client = client

    def _ask(self, *path: str, as_of: Moment | None = None, **query: Any) -> Response:
        return self.client.get(*path, as_of=as_of_text(as_of), **query)


def id_in(thing: Named, key: str = "experiment") -> str:
    """Return a text as it is, and of an answer what it has under `key`; raises InvalidInputError."""
    found = thing.facts.get(key) if isinstance(thing, Result) else thing
    if not isinstance(found, str):
        raise InvalidInputError(f"{thing!r} names no {key}: give its id, or an answer that has one.")
    return found


def dataset_in(thing: Named) -> str:
    """Return the name of a data set; of an answer with its version: `penguins@2`."""
    name = id_in(thing, "name")
    version = thing.facts.get("version") if isinstance(thing, Result) else None
    return f"{name}@{version}" if version else name
