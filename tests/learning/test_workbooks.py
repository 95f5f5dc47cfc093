"""Excel, OpenDocument and Feather files are the same tables as their CSV, or get a sentence."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pytest

from adapters.learning.tables import feather, workbook
from domain.errors import BadInputError, TooLargeError
from tests.learning.reading import Read, at
from tests.learning.workbooks import Failed, ods, xlsx

ROWS: list[list[Any]] = [
    ["x", "code", "when", "ok", "note", "cls"],
    [1, "007", at(2024, 1, 2, 10, 20), True, "a\nb", "p"],
    [2.5, "01", at(2024, 1, 3), False, 'say "no", twice', "q"],
    [None, "10", at(2024, 1, 4), True, None, "p"],
]
COLUMNS = {
    "x": "number", "code": "string", "when": "time", "ok": "boolean", "note": "string", "cls": "string",
}  # fmt: skip
CSV = """x,code,when,ok,note,cls
1,007,2024-01-02 10:20,true,"a\nb",p
2.5,01,2024-01-03,false,"say ""no"", twice",q
,10,2024-01-04,true,,p
"""


def test_a_sheet_is_the_same_table_as_its_csv(read: Read) -> None:
    found = read(xlsx({"Data": ROWS}), kind="xlsx")
    assert found.columns == COLUMNS
    assert found.facts["blob"] == read(CSV).facts["blob"]
    assert (found.reading["format"], found.reading["sheet"]) == ("xlsx", "Data")
    assert read(gzip.compress(xlsx({"Data": ROWS})), kind="xlsx").facts["blob"] == found.facts["blob"]
    plain: list[list[Any]] = [["x", "cls"], [1, "a"], [2.5, "b"]]
    assert read(ods(plain), kind="ods").facts["blob"] == read("x,cls\n1,a\n2.5,b\n").facts["blob"]


def test_a_sheet_can_be_chosen(read: Read) -> None:
    content = xlsx({"Empty": [], "Other & more": [["y", "cls"], [1, "a"], [2, "b"]], "Data": ROWS})
    first = read(content, kind="xlsx")
    assert list(first.columns) == ["y", "cls"]
    assert "The sheet 'Other & more' was read; --sheet chooses another: Data." in first.notes
    chosen = read(content, kind="xlsx", sheet="Data")
    assert (chosen.columns, chosen.reading["sheet"]) == (COLUMNS, "Data")
    assert read(content, kind="xlsx", earlier={"sheet": "Data"}).columns == COLUMNS
    with pytest.raises(BadInputError, match="no sheet 'Dat': the workbook has Empty, Other & more, Data"):
        read(content, kind="xlsx", sheet="Dat")
    with pytest.raises(BadInputError, match="The sheet 'Empty' is empty"):
        read(content, kind="xlsx", sheet="Empty")
    with pytest.raises(BadInputError, match="workbook is empty"):
        read(xlsx({"Empty": []}), kind="xlsx")


def test_what_is_told_names_the_row_of_the_sheet(read: Read) -> None:
    rows: list[list[Any]] = [
        ["x", "cls", None],
        [1, "a"],
        [None, None],
        ["1,5", "b"],
        ["n.d.", "b"],
        [3, "a"],
        [4, "a"],
    ]
    found = read(xlsx({"Data": rows}, first_row=4), kind="xlsx")
    assert "4 of 5 values are numbers; line 8: n.d." in found.notes
    assert found.facts["rows"] == 5
    assert read(xlsx({"Data": [["x", "cls"], ["1,461", "a"], ["$5", "b"]]}), kind="xlsx").columns["x"] == "string"
    assert read(xlsx({"Data": [["x", "cls"], ["1,461", "a"], ["12", "b"]]}), kind="xlsx").table["x"] == [1461, 12]


def test_formulas_that_failed_are_refused_and_missing_ones_are_missing(read: Read) -> None:
    rows: list[list[Any]] = [["x", "cls"], [1, "a"], [Failed("#DIV/0!"), "b"]]
    with pytest.raises(BadInputError, match=r"formula of the sheet 'Data' failed: #DIV/0! in A3"):
        read(xlsx({"Data": rows}), kind="xlsx")
    assert (
        read(xlsx({"Other": [["x", "cls"], [1, "a"], [2, "b"]], "Data": rows}), kind="xlsx").columns["x"] == "integer"
    )
    rows[2][0] = Failed("#N/A")
    assert read(xlsx({"Data": rows}), kind="xlsx").table["x"] == [1, None]
    with pytest.raises(BadInputError, match="Formulas of the workbook failed"):
        read(ods([["x", "cls"], [1, "a"], [Failed("#DIV/0!"), "b"]]), kind="ods")


def test_a_password_and_what_is_no_workbook_get_a_sentence(read: Read) -> None:
    ole = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)
    with pytest.raises(BadInputError, match="protected by a password"):
        read(ole + "EncryptedPackage".encode("utf-16-le"), kind="xlsx")
    with pytest.raises(BadInputError, match=r"old format: save it as \.xlsx"):
        read(ole, kind="xlsx")
    with pytest.raises(BadInputError, match="protected by a password"):
        read(ods([["x", "cls"]], encrypted=True), kind="ods")
    whole = xlsx({"Data": ROWS})
    empty = io.BytesIO()
    zipfile.ZipFile(empty, "w").close()
    shifted = ods([["x", "cls"], [1, "a"]])[:150] + ods([["x", "cls"], [1, "a"]])[157:]
    for content in (
        b"",
        CSV.encode(),
        shifted,
        whole[:-40],
        whole[:200] + b"\xff" * 50 + whole[250:],
        empty.getvalue(),
    ):
        with pytest.raises(BadInputError, match=r"not a workbook|damaged|is empty"):
            read(content, kind="xlsx")


def test_a_sheet_that_would_not_fit_is_refused_before_it_is_read(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    far = xlsx({"Data": [["x", "cls"], [1, "a"]]}, first_row=1_048_570)
    monkeypatch.setattr(workbook, "MOST_CELLS", 2_000_000)
    with pytest.raises(TooLargeError, match="2,097,142 cells: at most 2,000,000"):
        read(far, kind="xlsx")
    monkeypatch.setattr(workbook, "LARGEST_SHEET", 100)
    with pytest.raises(TooLargeError):
        read(far, kind="xlsx")


# -- Feather ---------------------------------------------------------------------------------------------------------


def feathered(table: pa.Table, tmp_path: Path, **options: Any) -> bytes:
    path = tmp_path / "made.feather"
    pyarrow.feather.write_feather(table, str(path), **options)
    return path.read_bytes()


def test_feather_is_the_same_table_as_its_csv(read: Read, tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": [1, 2, 3], "word": pd.Categorical(["u", "v", "u"]), "cls": ["a", "b", "a"]})
    table = pa.Table.from_pandas(frame)
    expected = read("x,word,cls\n1,u,a\n2,v,b\n3,u,a\n").facts["blob"]
    ways: list[dict[str, Any]] = [{}, {"compression": "uncompressed"}, {"compression": "zstd", "chunksize": 1}]
    for options in ways:
        found = read(feathered(table, tmp_path, **options), kind="feather")
        assert (found.facts["blob"], found.reading["format"]) == (expected, "feather")
    indexed = pa.Table.from_pandas(frame.set_index(pd.Index(["r", "s", "t"])))
    left = read(feathered(indexed, tmp_path), kind="feather")
    assert (left.facts["blob"], left.reading["left_out"]) == (expected, ["__index_level_0__"])


def test_bad_feather_gets_a_sentence(read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = pa.table({"x": [1, 2], "cls": ["a", "b"]})
    whole = feathered(table, tmp_path)
    for content in (b"", b"ARROW1", CSV.encode(), whole[:-20], whole[:360] + b"\xff" * 60 + whole[420:]):
        with pytest.raises(BadInputError, match="not Feather"):
            read(content, kind="feather")
    with pytest.raises(BadInputError, match="first version"):
        read(b"FEA1" + whole, kind="feather")
    with pytest.raises(BadInputError, match="'x' holds list"):
        read(feathered(pa.table({"x": [[1], [2]], "cls": ["a", "b"]}), tmp_path), kind="feather")
    monkeypatch.setattr(feather, "MOST_VALUES", 3)
    with pytest.raises(TooLargeError):
        read(whole, kind="feather")


def test_types_and_missing_texts_can_be_given_for_typed_files(read: Read, tmp_path: Path) -> None:
    table = pa.table({"zip": [1234, 501], "n": ["1", "?"], "cls": ["a", "b"]})
    found = read(feathered(table, tmp_path), kind="feather", types={"zip": "string", "n": "number"}, missing=["?"])
    assert found.columns == {"zip": "string", "n": "number", "cls": "string"}
    assert (found.table["zip"], found.table["n"]) == (["1234", "501"], [1.0, None])
    assert read(feathered(table, tmp_path), kind="feather").columns["n"] == "string"
