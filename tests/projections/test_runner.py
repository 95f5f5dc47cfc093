"""The live projection follows the log, shows where it stands still and why, and goes on once that is mended."""

from __future__ import annotations

from threading import Event

import pytest

from domain.errors import ForbiddenError, NotAbleError
from projections.fold import Poisoned
from projections.ports import Batch, Recorded
from projections.runner import ProjectionRunner
from tests.projections.waiting import TIMEOUT, wait_for
from tests.projections.world import World


def spoil(world: World, position: int) -> None:
    """Change a stored event so that nobody can read it."""
    with world.log.writing() as connection:
        connection.execute("UPDATE stored_events SET state = ? WHERE rowid = ?", (b'{"odd":1}', position))


def test_what_is_appended_becomes_visible(filed: World) -> None:
    for name in ("a", "b", "c"):
        filed.train("ana", name * 16)
        assert filed.runner.wait(filed.commits[-1], TIMEOUT)
        assert filed.documents.get("experiment", name * 16) is not None
    assert filed.runner.fault is None
    assert filed.runner.position == filed.commits[-1]


def test_an_event_that_cannot_be_read_stops_it_visibly(world: World) -> None:
    world.register("iris")
    world.register("wine")
    world.register("digits")
    spoil(world, world.commits[1])
    with pytest.raises(Poisoned):
        world.catch_up()
    assert world.documents.position() == world.commits[0]
    world.runner.start()
    wait_for(lambda: world.runner.fault is not None)
    fault = world.runner.fault
    world.runner.stop()
    assert fault is not None
    assert fault.position == world.commits[1]
    assert "cannot be read" in fault.sentence
    assert world.documents.position() == world.commits[0]


def test_an_event_that_cannot_be_folded_stops_it_after_those_before(world: World) -> None:
    world.register("iris")
    name = world.train("ana", "a" * 16)
    with world.log.writing() as connection:  # an event about a training that was never requested
        connection.execute("UPDATE stored_events SET originator_id = 'experiment:bbbbbbbbbbbbbbbb' WHERE rowid = 6")
    with pytest.raises(Poisoned, match="never began") as poisoned:
        world.catch_up()
    assert poisoned.value.position == world.commits[2]
    assert world.documents.position() == world.commits[1]
    document = world.documents.get("experiment", name)
    assert document is not None
    assert document.body["state"] == "started"


def test_trouble_of_the_file_is_shown_and_passes(filed: World, monkeypatch: pytest.MonkeyPatch) -> None:
    apply, failed = filed.documents.apply, Event()

    def fail_once(batch: Batch) -> None:
        if not failed.is_set():
            failed.set()
            raise NotAbleError("The disk is slow today.")
        apply(batch)

    monkeypatch.setattr(filed.documents, "apply", fail_once)
    monkeypatch.setattr("projections.runner.RETRY_SECONDS", 0.01)
    filed.register("iris")
    assert filed.runner.wait(filed.commits[-1], TIMEOUT)
    assert failed.is_set()
    wait_for(lambda: filed.runner.fault is None)


def test_it_does_not_go_on_from_read_models_that_are_ahead_of_the_log(world: World) -> None:
    world.register("iris")
    world.documents.apply(Batch(100))
    world.runner.start()
    wait_for(lambda: world.runner.fault is not None)
    world.runner.stop()
    assert world.runner.fault is not None
    assert "ahead of the log" in world.runner.fault.sentence
    assert world.runner.fault.position == 100


def test_an_outage_of_the_read_models_is_told_with_the_position_that_they_had(
    filed: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It said position 0, which reads as if all had been lost."""
    filed.register("iris")
    assert filed.runner.wait(filed.commits[-1], TIMEOUT)
    assert filed.runner.position == filed.commits[-1]  # so that the runner has seen it, too

    def sleep() -> int:
        raise NotAbleError("The read models sleep.")

    monkeypatch.setattr(filed.documents, "position", sleep)
    wait_for(lambda: filed.runner.fault is not None)
    assert filed.runner.fault_sentence() == f"position {filed.commits[-1]}: The read models sleep."


def test_stopping_twice_is_safe(world: World) -> None:
    runner = ProjectionRunner(world.feed, world.documents)
    runner.start()
    runner.stop()
    runner.stop()


def test_what_was_mended_from_outside_is_folded_without_a_restart(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.runner.AGAIN_SECONDS", 0.05)
    world.register("iris")
    world.register("wine")
    with world.log.reading() as connection:
        (sound,) = connection.execute("SELECT state FROM stored_events WHERE rowid = ?", (world.commits[1],)).fetchone()
    spoil(world, world.commits[1])
    world.runner.start()
    wait_for(lambda: world.runner.fault is not None)
    assert str(world.runner.fault_sentence()).startswith(f"position {world.commits[1]}: ")
    with world.log.writing() as connection:
        connection.execute("UPDATE stored_events SET state = ? WHERE rowid = ?", (sound, world.commits[1]))
    assert world.runner.wait(world.commits[1], TIMEOUT)
    wait_for(lambda: world.runner.fault_sentence() is None)
    world.runner.stop()


def test_a_log_that_does_not_answer_at_the_start_is_asked_again(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("projections.runner.RETRY_SECONDS", 0.01)
    world.register("iris")
    faults: list[str | None] = []

    def log_end() -> tuple[int, bytes]:
        faults.append(runner.fault_sentence())
        if len(faults) <= 3:
            raise NotAbleError("The log sleeps.")
        return world.feed.end()

    runner = ProjectionRunner(world.feed, world.documents, log_end=log_end)
    runner.start()
    assert runner.wait(world.commits[-1], TIMEOUT)
    wait_for(lambda: runner.fault is None)
    assert runner.is_alive
    runner.stop()
    assert not runner.is_alive
    assert faults == [None, *["position 0: The log sleeps."] * 3]
    assert caplog.text.count("The log sleeps.") == 1  # what lasts is said once


def test_a_right_that_is_missing_is_no_fault_of_an_event(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The cluster's administrator gives it, and it goes on; nothing of the log is wrong meanwhile."""
    monkeypatch.setattr("projections.runner.RETRY_SECONDS", 0.01)
    world.register("iris")
    after, refused = world.feed.after, list[int]()

    def refuse_twice(position: int, limit: int) -> list[Recorded]:
        refused.append(limit)
        if len(refused) <= 2:
            raise ForbiddenError("The right READ on the topic is missing.")
        return after(position, limit)

    monkeypatch.setattr(world.feed, "after", refuse_twice)
    monkeypatch.setattr(world.feed, "raw_after", lambda *_: pytest.fail("looked for a commit that cannot be read"))
    with pytest.raises(ForbiddenError):
        world.runner.step()
    world.runner.start()
    assert world.runner.wait(world.commits[-1], TIMEOUT)
    wait_for(lambda: world.runner.fault is None)
    world.runner.stop()
    assert "projection stopped at 0: The right READ on the topic is missing." in caplog.text
