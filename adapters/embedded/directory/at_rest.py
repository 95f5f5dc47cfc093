"""What only the bytes of database files tell: read before SQLite opens them, which would pass over it in silence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from adapters.embedded.directory.wal import wal_faults

# Offset, name and bytes of what a file of ours has in its head from its first page on, whatever is written later:
# https://www.sqlite.org/fileformat2.html#the_database_header
FIXED: Final = (
    (0, "name", b"SQLite format 3\0"),
    (18, "kind of journal", b"\x02\x02"),
    (20, "reserved space", b"\0"),
    (21, "fractions", b"\x40\x20\x20"),
    (48, "cache size", bytes(4)),
    (52, "vacuum", bytes(4)),
    (64, "incremental vacuum", bytes(4)),
    (72, "unused head", bytes(20)),
)
HEAD_BYTES: Final = 100


def faults_at_rest(databases: Iterable[Path], *, is_resting: bool) -> list[str]:
    """Return what is wrong; write-ahead logs are only looked at where no backend writes them (`is_resting`).

    Call it before this process opens the databases: closing a file gives back SQLite's own locks on it.
    """
    checks = (_head_faults, _journal_faults, wal_faults) if is_resting else (_head_faults, _journal_faults)
    return [what for path in databases for check in checks for what in check(path)]


def _journal_faults(path: Path) -> Iterator[str]:
    journal = path.with_name(f"{path.name}-journal")
    if journal.exists():
        yield f"{journal.name}: AutoLearn writes no such file, and SQLite would change {path.name} by it: remove it"


def _head_faults(path: Path) -> Iterator[str]:
    try:
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError:
        return  # SQLite will say it
    for offset, name, content in FIXED if len(head) == HEAD_BYTES else ():
        if head[offset : offset + len(content)] != content:
            yield f"{path.name}: its head has another {name} than AutoLearn writes"
