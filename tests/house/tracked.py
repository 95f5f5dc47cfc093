"""The files that git tracks, for the tests about them."""

from __future__ import annotations

import ast
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("domain", "commands", "projections", "adapters", "server", "autolearn", "console", "cli")


@cache
def tracked(suffix: str = "") -> tuple[Path, ...]:
    """Return the tracked files of the repository, relative to its root."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True)
    names = [Path(name) for name in listed.stdout.split("\0") if name.endswith(suffix)]
    return tuple(name for name in names if (ROOT / name).is_file() and name.name)


@cache
def parsed(path: Path) -> ast.Module:
    """Return the syntax tree of a tracked Python file."""
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def modules() -> list[str]:
    """Return the dotted names of all modules of the application."""
    ours = [path for path in tracked(".py") if path.parts[0] in PACKAGES]
    dotted = [".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in ours]
    return sorted(dotted)
