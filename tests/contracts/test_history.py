"""The history index: pages are what a naive evaluation gives, now and at any position, whatever the plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.history import pager
from adapters.history.pager import IndexScan, PageRow
from projections.filters.conditions import And, Between, Compare, Condition, IsNone, IsSome, Not, OneOf, Or
from projections.ports import OPEN, Batch, HistoryQuery, HistoryRow, Offset, Page, Sort
from tests.contracts.oracle import page_of
from tests.contracts.read_models import PROPERTY_STORES, Read, Store, opened

VALUES: tuple[Any, ...] = (0, 1, 1.0, 2.5, -3, 10, "", "auto", "1", "é", None, True, False, 2**63, float("inf"))
ORDERED = tuple(value for value in VALUES if value is not None and not isinstance(value, bool))
NAMES = ("measure.precision:macro", "measure.f1:binary/cv5x3/t0.3.std", "setting.C", "setting.depth")
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


SIMPLE = st.one_of(
    simple(NAMES, tuple(v for v in VALUES if v is not None), ORDERED),
    st.builds(IsNone, st.sampled_from(NAMES)),
    st.builds(IsSome, st.sampled_from(NAMES)),
    *(simple((name,), known, known) for name, known in TEXTS.items()),
    simple(("experiment",), ("e3", "e7"), ("e3", "e7")),
    simple(("position",), (1, 2, 5, 2**80, -5), (0, 3, 9, -1)),
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
    withdrawn = draw(st.integers(0, 3)) == 0
    text["experiment"] = f"e{n // 1024}"
    text["session"] = before.body["session"] if before else text["session"]
    body = {"experiment": text["experiment"], "session": text["session"]}
    return HistoryRow(n, position, OPEN, withdrawn, body, text | draw(facts()))


def closed(versions: list[HistoryRow]) -> list[HistoryRow]:
    """Close each version where the next one of its row begins."""
    ends: dict[int, int] = {}
    result = []
    for row in reversed(versions):
        result.append(replace(row, to=ends.get(row.n, OPEN)))
        ends[row.n] = row.from_
    return result[::-1]


def filled(read: Read, versions: list[HistoryRow], size: int) -> None:
    for begin in range(0, len(versions), size):
        piece = versions[begin : begin + size]
        read.documents.apply(Batch(piece[-1].from_, [], piece))


def pages(read: Read, query: HistoryQuery) -> Iterator[Page]:
    after: Offset | None = None
    while True:
        page = read.history.page(replace(query, after=after))
        yield page
        after = page.next
        if after is None:
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


def bounded(patch: pytest.MonkeyPatch, store: Store, budget: int, cost: int) -> None:
    """`cost`: of an entry of a condition's index, beside 1 for an entry in the order of the page."""
    patch.setattr(store.rows, "budget", budget)
    patch.setattr(store.rows, "cost", lambda _, scan: 1 if scan.in_order else cost)


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


def test_so_they_are_where_little_is_looked_at_for_a_page(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    @given(WRITTEN, CONDITIONS | st.none(), SORTS, st.integers(1, 4), st.integers(1, 3))
    @settings(max_examples=int(60 * store.share))
    def equal(written: Written, where: Condition | None, sort: Sort, entries: int, first: int) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pager, "FIRST_LOOK", first)
            bounded(patch, store, entries, 10)
            check(store, written, where, sort, 2)

    equal()


@pytest.mark.parametrize("descending", [True, False])
def test_so_they_are_where_the_bound_comes_before_the_rows_that_lack_the_value(
    store: Store, monkeypatch: pytest.MonkeyPatch, *, descending: bool
) -> None:
    monkeypatch.setattr(pager, "FIRST_LOOK", 1)
    bounded(monkeypatch, store, 2, 10)
    rows = [without_f1(example(position)) for position in range(1, 6)]
    rows[3:] = [replace(row, facts=row.facts | {"measure.f1": 0.5}) for row in rows[3:]]
    check(store, (rows, 5), Compare("model", "=", "svm"), Sort("measure.f1", descending), 2)


def without_f1(row: HistoryRow) -> HistoryRow:
    return replace(row, facts={name: value for name, value in row.facts.items() if name != "measure.f1"})


def test_so_they_are_where_a_rare_condition_is_read_whole(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pager, "FIRST_LOOK", 1)
    bounded(monkeypatch, store, 10**9, 1)

    @given(WRITTEN, CONDITIONS, SORTS)
    @settings(max_examples=int(60 * store.share))
    def equal(written: Written, where: Condition, sort: Sort) -> None:
        check(store, written, where, sort, 1)

    equal()


def example(position: int, *, from_: int | None = None, withdrawn: bool = False, value: float = 0.5) -> HistoryRow:
    body = {"experiment": f"e{position}", "session": "ana-1"}
    facts = {"model": "svm", "dataset": "iris", "actor": "ana", **body, "measure.f1": value}
    return HistoryRow(position * 1024 + 1023, from_ or position, OPEN, withdrawn, body, facts)


BELOW_ONE = (Compare("position", "=", -1), OneOf("position", (-5, 1)), Between("position", -5, 10))


@pytest.mark.parametrize("where", BELOW_ONE, ids=["equal", "one of", "between"])
@pytest.mark.parametrize("descending", [True, False])
def test_positions_below_one_are_none_of_a_row(store: Store, where: Condition, *, descending: bool) -> None:
    rows = [example(position) for position in range(1, 4)]
    check(store, (rows, 3), where, Sort("measure.f1", descending), 2)


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


def scans_of(store: Store, monkeypatch: pytest.MonkeyPatch, rows: list[HistoryRow], query: HistoryQuery) -> list[str]:
    """Which indexes a page reads, `n` for row numbers, and that a scan in order has an end where it has one."""
    read_of_it: list[str] = []
    read = store.rows.read

    def noted(self: Any, scan: IndexScan, until: Offset | None, most: int) -> list[PageRow]:
        read_of_it.append(f"{scan.index.name if scan.index else 'n'}{'' if until else ' whole'}")
        return read(self, scan, until, most)

    monkeypatch.setattr(store.rows, "read", noted)
    monkeypatch.setattr(pager, "FIRST_LOOK", 10)
    with store.empty() as it:
        filled(it, rows, len(rows))
        it.history.page(query)
    return read_of_it


def marked(numbers: range, name: str, value: Any) -> list[HistoryRow]:
    """100 rows, of which those of some positions have a fact of this value, and the others 0."""
    rows = [example(position, value=position / 100) for position in range(1, 101)]
    return [replace(row, facts=row.facts | {name: value if row.from_ in numbers else 0}) for row in rows]


def test_a_rare_condition_is_read_whole_instead_of_a_long_scan(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = marked(range(1, 4), "setting.C", 7)
    by_value = HistoryQuery(100, Compare("setting.C", "=", 7), Sort("measure.f1"), None, 5)
    assert scans_of(store, monkeypatch, rows, by_value) == ["measure.f1", "setting.C whole", "setting.C whole"]
    by_number = HistoryQuery(100, Compare("setting.C", ">", 6), Sort(), None, 5)
    assert scans_of(store, monkeypatch, rows, by_number) == ["n", "setting.C whole"]


def test_a_frequent_condition_is_not(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = marked(range(1, 101, 2), "setting.C", 7)
    query = HistoryQuery(100, Compare("setting.C", ">", 6), Sort("measure.f1"), None, 10)
    assert scans_of(store, monkeypatch, rows, query) == ["measure.f1", "measure.f1"]


def test_the_index_that_gets_farthest_is_scanned_on(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = marked(range(1, 101, 4), "setting.C", 7)
    where = And((Compare("model", "=", "svm"), Compare("setting.C", "=", 7), Compare("measure.f1", "!=", 0.5)))
    found = scans_of(store, monkeypatch, rows, HistoryQuery(100, where, Sort(), None, 15))
    assert found == ["model", "setting.C", "setting.C whole"]


def test_an_early_position_has_few_rows_and_those_are_sorted(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = marked(range(1, 4), "setting.C", 7)
    found = scans_of(store, monkeypatch, rows, HistoryQuery(3, None, Sort("measure.f1"), None, 5))
    assert found == ["measure.f1", "n whole", "n whole"]


def test_what_is_looked_at_for_a_page_is_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    bounded(monkeypatch, store, 50, 10)
    rows = marked(range(1, 2), "setting.C", 7)
    query = HistoryQuery(100, Not(Compare("setting.C", "=", 0)), Sort(), None, 5)
    assert scans_of(store, monkeypatch, rows, query) == ["n", "n"]
