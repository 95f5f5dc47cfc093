r"""Text that others wrote, as it may be printed: what steers a terminal, or cannot be seen, is shown as `\x1b`.

These are the control characters (C0, DEL, C1), the separators of lines and paragraphs, lone surrogates, all format
characters, and everything else that Unicode gives the property Default_Ignorable_Code_Point: bidirectional controls,
characters without a width, variation selectors, tags.
"""

from __future__ import annotations

import io
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
BUT_LAYOUT = re.compile(rf"(?![\n\t])[{UNSEEN}]")  # a text that is composed already has its lines and tabs
BUT_COLOURS = re.compile(rf"(?!\x1b\[(?:0|1|3[1-6])m)(?![\n\t])[{UNSEEN}]")  # ECMA-48, as tables use it
ONE_BYTE, TWO_BYTES = 0x100, 0x10000
SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def visible(text: str) -> str:
    """Return a text that stays in its line and steers nothing."""
    return text if text.isascii() and text.isprintable() else ANY.sub(_shown, text)


def visible_lines(text: str) -> str:
    """Return a text of several lines that steers nothing."""
    return BUT_LAYOUT.sub(_shown, text)


def visible_json(text: str) -> str:
    """Return JSON of the same value: such characters stand only in its strings, where JSON can spell them out."""
    return text if text.isascii() else BUT_LAYOUT.sub(_spelt, text).replace("\x7f", r"\u007f")


class PrintableStream(io.TextIOBase):
    """A standard stream on which nothing but lines, tabs and, where they are wanted, our own colours reach a terminal.

    The last guard: what others wrote is made visible where it is put into a line, and there its line ends too.
    """

    def __init__(self, stream: TextIO, *, colours: bool = False) -> None:
        self.stream = stream
        self.buffer = PrintableBytes(self)
        self._unseen = BUT_COLOURS if colours else BUT_LAYOUT

    def write(self, text: str) -> int:
        """Write what may be seen."""
        shown = self._unseen.sub(_shown, text)
        try:
            self.stream.write(shown)
        except UnicodeEncodeError:  # an encoding that has not all characters
            self.stream.write(shown.encode(self.encoding, "backslashreplace").decode(self.encoding))
        return len(text)

    def flush(self) -> None:
        """Flush it."""
        self.stream.flush()

    def close(self) -> None:
        """Leave it open: it belongs to the process."""

    def fileno(self) -> int:
        """Return its descriptor."""
        return self.stream.fileno()

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self.stream.isatty()

    def writable(self) -> bool:
        """Say that it can be written to."""
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]  # a plain attribute in the stubs
        """Its encoding."""
        return self.stream.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]  # likewise
        """What becomes of what its encoding has not."""
        return self.stream.errors


class PrintableBytes(io.RawIOBase):
    """What of a guarded stream takes bytes; they pass the same guard."""

    def __init__(self, stream: PrintableStream) -> None:
        self._stream = stream

    def write(self, data: Any) -> int:
        """Write UTF-8."""
        text = bytes(data).decode(errors="replace")
        self._stream.write(text)
        return len(data)

    def flush(self) -> None:
        """Flush the stream."""
        self._stream.flush()

    def close(self) -> None:
        """Leave it open."""

    def writable(self) -> bool:
        """Say that it can be written to."""
        return True


@contextmanager
def printable_streams() -> Iterator[None]:
    """Guard standard output and standard error."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (PrintableStream(stream, colours=may_colour(stream)) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def may_colour(stream: TextIO) -> bool:
    """Whether colours may be used: on a terminal, without NO_COLOR."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def _shown(match: re.Match[str]) -> str:
    character = match[0]
    if short := SHORT.get(character):
        return short
    code = ord(character)
    return f"\\x{code:02x}" if code < ONE_BYTE else f"\\u{code:04x}" if code < TWO_BYTES else f"\\U{code:08x}"


def _spelt(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[place]:02x}{units[place + 1]:02x}" for place in range(0, len(units), 2))
