"""How much memory the machine has."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

CONTROL_GROUPS = Path("/sys/fs/cgroup")


def machine_memory(control_groups: Path = CONTROL_GROUPS) -> int:
    """Return the bytes of memory of this machine, or what its container or unit may use where that is less."""
    limits = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    with suppress(OSError):
        group = Path("/proc/self/cgroup").read_text(encoding="utf-8").strip().rpartition("::")[2].strip("/")
        folders = [control_groups / group, *(control_groups / group).parents]
        for file in (folder / "memory.max" for folder in folders if folder.is_relative_to(control_groups)):
            text = file.read_text(encoding="ascii").strip() if file.exists() else ""
            limits += [int(text)] if text.isdecimal() else []
    return min(limits)
