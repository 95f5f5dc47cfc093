"""The whole sweep: every bit of every file of a small data directory, every value of every table. It takes long.

    python -m tests.damage [bits] [values] [killed]

`bits` flips every bit but those of the gaps in pages, which it overwrites as a whole. `killed` flips every bit of the
heads in write-ahead logs, and one bit of each byte of their pages.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

from tests.damage import installation
from tests.damage.bits import Flipping, Outcome, files_of
from tests.damage.pages import used_bits
from tests.damage.values import sweep_values

CHUNK = 1024
PARTS_TOLD = 20
HEAD, FRAME_HEAD, PAGE = 32, 24, 4096
MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it

Work = tuple[str, range | list[int]]


def main(chosen: list[str]) -> int:
    """Sweep, and print how many changes were found, without effect, or missed; 1 where one was missed."""
    missed = 0
    logging.disable()
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        for kind in chosen or ["bits", "values", "killed"]:
            data = installation.make(Path(folder) / kind, killed=kind == "killed")
            if kind == "values":
                outcome = sweep_values(data)
                tell("values", outcome, 0.0)
                missed += len(outcome.missed)
            else:
                missed += sum(sweep_file(data, file, bits_of(data, file)) for file in files_of(data))
    return 1 if missed else 0


def sweep_file(data: Path, file: str, bits: list[int]) -> int:
    """Flip bits of a file in as many processes as there are cores."""
    begin = time.monotonic()
    outcome = Flipping(data).fill_gaps(file) if file.endswith(".db") else Outcome()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        parts = [bits[at : at + CHUNK] for at in range(0, len(bits), CHUNK)]
        for number, done in enumerate(as_completed([pool.submit(flip_part, str(data), file, it) for it in parts]), 1):
            outcome.add(done.result())
            if number % PARTS_TOLD == 0:
                tell(f"{file}, {number} of {len(parts)} parts", outcome, time.monotonic() - begin)
    tell(file, outcome, time.monotonic() - begin)
    return len(outcome.missed)


def flip_part(data: str, file: str, bits: list[int]) -> Outcome:
    """Flip bits of a copy that this process has to itself."""
    copy = Path(f"{data}-{os.getpid()}")
    if not copy.exists():
        shutil.copytree(data, copy)
    return Flipping(copy).flip(file, bits)


def bits_of(data: Path, file: str) -> list[int]:
    """Return which bits of a file are flipped: those that the module's text says."""
    size = (data / file).stat().st_size
    if file.endswith(".db"):
        return used_bits(data / file)
    return list(of_wal(size)) if file.endswith("-wal") else list(range(8 * size))


def of_wal(size: int) -> Iterator[int]:
    """Yield every bit of the heads, and of each byte of a page another one."""
    for place in range(size):
        in_frame = (place - HEAD) % (FRAME_HEAD + PAGE)
        if place < HEAD or in_frame < FRAME_HEAD:
            yield from range(8 * place, 8 * place + 8)
        else:
            yield 8 * place + place % 8


def tell(what: str, outcome: Outcome, seconds: float) -> None:
    """Print a line."""
    named = {name: f" ({name.partition(', ')[2]})" if ", " in name else "" for name, _ in outcome.counts}
    counts = ", ".join(f"{count:,} {it}{named[name]}" for (name, it), count in sorted(outcome.counts.items()))
    print(f"{what}: {counts} ({seconds:.0f} s)", flush=True)  # noqa: T201 - a command
    for place in outcome.missed[:100]:
        print(f"  missed: {place}", flush=True)  # noqa: T201 - idem


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
