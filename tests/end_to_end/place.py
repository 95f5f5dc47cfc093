"""A user's place: a data directory, the backend process on it, and a shell that runs the real CLI."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cli.up import start_backend

SECONDS = 90


@dataclass
class Ran:
    """What a command of the CLI did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The object on standard output."""
        return json.loads(self.out)

    @property
    def problem(self) -> dict[str, Any]:
        """The problem object on standard error (its last line that is JSON begins it)."""
        return dict(json.loads(self.err[self.err.index("{") :]))


@dataclass
class Shell:
    """A user's shell: where the backend is, and who the user is."""

    url: str
    credentials: Path
    data: Path
    more: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """The user's environment."""
        own = {"AUTOLEARN_URL": self.url, "AUTOLEARN_CREDENTIALS": str(self.credentials)}
        return os.environ | own | {"AUTOLEARN_DATA": str(self.data), "NO_COLOR": "1"} | self.more

    def __call__(self, *arguments: str, code: int | None = 0) -> Ran:
        """Run a command with --json and check its exit code."""
        ran = self.plain(*arguments, "--json")
        if code is not None:
            assert ran.code == code, f"{arguments}: exit {ran.code}\n{ran.out}\n{ran.err}"
        return ran

    def plain(self, *arguments: str) -> Ran:
        """Run a command as it is."""
        done = subprocess.run(
            [sys.executable, "-m", "cli.main", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)


@dataclass
class Place:
    """A data directory and the backend process that runs on it, if any."""

    data: Path
    process: subprocess.Popen[bytes] | None = None
    url: str = ""

    def start(self) -> Shell:
        """Start a backend and return a shell of the client `local`."""
        self.process, self.url = start_backend(self.data, 0)
        return Shell(self.url, self.data / "credentials.json", self.data)

    def kill(self) -> None:
        """Kill the backend as a crash of the machine would."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(SECONDS)
            self.process = None

    def stop(self) -> None:
        """Stop it as `down` does."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(SECONDS)
            self.process = None


def loose(data: Path) -> list[str]:
    """Return what others may use, or its owner may not."""
    found = []
    for path in (data, *data.rglob("*")):
        mode = stat.S_IMODE(path.lstat().st_mode)
        if mode & 0o077 or (path.is_dir() and mode != 0o700) or not mode & 0o400:
            found.append(f"{path} {mode:o}")
    return found
