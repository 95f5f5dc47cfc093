"""A third-party package as its author would ship it: built into a wheel and installed, without any network."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).parent / "plugin"


def installed(place: Path) -> Path:
    """Build the plug-in's wheel below a folder and install it there; return the folder for the import path."""
    shutil.copytree(SOURCE, place / "source")
    build = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(place), str(place / "source")]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = place.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target"]
    subprocess.run([*pip, str(place / "site"), str(wheel)], check=True, capture_output=True)
    return place / "site"
