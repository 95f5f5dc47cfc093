"""Headers and parameters that are given twice: refused where two readers could each believe another of the two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from urllib.parse import parse_qsl

from domain.errors import BadInputError

# RFC 9110, 5.3: a header that is not a list stands once. Prefer and Accept are lists: their lines are joined.
SINGLE = frozenset(
    b"host authorization idempotency-key content-type content-length content-encoding transfer-encoding".split()
)
SHOWN = 100  # characters of a name in the refusal

Headers = Iterable[tuple[bytes, bytes]]


def check_headers(headers: Headers) -> None:
    for name, times in Counter(name.lower() for name, _ in headers).items():
        if times > 1 and name in SINGLE:
            raise BadInputError(f"The header {name.decode().title()} is given {times} times: once is right.")


def check_query(query: bytes) -> None:
    """Raise BadInputError for a parameter that is given twice, in whatever spelling; read as the routes read it."""
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    for name, times in Counter(name for name, _ in pairs).items():
        if times > 1:
            detail = f"given {times} times: once is right"
            pointer = f"?{name[:SHOWN]}"
            raise BadInputError(f"{pointer}: {detail}.", errors=[{"pointer": pointer, "detail": detail}])


def join_lines(headers: Headers) -> dict[str, str]:
    """Return each header with its lines joined, as RFC 9110 says of lists."""
    lines: dict[str, str] = {}
    for raw, content in headers:
        name, value = raw.decode("latin-1"), content.decode("latin-1")
        lines[name] = f"{lines[name]}, {value}" if name in lines else value
    return lines
