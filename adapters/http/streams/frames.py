"""Frames of server-sent events (WHATWG HTML, 9.2): made plain by a route, sealed one by one by the gate."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

END = b"\n\n"
FORM = re.compile(rb"event: ([a-z]+)\ndata: ([^\n]*)\n\n")


def frame(name: str, value: Any) -> bytes:
    """Return one event: its name (progress, state, result, problem, communication) and a JSON value."""
    return raw_frame(name, json.dumps(value).encode())


def raw_frame(name: str, value: bytes) -> bytes:
    """Return one event whose value is JSON already."""
    return b"event: %s\ndata: %s\n\n" % (name.encode(), value)


def frames_in(chunk: bytes) -> list[bytes]:
    """Return whole frames that leave together one by one; what is after the last one's end is no frame."""
    *whole, rest = chunk.split(END)
    return [frame + END for frame in whole] + ([rest] if rest else [])


def sealed_frame(plain: bytes, number: int, seal: Callable[[str, bytes], bytes]) -> bytes:
    """Return the n-th frame with its data sealed; raises ValueError for anything that `frame` did not make."""
    form = FORM.fullmatch(plain)
    if form is None:
        msg = "only whole frames leave the backend"
        raise ValueError(msg)
    return b"event: %s\nid: %d\ndata: %s\n\n" % (form[1], number, seal(form[1].decode(), form[2]))
