"""Runs the benchmarks and keeps docs/benchmarks.md and .json: `python -m benchmarks.run [NAME]...`."""

from __future__ import annotations

import importlib
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tabulate import tabulate

from benchmarks import Figure

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"
PAGE, DATA = DOCS / "benchmarks.md", DOCS / "benchmarks.json"
OTHER_FILES = {"__init__", "run"}
ROUND_FROM = 100  # from here on, fractions are noise
LIBRARIES = ("eventsourcing", "fastapi", "scikit-learn", "numpy", "pandas", "pydantic")
INTRODUCTION = """# Benchmarks

`make bench` measures and writes this page. [benchmarks.json](benchmarks.json) has every figure, its date and machine.
Times and rates are those of a shared machine with 2 cores. Ratios (`x`) compare both sides in the same run, so
they hold elsewhere too. Of several figures with one goal, such as the pages of the history, the page shows the worst.

"""
# What the page shows, in order: a label, the benchmark, and the beginning and unit of the figures it stands for.
SHOWN = (
    ("train iris over REST, warm, p50", "backend", "train iris", "ms"),
    ("- of it beyond reading, fitting and storing", "backend", "- of it beyond", "ms"),
    ("shell to committed model: MLflow / AutoLearn", "mlflow_peer", "from the shell", "x"),
    ("`autolearn --help`, whole process, p50", "backend", "`autolearn --help`", "ms"),
    ("`autolearn history`, whole process, p50", "backend", "`autolearn history`", "ms"),
    ("`dataset add` of flights / pandas read and describe", "dataset_add", "flights, `dataset add`", "x"),
    ("search, 60 candidates x 5 folds, wine / GridSearchCV", "search", "search of 60 candidates on 5 folds, wine", "x"),
    ("one row predicted over REST, warm, p50", "predict", "predict a row", "ms"),
    ("337k rows predicted from a file / script", "predict", "predict 337k", "x"),
    ("search, likewise, 50k flights / GridSearchCV", "search", "search of 60 candidates on 5 folds, flights", "x"),
    ("history page, SQLite, worst p50", "history", "history", "ms p50"),
    ("history page as of the past / now, SQLite, worst", "history", "history", "x"),
    ("history page, MongoDB, worst p50", "mongo_history", "MongoDB history", "ms p50"),
    ("append, SQLite, 1 client", "append", "append, SQLite durable, 1 client", "commits/s"),
    ("append, SQLite, 32 clients", "append", "append, SQLite durable, 32 clients", "commits/s"),
    ("append, MongoDB, 32 threads", "mongo_append", "append, MongoDB w=majority, 1 process of 32", "commits/s"),
    ("append, MongoDB, 8 processes of 16 threads", "mongo_append", "append, MongoDB w=majority, 8 pro", "commits/s"),
    ("append, MongoDB, 300/s by 8 processes, p50", "mongo_append", "append, MongoDB, 300 a second in all from 8", "ms"),
    ("replay: read, decode, fold", "replay", "replay: read", "events/s"),
    ("relay, MongoDB to Kafka", "relay", "relay, MongoDB", "events/s"),
    ("rebuild, SQLite, for each core in use", "rebuild", "rebuild, SQLite", "events/s"),
    ("rebuild, SQLite: memory", "rebuild", "memory of rebuild", "MiB"),
    ("read models / log, SQLite, bytes", "rebuild", "read models beside", "x"),
    ("first fold, MongoDB, for each core in use", "mongo_rebuild", "first fold, MongoDB, per core", "events/s"),
    ("rebuild, MongoDB, for each core in use", "mongo_rebuild", "rebuild, MongoDB, per core", "events/s"),
    ("recover --from-kafka", "mongo_rebuild", "recovery, MongoDB, whole", "events/s"),
    ("first fold, rebuild, recovery: memory", "mongo_rebuild", "memory of", "MiB"),
    ("read models on MongoDB, for each experiment", "mongo_rebuild", "read models on MongoDB", "KiB"),
    ("command answered -> visible in the read model, p50", "fleet", "command answered", "ms"),
    ("kill -9 of relay or projection -> next one visible", "fleet", "kill -9", "s"),
    ("memory: backend; PSS", "backend", "backend without", "MiB"),
    ("memory: backend with its warm forkserver; PSS", "backend", "backend with", "MiB"),
)


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
    headers = ("what", "measured", "unit", "goal", "", "measured on, or remark")
    return tabulate(rows, headers=headers, tablefmt="github", disable_numparse=True)


def machine() -> str:
    """Return one sentence about where and when the figures were measured."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    cpu = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown CPU")
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    when = f"{datetime.now(UTC):%Y-%m-%d}"
    return f"{when}, {os.cpu_count()} cores, {cpu}, Python {platform.python_version()}, {libraries}"


def worst(figures: list[Figure]) -> Figure:
    """Return the figure that is furthest from its goal, or else the first."""
    with_goal = [figure for figure in figures if figure.goal] or figures[:1]
    pick = min if with_goal[0].goal.startswith(">=") else max
    return pick(with_goal, key=lambda figure: figure.value)


def page(data: dict[str, dict[str, Any]]) -> str:
    """Return the page: the figures that matter, one line each."""
    rows = []
    for label, name, beginning, unit in SHOWN:
        section = data.get(name, {"figures": []})
        found = [Figure(**it) for it in section["figures"] if it["what"].startswith(beginning) and it["unit"] == unit]
        if found:
            rows.append(replace(worst(found), what=label, note=section["machine"].partition(",")[0]))
    return INTRODUCTION + table(rows) + "\n"


def keep(results: dict[str, dict[str, Any]]) -> None:
    """Replace the results of the benchmarks that ran, leave the others as they are, and write the page."""
    data = json.loads(DATA.read_text()) | results
    DATA.write_text(json.dumps(dict(sorted(data.items())), indent=1, ensure_ascii=False) + "\n")
    PAGE.write_text(page(data))


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
        figures = measured(name)
        print(table(figures))
        results[name] = {"machine": machine(), "figures": [asdict(figure) for figure in figures]}
    keep(results)


if __name__ == "__main__":
    main()
