"""A verification may be held against Kafka; what else it may be held against is refused."""

from __future__ import annotations

from tests.http.asgi import Caller
from tests.http.rig import Rig


def test_what_it_is_held_against_reaches_the_inspection(rig: Rig, root: Caller) -> None:
    rig.inspector.steps = [{"result": {"ok": True, "position": 7}}]
    assert root.post("/verifications", {"against": "kafka"}).status == 200
    assert root.post("/verifications", {}).status == 200
    assert [arguments["against"] for _, arguments in rig.inspector.asked] == ["kafka", None]
    refused = root.post("/verifications", {"against": "nats"})
    assert (refused.status, len(rig.inspector.asked)) == (422, 2)
    assert "kafka" in refused.json["detail"]
