"""Memory of a process and all its descendants, as PSS: shared pages are counted once, in parts."""

from __future__ import annotations

from pathlib import Path

MIB = 1024


def children(pid: int) -> list[int]:
    """Return the ids of a process's children, of all its threads."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for path in lists for child in path.read_text(encoding="ascii").split()]


def family(pid: int) -> list[int]:
    """Return a process and all its descendants."""
    return [pid, *(descendant for child in children(pid) for descendant in family(child))]


def pss(pid: int) -> float:
    """Return the proportional set size of one process in MiB."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except PermissionError:
        raise SystemExit("Measure as root: what holds keys shows its memory to nobody else.") from None
    return next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")) / MIB


def family_pss(pid: int) -> float:
    """Return the proportional set size of a process with its descendants in MiB."""
    return sum(pss(member) for member in family(pid))
