"""Run the benchmarks, print their tables and keep them in docs/benchmarks.md: `python -m benchmarks.run [NAME]...`."""

from __future__ import annotations

import importlib
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from tabulate import tabulate

from benchmarks import Figure

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "benchmarks.md"
OTHER_FILES = {"__init__", "run"}
LIBRARIES = ("eventsourcing", "fastapi", "scikit-learn", "numpy", "pandas", "pydantic")
INTRODUCTION = """# Benchmarks

Written by `make bench`. Goals are those of the design for a 2-core machine; read absolute times as of the machine named
in each section, and ratios (`x`) as what holds elsewhere: both sides were measured in the same run.
"""


def names() -> list[str]:
    """Return the benchmark modules: every file beside this one that offers `measure`, the peer last (it is the longest)."""
    found = sorted(path.stem for path in HERE.glob("*.py") if path.stem not in OTHER_FILES)
    offering = [name for name in found if "def measure(" in (HERE / f"{name}.py").read_text()]
    return sorted(offering, key=lambda name: name.endswith("_peer"))


def measured(name: str) -> list[Figure]:
    """Run one benchmark in a process of its own, so that none warms or fills the memory of the next."""
    command = [sys.executable, "-m", "benchmarks.run", "--one", name]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)  # noqa: S603 - our own command line
    return [Figure(**facts) for facts in json.loads(done.stdout.splitlines()[-1])]


def table(figures: Iterable[Figure]) -> str:
    """Return a Markdown table."""
    signs = {None: "", True: "reached", False: "missed"}
    rows = [(f.what, f"{f.value:,.4g}" if f.value < 1000 else f"{f.value:,.0f}", f.unit, f.goal, signs[f.reached], f.note) for f in figures]  # noqa: PLR2004, E501 - below 1,000 digits matter
    return tabulate(rows, headers=("what", "measured", "unit", "goal", "", "remark"), tablefmt="github", disable_numparse=True)


def machine() -> str:
    """Return one sentence about where and when the figures were measured."""
    cpu = next((line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), "unknown CPU")
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {cpu}, Python {platform.python_version()}, {libraries}."


def keep(results: dict[str, str]) -> None:
    """Replace the sections of the benchmarks that ran and leave the others as they are."""
    text = PAGE.read_text() if PAGE.exists() else ""
    sections = {}
    for section in text.split("\n## ")[1:]:
        title, _, body = section.partition("\n")
        sections[title.strip()] = body.strip()
    sections.update(results)
    PAGE.write_text(INTRODUCTION + "".join(f"\n## {title}\n\n{body}\n" for title, body in sorted(sections.items())))


def main() -> None:
    """Run all benchmarks, or those named; `--one NAME` runs one in this process and prints JSON."""
    chosen = sys.argv[1:]
    if chosen[:1] == ["--one"]:
        figures = importlib.import_module(f"benchmarks.{chosen[1]}").measure()
        print(json.dumps([asdict(figure) for figure in figures]))
        return
    results = {}
    for name in chosen or names():
        print(f"\n{name} …", flush=True)
        text = table(measured(name))
        print(text)
        results[name] = f"{machine()}\n\n{text}"
    keep(results)


if __name__ == "__main__":
    main()
