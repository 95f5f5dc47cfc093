"""Events <-> stored JSON: facts and metadata in the order of their fields; stream and version are stored beside."""

from __future__ import annotations

import importlib
import json
import pkgutil
from functools import lru_cache
from typing import Final

from pydantic import ValidationError
from pydantic_core import PydanticSerializationError, to_json

import domain
from adapters.wire.upcasters import UPCASTERS, upcast
from domain.errors import AutoLearnError, BadInputError
from domain.events import EVENTS, Event

quoted = lru_cache(maxsize=4096)(to_json)  # a stream's events come close together in a replay
STORED_BESIDE: Final = {"originator_id", "originator_version"}


class UnreadableEventError(AutoLearnError):
    """A stored event that this version cannot read: changed on disk, or written by a newer AutoLearn."""


def register_all_events() -> None:
    """Import every module of the domain, so that every name is known."""
    for module in pkgutil.iter_modules(domain.__path__):
        importlib.import_module(f"domain.{module.name}")


def encode(event: Event) -> bytes:
    r"""Return the bytes to store: the same event always gives the same bytes.

    Raises BadInputError for texts that are not Unicode (lone surrogates, which JSON's `\ud800` smuggles in).
    """
    try:
        return type(event).__pydantic_serializer__.to_json(event, exclude=STORED_BESIDE)
    except PydanticSerializationError as error:
        raise BadInputError(f"{event.NAME} holds a value that cannot be stored: {error}") from error


def decode(stream: str, version: int, name: str, state: bytes) -> Event:
    """Return the event of these stored bytes, older names brought up to date; raises UnreadableEventError."""
    event_class = EVENTS.get(name)
    try:
        if event_class is None:
            event_class, state = _newest(name, state)
        place = b'{"originator_id":%b,"originator_version":%d,' % (quoted(stream), version)
        decoded: Event = event_class.__pydantic_validator__.validate_json(place + state[1:])
    except (ValidationError, ValueError, TypeError) as error:
        sentence = f"Event {version} of {stream!r} ({name}) cannot be read: {error}"
        raise UnreadableEventError(sentence, stream=stream, version=version, name=name) from error
    return decoded


def _newest(name: str, state: bytes) -> tuple[type[Event], bytes]:
    if name not in UPCASTERS:
        raise ValueError(f"there is no event of the name {name!r}; a newer AutoLearn may have written it")
    newest, facts = upcast(name, json.loads(state))
    return EVENTS[newest], json.dumps(facts).encode()


register_all_events()
