"""A real backend whose write-ahead logs are lost after a kill: refused, told by `verify --data`, accepted for ever."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.up import start_backend
from domain.errors import ConflictError
from server.inspection.inspections import inspect_offline
from tests.end_to_end.place import Place, Shell

pytestmark = pytest.mark.slow


def test_a_lost_end_is_refused_told_and_accepted_with_a_reason(place: Place) -> None:
    shell = place.start()
    added = [shell("client", "add", name).json for name in ("ana", "bob", "cem")]
    place.kill()
    (place.data / "events.db-wal").unlink()
    for _ in range(2):
        with pytest.raises(ConflictError, match="The end of the log is lost") as refused:
            place.start()
    assert "autolearn up --accept-loss REASON" in refused.value.sentence
    told = " ".join(fault["what"] for fault in verified(place.data)["faults"])
    assert f"it speaks of position {added[-1]['position']} of the log" in told
    assert "ahead of the log" in told
    place.process, place.url = start_backend(place.data, 0, "--accept-loss", "The disk is gone.")
    shell = Shell(place.url, place.data / "credentials.json", place.data)
    shell("client", "add", "dan")
    answer = shell("verify").json
    assert (answer["ok"], answer["unanswered"]) == (True, [])
    (loss,) = answer["losses"]
    assert (loss["reason"], loss["log"]["until"]) == ("The disk is gone.", added[-1]["position"])
    assert "The disk is gone." in shell.plain("verify").out
    place.stop()
    assert verified(place.data)["faults"] == []


def verified(data: Path) -> dict[str, list[dict[str, str]]]:
    """The answer of `verify --data`."""
    *_, last = inspect_offline("verify", str(data), {})
    return dict(last["result"])
