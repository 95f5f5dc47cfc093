"""Who rebuilds asks by way of MongoDB that the new read models may serve, and hears how it went."""

from __future__ import annotations

import pytest

from adapters.distributed.mongo import Mongo
from adapters.distributed.projection.adoption import Adoptions
from domain.errors import NotAbleError

TIMEOUT = 30.0


def test_an_adoption_is_noticed_and_its_end_is_reported(mongo: Mongo) -> None:
    asking, doing = Adoptions(mongo), Adoptions(mongo)
    assert doing.pending() is None
    asked = asking.request(7)
    assert (doing.pending(), asked.done()) == (7, False)
    doing.answer(7)
    assert asked.result(TIMEOUT) is None
    assert doing.pending() is None


def test_a_refusal_is_reported(mongo: Mongo) -> None:
    asked = Adoptions(mongo).request(7)
    Adoptions(mongo).answer(7, "position 3: cannot be folded")
    with pytest.raises(NotAbleError, match="position 3: cannot be folded"):
        asked.result(TIMEOUT)


def test_whoever_rebuilds_last_is_heard(mongo: Mongo) -> None:
    adoptions = Adoptions(mongo)
    first, second = adoptions.request(7), adoptions.request(8)
    with pytest.raises(NotAbleError, match="Another rebuild came"):
        first.result(TIMEOUT)
    assert adoptions.pending() == 8
    adoptions.answer(7)
    assert adoptions.pending() == 8
    adoptions.answer(8)
    second.result(TIMEOUT)


def test_a_wish_can_be_given_up(mongo: Mongo) -> None:
    adoptions = Adoptions(mongo)
    asked = adoptions.request(7)
    assert asked.cancel()
    adoptions.answer(7)
    assert asked.cancelled()
