"""The history index: pages are what a naive evaluation gives, now and at any position, whatever the plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.history import walk
from adapters.history.search import Costs
from projections.filters.conditions import And, Between, Compare, Condition, IsNone, IsSome, Not, OneOf, Or
from projections.ports import OPEN, Batch, HistoryQuery, HistoryRow, Mark, Page, Sort
from tests.contracts.oracle import page_of
from tests.contracts.read_models import PROPERTY_STORES, Read, Store, opened

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
VALUES: tuple[Any, ...] = (0, 1, 1.0, 2.5, -3, 10, "", "auto", "1", "é", None, True, False, 2**63, float("inf"))
ORDERED = tuple(value for value in VALUES if value is not None and not isinstance(value, bool))
NAMES = ("measure.precision:macro", "measure.f1", "setting.C", "setting.depth")
MODELS, ACTORS = ("svm", "tree", "bayes"), ("ana", "ben")
TEXTS = {"model": MODELS, "dataset": ("iris", "wine"), "actor": ACTORS, "session": ("ana-1", "ben-2")}
LIMITS = (1, 2, 3, 7)


def facts() -> st.SearchStrategy[dict[str, Any]]:
    numbers = st.sampled_from([0.1, 0.5, 0.5, 1, 0])
    measures = st.dictionaries(st.sampled_from(NAMES[:2]), numbers)
    return st.builds(dict.__or__, measures, st.dictionaries(st.sampled_from(NAMES[2:]), st.sampled_from(VALUES)))


def simple(names: tuple[str, ...], values: tuple[Any, ...], ordered: tuple[Any, ...]) -> st.SearchStrategy[Condition]:
    name, value, order = st.sampled_from(names), st.sampled_from(values), st.sampled_from(ordered)
    same_kind = st.tuples(order, order).filter(lambda pair: isinstance(pair[0], str) == isinstance(pair[1], str))
    return st.one_of(
        st.builds(Compare, name, st.sampled_from(["=", "!="]), value),
        st.builds(Compare, name, st.sampled_from(["<", "<=", ">", ">="]), order),
        st.builds(OneOf, name, st.lists(value, min_size=1, max_size=3).map(tuple)),
        st.builds(lambda name, pair: Between(name, *pair), name, same_kind),
    )


def times(offsets: tuple[int, ...] = (0, 1, 3, 7, 30)) -> tuple[datetime, ...]:
    return tuple(BEGIN + timedelta(minutes=offset) for offset in offsets)


SIMPLE = st.one_of(
    simple(NAMES, tuple(v for v in VALUES if v is not None), ORDERED),
    st.builds(IsNone, st.sampled_from(NAMES)),
    st.builds(IsSome, st.sampled_from(NAMES)),
    *(simple((name,), known, known) for name, known in TEXTS.items()),
    simple(("experiment",), ("e3", "e7"), ("e3", "e7")),
    simple(("position",), (1, 2, 5, 2**80), (0, 3, 9, -1)),
    simple(("committed_at",), times(), times()),
)
CONDITIONS = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(lambda parts: And(tuple(parts)), st.lists(inner, min_size=2, max_size=3)),
        st.builds(lambda parts: Or(tuple(parts)), st.lists(inner, min_size=2, max_size=3)),
    ),
    max_leaves=5,
)
ON_ONE_DATA_SET = st.builds(Compare, st.just("dataset"), st.just("="), st.sampled_from(TEXTS["dataset"]))
ABOUT_THE_SORT = st.tuples(st.sampled_from(NAMES), st.sampled_from(ORDERED), st.booleans()).flatmap(
    lambda it: st.tuples(
        simple(it[:1], (it[1],), (it[1],)) | st.just(IsNone(it[0])) | ON_ONE_DATA_SET, st.just(Sort(it[0], it[2]))
    )
)
SORTS = st.builds(Sort, st.sampled_from(["n", *NAMES]), st.booleans())


@st.composite
def histories(draw: st.DrawFn) -> list[HistoryRow]:
    """Draw versions of rows in the order in which a log makes them."""
    rows: dict[int, HistoryRow] = {}
    versions: list[HistoryRow] = []
    for position in range(1, draw(st.integers(0, 14)) + 1):
        again = draw(st.booleans()) and rows
        n = draw(st.sampled_from(sorted(rows))) if again else position * 1024 + 1023
        row = _row(draw, n, position, rows.get(n))
        rows[n] = row
        versions.append(row)
    return versions


def _row(draw: st.DrawFn, n: int, position: int, before: HistoryRow | None) -> HistoryRow:
    text = {name: draw(st.sampled_from(known)) for name, known in TEXTS.items()}
    at = before.committed_at if before else BEGIN + timedelta(minutes=position // 2)
    withdrawn = draw(st.integers(0, 3)) == 0
    body = {"experiment": f"e{n // 1024}", "session": before.body["session"] if before else text["session"]}
    known = (text["model"], text["dataset"], text["actor"], at, withdrawn)
    return HistoryRow(n, position, OPEN, *known, body, draw(facts()))


def closed(versions: list[HistoryRow]) -> list[HistoryRow]:
    """Close each version where the next one of its row begins."""
    ends: dict[int, int] = {}
    result = []
    for row in reversed(versions):
        known = (row.model, row.dataset, row.actor, row.committed_at, row.withdrawn, row.body, row.facts)
        result.append(HistoryRow(row.n, row.from_, ends.get(row.n, OPEN), *known))
        ends[row.n] = row.from_
    return result[::-1]


def filled(read: Read, versions: list[HistoryRow], size: int) -> None:
    for begin in range(0, len(versions), size):
        piece = versions[begin : begin + size]
        read.documents.apply(Batch(piece[-1].from_, [], piece))


def pages(read: Read, query: HistoryQuery) -> Iterator[Page]:
    mark: Mark | None = None
    while True:
        page = read.history.page(HistoryQuery(query.at, query.where, query.sort, mark, query.limit, query.withdrawn))
        yield page
        mark = page.next
        if mark is None:
            return


@pytest.fixture(scope="module", params=PROPERTY_STORES)
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with opened(request.param, tmp_path_factory.mktemp("read"), lambda: request.getfixturevalue("mongodb")) as store:
        yield store


@pytest.fixture
def read(store: Store) -> Iterator[Read]:
    with store.empty() as read:
        yield read


Written = tuple[list[HistoryRow], int]  # versions, and how many of them a batch has


def check(store: Store, written: Written, where: Condition | None, sort: Sort, limit: int) -> None:
    versions, size = written
    with store.empty() as read:
        filled(read, versions, size)
        rows = closed(versions)
        for at in {0, len(versions) // 2, len(versions)}:
            for withdrawn in (False, True):
                query = HistoryQuery(at, where, sort, None, limit, withdrawn)
                found = list(pages(read, query))
                assert [row["experiment"] for page in found for row in page.rows] == page_of(rows, query)
                assert all(len(page.rows) <= limit and page.position == at for page in found)


def in_small_pieces(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name, value in (*store.SOON_CUT_SHORT, (walk, "FIRST_PIECE", 0)):
        monkeypatch.setattr(module, name, value)


def walking_alone(store: Store, budget: int) -> Costs:
    costs: Costs = store.finder.COSTS
    return replace(costs, budget=budget, caps=())


WRITTEN = st.tuples(histories(), st.integers(1, 5))


def test_pages_are_what_a_naive_evaluation_gives(store: Store) -> None:
    @given(WRITTEN, CONDITIONS | st.none(), SORTS, st.sampled_from(LIMITS))
    @settings(max_examples=int(80 * store.share))
    def equal(written: Written, where: Condition | None, sort: Sort, limit: int) -> None:
        check(store, written, where, sort, limit)

    equal()


def test_so_they_are_where_the_filter_is_about_what_is_sorted_by(store: Store) -> None:
    @given(WRITTEN, ABOUT_THE_SORT, CONDITIONS | st.none(), st.sampled_from(LIMITS))
    @settings(max_examples=int(60 * store.share))
    def equal(written: Written, about: tuple[Condition, Sort], where: Condition | None, limit: int) -> None:
        check(store, written, And((about[0], where)) if where else about[0], about[1], limit)

    equal()


def test_so_they_are_in_small_pieces_and_within_a_small_budget(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    in_small_pieces(store, monkeypatch)

    @given(WRITTEN, CONDITIONS | st.none(), SORTS, st.integers(1, 4))
    @settings(max_examples=int(50 * store.share))
    def equal(written: Written, where: Condition | None, sort: Sort, budget: int) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(store.finder, "COSTS", walking_alone(store, budget))
            check(store, written, where, sort, 2)

    equal()


@pytest.mark.parametrize("descending", [True, False])
def test_so_they_are_where_the_budget_ends_before_the_rows_that_lack_the_value(
    store: Store, monkeypatch: pytest.MonkeyPatch, *, descending: bool
) -> None:
    in_small_pieces(store, monkeypatch)
    monkeypatch.setattr(store.finder, "COSTS", walking_alone(store, 2))
    rows = [replace(example(position), facts={"setting.C": 1}) for position in range(1, 6)]
    rows[3:] = [replace(row, facts={"setting.C": 1, "measure.f1": 0.5}) for row in rows[3:]]
    check(store, (rows, 5), Compare("setting.C", "=", 1), Sort("measure.f1", descending), 2)


def test_so_they_are_where_a_rare_condition_leads(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "FIRST_PIECE", 0)
    monkeypatch.setattr(walk.Walk, "cost", lambda _: 1e9)

    @given(WRITTEN, CONDITIONS, SORTS)
    @settings(max_examples=int(50 * store.share))
    def equal(written: Written, where: Condition, sort: Sort) -> None:
        check(store, written, where, sort, 1)

    equal()


def example(position: int, *, from_: int | None = None, withdrawn: bool = False, value: float = 0.5) -> HistoryRow:
    body = {"experiment": f"e{position}", "session": "ana-1"}
    at = BEGIN + timedelta(minutes=position)
    row = (position * 1024 + 1023, from_ or position, OPEN, "svm", "iris", "ana", at, withdrawn, body)
    return HistoryRow(*row, {"measure.f1": value})


def test_pages_do_not_shift_while_others_commit(read: Read) -> None:
    filled(read, [example(position) for position in range(1, 8)], 7)
    query = HistoryQuery(7, None, Sort("measure.f1"), None, 3)
    first = read.history.page(query)
    filled(read, [example(8, value=0.9), example(3, from_=9, withdrawn=True), example(5, from_=10, value=0.1)], 1)
    second = read.history.page(HistoryQuery(7, None, query.sort, first.next, 10))
    assert [row["experiment"] for row in first.rows + second.rows] == ["e7", "e6", "e5", "e4", "e3", "e2", "e1"]
    assert second.next is None


def test_withdrawn_rows_leave_and_come_back(read: Read) -> None:
    life = [example(1), example(2), example(1, from_=3, withdrawn=True), example(1, from_=4)]
    filled(read, life, 1)
    shown = {at: [row["experiment"] for row in read.history.page(HistoryQuery(at)).rows] for at in (2, 3, 4)}
    assert shown == {2: ["e2", "e1"], 3: ["e2"], 4: ["e2", "e1"]}
    assert len(read.history.page(HistoryQuery(3, withdrawn=True)).rows) == 2


def test_versions_come_with_their_facts(read: Read) -> None:
    life = [example(1), example(2), example(1, from_=3, value=0.9)]
    filled(read, life, 2)
    assert list(read.history.all_versions()) == sorted(closed(life), key=lambda row: (row.n, row.from_))
    assert list(read.history.versions(2)) == [row for row in closed(life) if row.from_ <= 2 < row.to]
