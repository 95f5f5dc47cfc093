"""Pages of a database file, and the gaps in them: what is between the places of rows and the rows is never used.

The format is that of https://www.sqlite.org/fileformat2.html#b_tree_pages.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

PAGE = 4096
FILE_HEAD = 100
HEADS = {2: 12, 5: 12, 10: 8, 13: 8}  # bytes of the head of a page, by its kind


def gaps(path: Path) -> Iterator[range]:
    """Yield the places of the bytes in each gap."""
    content = path.read_bytes()
    for begin in range(0, len(content), PAGE):
        head = begin + (FILE_HEAD if begin == 0 else 0)
        if content[head] in HEADS:
            rows = int.from_bytes(content[head + 3 : head + 5], "big")
            first_row = int.from_bytes(content[head + 5 : head + 7], "big")
            yield range(head + HEADS[content[head]] + 2 * rows, begin + first_row)


def used_bits(path: Path) -> list[int]:
    """Return all bits of a database file but those in gaps."""
    unused = {place for gap in gaps(path) for place in gap}
    return [8 * place + bit for place in range(path.stat().st_size) if place not in unused for bit in range(8)]
