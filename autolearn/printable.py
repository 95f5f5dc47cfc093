r"""Untrusted text made printable: characters that steer a terminal or are invisible are shown as `\x1b`.

That is: control characters (C0, DEL, C1), line and paragraph separators, lone surrogates, format characters, and the
rest of Unicode's Default_Ignorable_Code_Point (bidirectional controls, zero-width characters, tags, …).
"""

from __future__ import annotations

import io
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

UNSEEN = (
    "\x00-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
ANY = re.compile(f"[{UNSEEN}]")
BUT_LAYOUT = re.compile(rf"(?![\n\t])[{UNSEEN}]")
BUT_COLOURS = re.compile(rf"(?!\x1b\[(?:0|1|3[1-6])m)(?![\n\t])[{UNSEEN}]")  # ECMA-48, as tables use it
ONE_BYTE, TWO_BYTES = 0x100, 0x10000
SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def visible(text: str) -> str:
    return text if text.isascii() and text.isprintable() else ANY.sub(_made_visible, text)


def visible_lines(text: str) -> str:
    """Return the text with its line breaks and tabs."""
    return BUT_LAYOUT.sub(_made_visible, text)


def visible_json(text: str) -> str:
    """Return JSON of the same value: such characters occur only in strings, where JSON can escape them."""
    return text if text.isascii() else BUT_LAYOUT.sub(_escaped, text).replace("\x7f", r"\u007f")


def as_json(value: Any, indent: int | None = None) -> str:
    return visible_json(json.dumps(value, indent=indent, ensure_ascii=False))


class PrintableStream(io.TextIOBase):
    """A standard stream that lets only line breaks, tabs and (optionally) our own colours steer the terminal.

    It is the last guard: untrusted text is made `visible`, with its line breaks, where it is put into a line.
    """

    def __init__(self, stream: TextIO, *, colours: bool = False) -> None:
        self.stream = stream
        self.buffer = PrintableBytes(self)
        self._unseen = BUT_COLOURS if colours else BUT_LAYOUT

    def write(self, text: str) -> int:
        shown = self._unseen.sub(_made_visible, text)
        try:
            self.stream.write(shown)
        except UnicodeEncodeError:  # a terminal that is not UTF-8
            self.stream.write(shown.encode(self.encoding, "backslashreplace").decode(self.encoding))
        return len(text)

    def flush(self) -> None:
        self.stream.flush()

    def close(self) -> None:
        pass  # the stream belongs to the process

    def fileno(self) -> int:
        return self.stream.fileno()

    def isatty(self) -> bool:
        return self.stream.isatty()

    def writable(self) -> bool:
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]  # a plain attribute in the stubs
        return self.stream.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]  # likewise
        return self.stream.errors


class PrintableBytes(io.RawIOBase):
    """The `buffer` of a `PrintableStream`: UTF-8 bytes pass the same guard."""

    def __init__(self, stream: PrintableStream) -> None:
        self._stream = stream

    def write(self, data: Any) -> int:
        text = bytes(data).decode(errors="replace")
        self._stream.write(text)
        return len(data)

    def flush(self) -> None:
        self._stream.flush()

    def close(self) -> None:
        pass

    def writable(self) -> bool:
        return True


@contextmanager
def printable_streams() -> Iterator[None]:
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (PrintableStream(stream, colours=may_colour(stream)) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def may_colour(stream: TextIO) -> bool:
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _made_visible(match: re.Match[str]) -> str:
    character = match[0]
    if short := SHORT.get(character):
        return short
    code = ord(character)
    return f"\\x{code:02x}" if code < ONE_BYTE else f"\\u{code:04x}" if code < TWO_BYTES else f"\\U{code:08x}"


def _escaped(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[place]:02x}{units[place + 1]:02x}" for place in range(0, len(units), 2))
