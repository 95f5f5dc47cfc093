"""What MongoDB and its driver refuse, in one sentence that says what would be right, without the server's reply."""

from __future__ import annotations

import re
from typing import Final

from pymongo.errors import BulkWriteError, ConnectionFailure, OperationFailure, PyMongoError

MONGODB: Final = "MongoDB (AUTOLEARN_MONGODB)"
UNAUTHORIZED: Final = {13, 8000}  # 8000: what hosted servers say
WRONG_LOGIN: Final = re.compile(r"Authentication failed|bad auth", re.IGNORECASE)
NO_LOGIN: Final = "requires authentication"
COMMAND: Final = re.compile(r'not authorized on (\S+) to execute command \{ (\w+): (?:"([^"]+)")?')
CONNECTION_FAULTS: Final = {  # what the driver says of a connection, and what would be right
    re.compile("certificate verify failed"): (
        f"The certificate of {MONGODB} is not trusted: tlsCAFile must name the file of the authority that signed it, "
        "and the URI the host that it was made for."
    ),
    re.compile("^SSL handshake failed"): (
        f"{MONGODB} does not speak TLS, or not with this client: leave out tls=true, or check the certificates."
    ),
    re.compile("connection closed"): (
        f"{MONGODB} ends each connection at once: it may want TLS (tls=true in the URI), or it is starting."
    ),
    re.compile(r"(\S+?):(?: \[Errno -?\d+\])? (?:Name or service not known|.*nodename nor servname)"): (
        f"{MONGODB} is at '{{}}', a name that is not known here: correct the URI, or the members' names."
    ),
    re.compile(r'replica set name "([^"]*)"'): (
        f"{MONGODB} has no replica set '{{}}': correct replicaSet in the URI, or leave it out."
    ),
}
DRIVER_DETAILS: Final = re.compile(r"( \(configured|, Timeout:|, full error:).*", re.DOTALL)  # what the driver adds
LONGEST: Final = 300


def is_denied(error: BaseException | None) -> bool:
    """Tell whether MongoDB does not know this user, or does not let it do this: no repetition helps."""
    if not isinstance(error, PyMongoError):
        return False
    code = error.code if isinstance(error, OperationFailure) else None
    return code in UNAUTHORIZED or bool(WRONG_LOGIN.match(_text(error)))


def reason_of(error: PyMongoError) -> str | None:
    """Return the sentence for what somebody has to correct; None for outages and whatever else."""
    text = _text(error)
    if is_denied(error):
        return _denial(text)
    if not isinstance(error, ConnectionFailure):
        return None
    found = ((pattern.search(text), sentence) for pattern, sentence in CONNECTION_FAULTS.items())
    return next((sentence.format(*match.groups()) for match, sentence in found if match), None)


def short_text(error: PyMongoError) -> str:
    """Return what the driver says, without the server's reply and the driver's own state."""
    if isinstance(error, BulkWriteError) and (failed := error.details.get("writeErrors")):
        return str(failed[0].get("errmsg"))[:LONGEST]
    return _text(error)[:LONGEST]


def _text(error: PyMongoError) -> str:
    return DRIVER_DETAILS.sub("", str(error))


def _denial(text: str) -> str:
    if NO_LOGIN in text:
        return f"{MONGODB} asks for a user and a password: give them in the URI (AUTOLEARN_MONGODB_PASSWORD_FILE)."
    if (command := COMMAND.search(text)) is not None:
        database, name, collection = command.groups()
        what = f"{database}.{collection}" if collection else f"the database {database}"
        return f"{MONGODB} does not let this user {name} on {what}: it needs this right."
    if WRONG_LOGIN.match(text):
        return f"{MONGODB} does not accept this user or this password: check both, and authSource in the URI."
    return f"{MONGODB} does not let this user do it: {text[:LONGEST]}"
