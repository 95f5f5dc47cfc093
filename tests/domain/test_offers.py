"""Offers follow the installed distributions: the same digest changes nothing, a lower version replaces nothing."""

from __future__ import annotations

import pytest

from domain.errors import ConflictError, NotFoundError
from domain.offer import (
    Description,
    MeasureOffered,
    MeasureWithdrawn,
    ModelOffered,
    ModelWithdrawn,
    Offer,
)
from domain.values import ModelRef
from tests.domain.specification import Specification, fact


def description(version: str = "1.9", digest: str = "a", distribution: str = "scikit-learn") -> Description:
    return Description(distribution=distribution, version=version, description="Fits.", settings={}, digest=digest)


KNOWN = description()
blank = Specification(Offer, "model:svm")
offered = blank.given(fact(ModelOffered, description=KNOWN))
withdrawn = offered.given(fact(ModelWithdrawn))


def test_offers_a_model() -> None:
    outcome = blank.when(lambda it: it.offer(KNOWN))
    assert outcome.then(fact(ModelOffered, description=KNOWN)).is_offered
    assert outcome.returned is True


def test_offers_a_measure() -> None:
    measure = Specification(Offer, "measure:recall")
    measure.when(lambda it: it.offer(KNOWN)).then(fact(MeasureOffered, description=KNOWN))


def test_pins_what_is_offered() -> None:
    assert offered.aggregate().ref() == ModelRef(name="svm", version="1.9", distribution="scikit-learn")


@pytest.mark.parametrize("version", ["1.9", "1.10"])
def test_the_same_digest_is_no_news(version: str) -> None:
    outcome = offered.when(lambda it: it.offer(description(version)))
    outcome.then()
    assert outcome.returned is False


@pytest.mark.parametrize("version", ["1.8", "1.9rc1", "0.99.9"])
def test_a_lower_version_replaces_nothing(version: str) -> None:
    offered.when(lambda it: it.offer(description(version, "b"))).then()


@pytest.mark.parametrize("version", ["1.9", "1.10", "1.9.post1", "not a version"])
def test_another_digest_of_a_version_that_is_not_lower_is_offered(version: str) -> None:
    new = description(version, "b")
    offered.when(lambda it: it.offer(new)).then(fact(ModelOffered, description=new))


def test_versions_of_different_distributions_do_not_compare() -> None:
    other = description("0.1", "b", "other")
    offered.when(lambda it: it.offer(other)).then(fact(ModelOffered, description=other))


def test_withdraws() -> None:
    gone = offered.when(Offer.withdraw).then(fact(ModelWithdrawn))
    assert not gone.is_offered


def test_withdraws_a_measure() -> None:
    measure = Specification(Offer, "measure:recall", fact(MeasureOffered, description=KNOWN))
    measure.when(Offer.withdraw).then(fact(MeasureWithdrawn))


def test_withdraws_only_once() -> None:
    withdrawn.when(Offer.withdraw).refused(ConflictError, "withdrawn already")


def test_withdraws_nothing_unknown() -> None:
    blank.when(Offer.withdraw).refused(NotFoundError, "no model 'svm'")


def test_what_is_withdrawn_or_unknown_has_no_description() -> None:
    withdrawn.when(Offer.require_description).refused(NotFoundError, "no model 'svm'")
    blank.when(Offer.ref).refused(NotFoundError, "no model 'svm'")


def test_only_news_brings_a_withdrawn_one_back() -> None:
    withdrawn.when(lambda it: it.offer(KNOWN)).then()
    new = description("2.0", "b")
    assert withdrawn.when(lambda it: it.offer(new)).then(fact(ModelOffered, description=new)).is_offered
