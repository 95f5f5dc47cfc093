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
ROUND_FROM = 100  # from here on, fractions are noise
LIBRARIES = ("eventsourcing", "fastapi", "scikit-learn", "numpy", "pandas", "pydantic")
INTRODUCTION = """# Benchmarks

Written by `make bench`. Goals are those of the design for a 2-core machine; read absolute times as of the machine named
in each section, and ratios (`x`) as what holds elsewhere: both sides were measured in the same run.
"""


def names() -> list[str]:
    """Return the benchmark modules: files beside this one that offer `measure`; the peer, the longest, comes last."""
    found = sorted(path.stem for path in HERE.glob("*.py") if path.stem not in OTHER_FILES)
    offering = [name for name in found if "def measure(" in (HERE / f"{name}.py").read_text()]
    return sorted(offering, key=lambda name: name.endswith("_peer"))


def measured(name: str) -> list[Figure]:
    """Run one benchmark in a process of its own, so that none warms or fills the memory of the next."""
    command = [sys.executable, "-m", "benchmarks.run", "--one", name]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    return [Figure(**facts) for facts in json.loads(done.stdout.splitlines()[-1])]


def digits(value: float) -> str:
    """Return a number with as many digits as mean something."""
    return f"{value:,.0f}" if abs(value) >= ROUND_FROM else f"{value:.3g}"


def table(figures: Iterable[Figure]) -> str:
    """Return a Markdown table."""
    signs = {None: "", True: "reached", False: "missed"}
    rows = [(f.what, digits(f.value), f.unit, f.goal, signs[f.reached], f.note) for f in figures]
    headers = ("what", "measured", "unit", "goal", "", "remark")
    return tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True)


def machine() -> str:
    """Return one sentence about where and when the figures were measured."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    cpu = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown CPU")
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    when = f"{datetime.now(UTC):%Y-%m-%d}"
    return f"{when}, {os.cpu_count()} cores, {cpu}, Python {platform.python_version()}, {libraries}."


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
