"""backend.log of a detached backend: all that any of its processes says, made visible, its owner's alone, bounded."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from domain.errors import AutoLearnError
from server.detached import LOG
from tests.cli.hostile import HOSTILE, is_hostile
from tests.end_to_end.fleet import until
from tests.end_to_end.place import Place


def writers(log: Path) -> list[int]:
    """Return the processes that write a log."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:  # it has ended meanwhile
            continue
        if b"server.log_writer" in words and str(log).encode() in words:
            found.append(int(folder.name))
    return found


def test_what_is_printed_beside_the_log_is_kept_and_steers_nothing(place: Place) -> None:
    place.start()
    log = place.data / LOG
    assert place.process is not None
    for descriptor in (1, 2):  # as a C library would, without asking Python
        with Path(f"/proc/{place.process.pid}/fd/{descriptor}").open("wb") as other:
            other.write(f"said {descriptor}: {HOSTILE}\n".encode(errors="surrogatepass"))
    until(lambda: "said 2" in log.read_text())
    text = log.read_text()
    assert ascii("".join(filter(is_hostile, text))) == "''"
    assert "AutoLearn answers at" in text
    assert "said 1: \\x00\\x01" in text
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_the_log_turns_over_and_its_writer_ends_with_the_backend(place: Place) -> None:
    place.start()
    log = place.data / LOG
    assert place.process is not None
    assert len(writers(log)) == 1
    with Path(f"/proc/{place.process.pid}/fd/2").open("wb") as other:
        other.writelines(b"x" * 1023 + b"\n" + (b"y" * 1023 + b"\n") * 1023 for _ in range(12))
    until((place.data / f"{LOG}.1").exists)
    place.kill()
    until(lambda: writers(log) == [])
    sizes = {path.name: path.stat().st_size for path in place.data.glob(f"{LOG}*")}
    assert set(sizes) == {LOG, f"{LOG}.1"}
    assert max(sizes.values()) <= 10 << 20
    assert sum(sizes.values()) > 12 << 20  # nothing was lost
    assert {stat.S_IMODE((place.data / name).stat().st_mode) for name in sizes} == {0o600}


def test_the_reason_of_a_failed_start_is_reported_behind_a_long_log(place: Place) -> None:
    place.data.mkdir(mode=0o700)
    (place.data / LOG).write_text("long ago\n" * (1 << 21))  # it turns over with the first line
    (place.data / "events.db").write_bytes(os.urandom(1 << 16))
    with pytest.raises(AutoLearnError, match=r"The backend did not start: (?!nothing|long ago)."):
        place.start()
