"""Answers as objects: facts as attributes, what is shown of hostile text, lazy pages, what importing loads."""

from __future__ import annotations

import pickle
import subprocess
import sys
from email.message import Message
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import autolearn
from autolearn import InvalidInputError
from autolearn.answers import Response
from autolearn.methods.history import Experiment
from autolearn.methods.tasks import Training
from autolearn.progress import progress_bar
from autolearn.results import Listing, Pages, Proof, Result
from autolearn.views import View
from tests.house.tracked import ROOT

HOSTILE = "<script>alert(1)</script>\"'&\x1b[31m\u202e"
PROOF = Proof(7, "ab", "3:cd")


def response(**body: Any) -> Response:
    headers = Message()
    headers["AutoLearn-Position"] = "7"
    return Response(200, headers, b"", body, "application/json", is_sealed=True)


class Tags(HTMLParser):
    """Collects the tags and texts of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[Any] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def test_facts_are_attributes_and_later_ones_too() -> None:
    shown = Experiment({"experiment": "k3fu", "seed": 7, "of_a_later_release": [1]}, PROOF)
    assert (shown.experiment, shown.seed, shown.of_a_later_release) == ("k3fu", 7, [1])
    assert (shown.position, shown.head, shown.audit) == (7, "ab", "3:cd")
    assert shown.learned is None, "declared, and not told"
    assert "of_a_later_release" in dir(shown)
    with pytest.raises(AttributeError, match="has no 'sed'"):
        assert shown.sed
    with pytest.raises(AttributeError, match="cannot be changed"):
        shown.seed = 8
    assert pickle.loads(pickle.dumps(shown)).facts == shown.facts  # noqa: S301 - our own


@pytest.mark.parametrize("name", ["_ipython_display_", "_repr_png_", "__array_struct__"])
def test_an_answer_has_nothing_that_a_notebook_would_call(name: str) -> None:
    assert not hasattr(Result({name: 1}, PROOF), name)


@given(st.text(max_size=30) | st.just(HOSTILE), st.text(max_size=30) | st.just(HOSTILE))
def test_no_text_becomes_markup_or_steers_a_terminal(name: str, value: str) -> None:
    facts = {name: value, "note": value, "columns": [value], "settings": {name: value}}
    rows = [facts, {name: value}]
    listing = Listing(response(things=rows), Result, View(lambda body: [body["things"]], rows="things"))
    for answer in (
        Result(facts, PROOF),
        Experiment(facts, PROOF),
        Training(facts | {"experiment": value}, PROOF),
        listing,
    ):
        html = Tags(answer._repr_html_())
        assert html.tags <= {"div", "table", "tr", "th", "td", "p", "br"}
        assert html.attributes == []
        for text in (html.text, str(answer)):
            assert "\x1b" not in text
            assert "\u202e" not in text
        assert repr(answer).isprintable()


def test_pages_are_asked_for_as_they_are_needed() -> None:
    asked: list[tuple[int, str | None]] = []

    def ask(rows: int, cursor: str | None) -> Response:
        asked.append((rows, cursor))
        page = int(cursor or 0)
        things = [{"number": page * 10 + it} for it in range(min(rows, 10))]
        return response(things=things, next=str(page + 1) if page < 3 else None, position=7)

    view = View(lambda body: [body["things"]], rows="things")
    pages: Pages[Result] = Pages(ask, Result, view, None)
    assert asked == [(100, None)]
    assert "first rows" in str(pages)
    rows = iter(pages)
    assert [next(rows).number for _ in range(10)] == list(range(10))
    assert len(asked) == 1
    assert next(rows).number == 10
    assert asked[1:] == [(1000, "1")]
    assert [it.number for it in pages] == list(range(40)), "each loop begins anew"
    assert [it.number for it in Pages(ask, Result, view, 15)] == list(range(15))
    assert asked[-2:] == [(15, None), (5, "1")]
    assert len(pages.to_pandas()) == 40
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(pages)


def test_a_copy_of_a_task_says_how_to_wait() -> None:
    with pytest.raises(InvalidInputError, match=r"backend.wait\('k3fu'\)"):
        Training({"experiment": "k3fu", "state": "started"}, PROOF).wait()


def test_a_bar_is_shown_where_tqdm_is_and_else_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("tqdm.auto", "no.such.package"):
        monkeypatch.setattr("autolearn.progress.find_package", lambda _, name=name: _import(name))
        with progress_bar(HOSTILE, wanted=True) as tell:
            tell("half", 0.5)
            tell("less", 0.2)
            tell("unknown", None)


def _import(name: str) -> Any:
    from autolearn.packages import find_package

    return find_package(name)


def loaded_by(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; print(*sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    return set(done.stdout.split())


def test_importing_the_package_loads_almost_nothing() -> None:
    assert {name for name in loaded_by("import autolearn") if name.startswith("autolearn.")} == set()
    ready = loaded_by("from autolearn import connect")
    late = {
        "http.client",
        "email",
        "csv",
        "tempfile",
        "pandas",
        "tqdm",
        "pyarrow",
        "numpy",
        "asyncio",
        "autolearn.html",
    }
    assert ready & late == set(), "they are loaded by what needs them"


def test_every_name_of_the_package_is_there() -> None:
    assert [name for name in autolearn.__all__ if not hasattr(autolearn, name)] == []
    with pytest.raises(AttributeError, match="no 'conect'"):
        autolearn.conect  # noqa: B018 - a mistake
