"""Write-ahead logs at rest: whether SQLite would leave out writes because their bytes were changed.

SQLite reads such a file up to the first page whose checksum is wrong, and says nothing: what follows is lost. The
format is that of https://www.sqlite.org/fileformat2.html#the_write_ahead_log.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from pathlib import Path
from struct import Struct
from sys import byteorder
from typing import BinaryIO, Final

HEADER: Final = Struct(">8I")  # magic, version, page size, sequence, two salts, two checksums
FRAME: Final = Struct(">6I")  # page, size of the file after a commit, two salts, two checksums
MAGIC: Final = {0x377F0682: "little", 0x377F0683: "big"}
CHECKED: Final = 8  # bytes of a frame's head that its checksum covers

Sums = tuple[int, int]


def wal_faults(database: Path) -> Iterator[str]:
    """Say where the write-ahead log of a database that no process has open was damaged."""
    path = database.with_name(f"{database.name}-wal")
    try:
        size, file = path.stat().st_size, path.open("rb")
    except FileNotFoundError:
        return
    with file:
        if size > HEADER.size and (what := _fault(file)):
            yield f"{path.name}: {what}"


def _fault(file: BinaryIO) -> str | None:
    head = file.read(HEADER.size)
    magic, _, page_size, _, *rest = HEADER.unpack(head)
    salts, sums = rest[:2], (rest[2], rest[3])
    if magic not in MAGIC or _summed((0, 0), head[:-8], MAGIC[magic]) != sums:
        return "its head was changed, so that nothing in it is read"
    frame = 0
    while len(read := file.read(FRAME.size + page_size)) == FRAME.size + page_size:
        page, _, *rest = FRAME.unpack(read[: FRAME.size])
        if rest[:2] != salts:
            break
        sums = _summed(_summed(sums, read[:CHECKED], MAGIC[magic]), read[FRAME.size :], MAGIC[magic])
        if sums != (rest[2], rest[3]) or not page:
            return f"page {frame + 1} in it was changed, or its writing was cut off: it is not read, nor what follows"
        frame += 1
    return _salted_again(file, read, salts, page_size)


def _salted_again(file: BinaryIO, read: bytes, salts: list[int], page_size: int) -> str | None:
    """Look for pages of this round beyond its end: those of the round before bear other salts, both of them."""
    while len(read) >= FRAME.size:
        found = FRAME.unpack(read[: FRAME.size])[2:4]
        if len(read) == FRAME.size + page_size and any(one == other for one, other in zip(found, salts, strict=True)):
            return "a page in it was changed: it is not read, nor what follows"
        read = file.read(FRAME.size + page_size)
    return None


def _summed(sums: Sums, content: bytes, order: str) -> Sums:
    words = array("I", content)
    if order != byteorder:
        words.byteswap()
    one, other = sums
    for index in range(0, len(words), 2):
        one = (one + words[index] + other) & 0xFFFFFFFF
        other = (other + words[index + 1] + one) & 0xFFFFFFFF
    return one, other
