"""What verify, replay and rebuild do, on stores that they only read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domain.errors import AutoLearnError, BadInputError, ConflictError, NotAbleError, NotReachedError
from projections.as_of import parse_as_of
from projections.fold import VERSIONS, Poisoned
from projections.rebuild import check_known, rebuild
from projections.replay import replay
from projections.verification.verify import verify, verify_read_models
from server.compose import fresh_documents, open_stores
from server.inspection.read_model_process import READ_MODELS, ReadModelProcess
from server.settings import Settings, read_settings

if TYPE_CHECKING:
    from server.compose.stores import Stores

Step = dict[str, Any]
HASH_BYTES = 32
CATCH_UP_SECONDS = 60.0
OWN_FILES = ("events.db", "communications.db", "format.json")


def inspect(settings: Settings, kind: str, arguments: dict[str, Any]) -> Iterator[Step]:
    """Yield `{"progress", "what"}` and, last, `{"result"}`; raises domain.errors."""
    if not settings.data.is_dir():
        raise BadInputError(f"There is no data directory at {settings.data}.")
    with ExitStack() as opened:
        try:
            stores = open_stores(settings, "inspection", opened, read_only=True)
        except (NotAbleError, ConflictError) as unreadable:
            if kind != "verify":
                raise
            yield {"result": nothing_readable(unreadable)}
            return
        try:
            yield from as_steps(INSPECTIONS[kind](settings, stores, arguments, opened))
        except Poisoned as poison:
            sentence = f"Position {poison.position} cannot be read: {poison.sentence}"
            raise NotAbleError(sentence, position=poison.position) from poison


def nothing_readable(error: AutoLearnError) -> Step:
    """Return the answer of a verification whose stores cannot even be opened."""
    faults = [{"position": None, "what": error.sentence}]
    return {"ok": False, "position": 0, "head": bytes(HASH_BYTES).hex(), "faults": faults, "unanswered": []}


def inspect_offline(kind: str, data: str, arguments: dict[str, Any]) -> Iterator[Step]:
    """Inspect a data directory from this process, with or without a backend on it; steps as `inspect` yields them."""
    settings = read_settings(data=Path(data))
    if settings.mode == "embedded" and not any((settings.data / name).exists() for name in OWN_FILES):
        raise BadInputError(
            f"{settings.data} is not a data directory of AutoLearn: it has no {', no '.join(OWN_FILES)}."
        )
    return inspect(settings, kind, arguments)


def _verify(settings: Settings, stores: Stores, arguments: dict[str, Any], opened: ExitStack) -> Iterator[Step]:
    process = ReadModelProcess(settings, is_offline=stores.offline)
    opened.callback(process.end)
    return verify(
        stores,
        anchor=_anchor(arguments.get("anchor")),
        audit_anchor=_anchor(arguments.get("audit_anchor")),
        until=_anchor(arguments.get("until"), smallest=0),
        in_flight=frozenset(arguments.get("in_flight") or ()),
        against_topics=arguments.get("against") == "kafka",
        read_models=process.begin,
    )


def _verify_read_models(_: Settings, stores: Stores, arguments: dict[str, Any], __: ExitStack) -> Iterator[Step]:
    return verify_read_models(stores, arguments["position"])


def _replay(_: Settings, stores: Stores, arguments: dict[str, Any], __: ExitStack) -> Iterator[Step]:
    as_of = arguments.get("as_of")
    position = stores.feed.end()[0] if as_of is None else parse_as_of(as_of, stores.feed, datetime.now(UTC)).position
    if not stores.documents.wait(position, CATCH_UP_SECONDS):
        reached = stores.documents.position()
        raise NotReachedError(f"The read models are at {reached}, not yet at {position}.", reached=reached)
    return replay(stores, position, arguments.get("stream"))


def _rebuild(settings: Settings, stores: Stores, arguments: dict[str, Any], __: ExitStack) -> Iterator[Step]:
    projection = arguments.get("projection")
    check_known(projection)
    until = stores.feed.end()[0]
    with fresh_documents(settings, projection) as (file, fresh):
        yield from rebuild(stores.feed, fresh, until)
        yield {"position": fresh.position(), "rebuilt": [projection] if projection else [*VERSIONS], "file": file}


INSPECTIONS = {"verify": _verify, READ_MODELS: _verify_read_models, "replay": _replay, "rebuild": _rebuild}


def as_steps(found: Iterator[Step]) -> Iterator[Step]:
    """Turn `{step, position, of}` into fractions; what has no `step` is the result."""
    for step in found:
        if "step" not in step:
            yield {"result": step}
        else:
            of = step.get("of") or 0
            yield {"progress": step["position"] / of if of else 0.0, "what": step["step"]}


def _anchor(given: str | None, smallest: int = 1) -> tuple[int, bytes] | None:
    if given is None:
        return None
    position, _, head = given.partition(":")
    try:
        anchor = int(position), bytes.fromhex(head)
    except ValueError:
        anchor = -1, b""
    if anchor[0] < smallest or len(anchor[1]) != HASH_BYTES:
        raise BadInputError(f"{given!r} is not an anchor: it looks like POSITION:HASH, with 64 digits 0-9a-f.")
    return anchor
