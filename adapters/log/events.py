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
from adapters.log.upcasters import UPCASTERS, upcast
from domain.errors import AutoLearnError, BadInputError
from domain.events import EVENTS, Event

quoted = lru_cache(maxsize=4096)(to_json)  # a stream's events come close together in a replay
STORED_BESIDE: Final = {"originator_id", "originator_version"}


class UnreadableEventError(AutoLearnError):
    """A stored event that this version cannot read: changed on disk, or written by a newer AutoLearn."""


class UnknownNameError(ValueError):
    """There is no event of this name in this version."""


def register_all_events() -> None:
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
    """Return the event of these stored bytes, older names brought up to date.

    Raises UnreadableEventError, whose sentence names what is wrong and quotes nothing: health tells it to anybody.
    """
    event_class = EVENTS.get(name)
    try:
        if event_class is None:
            event_class, state = _newest(name, state)
        place = b'{"originator_id":%b,"originator_version":%d,' % (quoted(stream), version)
        decoded: Event = event_class.__pydantic_validator__.validate_json(place + state[1:])
        if decoded.originator_version != version or decoded.originator_id != stream:
            raise TypeError("the stored facts name another stream or version")  # noqa: TRY301 - one way out
    except (ValueError, TypeError, LookupError) as error:
        sentence = f"Event {version} of {stream!r} ({name}) cannot be read: {_reason(error, event_class)}"
        raise UnreadableEventError(sentence, stream=stream, version=version, name=name) from error
    return decoded


def decode_at(position: int, stream: str, version: int, name: str, state: bytes) -> Event:
    """Return the same event; an error's facts say at which position its commit is."""
    try:
        return decode(stream, version, name, state)
    except UnreadableEventError as error:
        error.facts["position"] = position
        raise


def _newest(name: str, state: bytes) -> tuple[type[Event], bytes]:
    if name not in UPCASTERS:
        raise UnknownNameError(f"there is no event of the name {name!r}; a newer AutoLearn may have written it")
    newest, facts = upcast(name, json.loads(state))
    return EVENTS[newest], json.dumps(facts).encode()


def _reason(error: Exception, event_class: type[Event] | None) -> str:
    """Say which field is wrong and how; names that come from the stored bytes are content, too."""
    if isinstance(error, UnknownNameError):
        return str(error)
    if not isinstance(error, ValidationError):
        return type(error).__name__
    known = {} if event_class is None else event_class.model_fields
    wrong = error.errors(include_url=False, include_context=False, include_input=False)
    fields = [str(one["loc"][0]) if one["loc"] and one["loc"][0] in known else "its facts" for one in wrong]
    return ", ".join(f"{field} ({one['type']})" for field, one in zip(fields, wrong, strict=True))


register_all_events()
