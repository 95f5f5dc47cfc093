"""AUTOLEARN_KAFKA: bootstrap servers, and after a `?` how to get in: `kafka-1:9093,kafka-2:9093?ssl.ca.location=…&…`.

Names are librdkafka's (CONFIGURATION.md) that begin with `security.`, `sasl.` or `ssl.`: exactly-once depends on the
others. `file=PATH` takes further ones from the lines of a file, which keeps passwords out of the
environment.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl

from domain.errors import BadInputError

ALLOWED: Final = ("security.", "sasl.", "ssl.")
FILE: Final = "file"


def parsed(address: str) -> dict[str, str]:
    """Return the clients' properties that an address stands for; raises BadInputError, which quotes no value."""
    servers, _, query = address.strip().partition("?")
    if not servers.strip():
        raise BadInputError("AUTOLEARN_KAFKA names no bootstrap server; give HOST:PORT[,HOST:PORT]…")
    if "://" in servers:
        raise BadInputError("AUTOLEARN_KAFKA is no list of servers: it looks like HOST:PORT[,HOST:PORT]…")
    given = dict(_pairs(query))
    if FILE in given:
        given |= _in_file(given.pop(FILE))
    for name in given:
        if not name.startswith(ALLOWED):
            raise BadInputError(
                f"AUTOLEARN_KAFKA sets {name!r}: only {', '.join(ALLOWED)}… and {FILE}=PATH may follow the `?`."
            )
    return {"bootstrap.servers": servers.strip(), **given}


def _pairs(query: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
    except ValueError:
        raise BadInputError("AUTOLEARN_KAFKA: what follows the `?` looks like NAME=VALUE&NAME=VALUE.") from None


def _in_file(path: str) -> dict[str, str]:
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as unreadable:
        raise BadInputError(f"AUTOLEARN_KAFKA: {path} cannot be read: {unreadable}.") from unreadable
    told = [line.partition("=") for line in lines if line.strip() and not line.lstrip().startswith("#")]
    return {name.strip(): value.strip() for name, _, value in told}
