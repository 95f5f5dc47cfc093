"""What a client believes: an answer with the seal of its call; without one, only that a call was not accepted."""

from __future__ import annotations

import re
from http.client import HTTPResponse
from urllib.parse import urlsplit

from adapters.security.answer_facts import SEAL, SEALED_ALONE, AnswerFacts, is_sealed
from adapters.security.calls import RAW, OutgoingCall
from adapters.security.sealing import SEALED
from cli.exit_codes import FIRST_SERVER_FAULT
from domain.errors import NotAbleError, NotJsonError

PROBLEM = "application/problem+json"
EVENT_STREAM = "text/event-stream"
REFUSED = 400
# as the policy of the backend has them; a gateway asks one service where that is named before
OPEN_TARGETS = re.compile(r"(/services/[a-z]+)?/(health/live|health/ready|metrics|docs|openapi\.json)")
# What is refused before the key of the caller is known: HTTP itself, Host, size, pace, a token of another key. Beside
# them 5xx of whoever stands between. The backend seals all the rest, so nothing else is believed without a seal.
BEFORE_THE_KEY = frozenset({400, 401, 403, 408, 413, 414, 431})


def facts_of(call: OutgoingCall, reply: HTTPResponse) -> AnswerFacts | None:
    """Return what the seal says (None: there is no seal); raises NotAbleError where the rest says something else."""
    seals = reply.headers.get_all(SEAL) or []
    if not seals:
        return None
    try:
        facts = call.opened_facts(seals[0])
    except NotJsonError as wrong:
        raise not_ours(call, wrong) from None
    if differing := _differing(facts, reply) or (SEAL if len(seals) > 1 else ""):
        raise changed(call, differing)
    return facts


def check_plain(url: str, call: OutgoingCall, reply: HTTPResponse) -> bool:
    """Return whether the target is one that needs no seal; raises NotAbleError for an answer that had to have one."""
    media, status = reply.headers.get_content_type(), reply.status
    is_open = is_open_target(url, call.target)
    if is_open or status >= FIRST_SERVER_FAULT or (status in BEFORE_THE_KEY and media == PROBLEM):
        return is_open
    if media in (SEALED, PROBLEM) or "AutoLearn-Request" in reply.headers or "AutoLearn-Position" in reply.headers:
        raise NotAbleError(
            with_doubt(call, "The answer was not sealed: whoever answered may not be the backend. Check the URL.")
        )
    raise NotAbleError(f"What answers at {url} is no AutoLearn backend (HTTP {status}).")


def is_open_target(url: str, target: str) -> bool:
    """Whether this is one of the few targets that are answered in plain: the whole path decides."""
    base = urlsplit(url).path
    return target.startswith(base) and bool(OPEN_TARGETS.fullmatch(target.removeprefix(base).partition("?")[0]))


def changed(call: OutgoingCall, what: str) -> NotAbleError:
    """Say that an answer cannot be believed."""
    return NotAbleError(with_doubt(call, f"Somebody changed the answer on its way ({what}): it is not believed."))


def not_ours(call: OutgoingCall, wrong: NotJsonError) -> NotAbleError:
    """Say that an answer was sealed for something else, or not by the backend."""
    return NotAbleError(with_doubt(call, f"This is not the backend's answer to this call. {wrong.sentence}"))


def with_doubt(call: OutgoingCall, sentence: str) -> str:
    """Add what is not known of a command whose answer is not believed."""
    if call.method == "GET":
        return sentence
    return f"{sentence} Whether the command was carried out is not known: look before you give it again."


def _differing(facts: AnswerFacts, reply: HTTPResponse) -> str:
    """Return in words what is not as the seal has it, '' where all is."""
    if reply.status != facts.status:
        return f"the status came as {reply.status} and was sent as {facts.status}"
    media = facts.headers.get("content-type", "").partition(";")[0]
    if reply.headers.get_content_type() != (media if media in (RAW, EVENT_STREAM) else SEALED):
        return "Content-Type"
    outside = {name.lower() for name in reply.headers if is_sealed(name.lower())}
    for name in sorted((outside | set(facts.headers)) - {"content-type"}):
        said = reply.headers.get_all(name) or []
        if said != [facts.headers.get(name)] and not (name in SEALED_ALONE and not said):
            return name
    return ""
