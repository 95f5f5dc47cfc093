"""Tables that people bring: each is read as it is meant, told where that is in doubt, or refused with a reason.

`tests/tables` has small files after faults that users of such software reported; the others are their neighbours.
"""

from __future__ import annotations

import gzip

import pytest

from domain.errors import BadInputError
from tests.learning.reading import TABLES, Read, table

# -- separators, quotes, line ends, encodings ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "separator", "columns"),
    [
        ("header-comma", ";", {"size, cm": "number", "note": "string", "cls": "string"}),
        ("sep-line", ";", {"cls": "string", "x": "number"}),
        ("pipe", "|", {"cls": "string", "x": "number"}),
        ("tab", "\t", {"cls": "string", "x": "number"}),
    ],
)
def test_the_separator_is_found(read: Read, name: str, separator: str, columns: dict[str, str]) -> None:
    found = read(table(name))
    assert (found.columns, found.reading["separator"]) == (columns, separator)
    assert found.facts["rows"] == 40


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", "^", "~", ":", " "])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("kind", ["csv", "tsv"])
def test_any_separator_and_any_line_end(read: Read, separator: str, end: str, kind: str) -> None:
    text = end.join(separator.join(row) for row in (["x", "y", "cls"], ["1", "2.5", "a"], ["2", "3.5", "b"])) + end
    found = read(text, kind=kind)
    assert found.columns == {"x": "integer", "y": "number", "cls": "string"}
    assert found.reading["separator"] == separator


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("x,cls,a;b\n1,p,u;v\n2,q,w;x\n", ["x", "cls", "a;b"]),
        ('"a,b";cls\n"1,5";p\n2;q\n', ["a,b", "cls"]),
        ("'a,b','cls'\n'1,5','p'\n'it''s','q'\n", ["a,b", "cls"]),
        ("\n\nx,cls\n1,a\n\n2,b\n", ["x", "cls"]),
        ("\ufeffsep=|\nx|cls\n1|a\n2|b\n", ["x", "cls"]),
        ('"sep=;"\r\nx;cls\r\n1;a\r\n2;b\r\n', ["x", "cls"]),
        ('"x\ny",cls\n1,a\n2,b\n', None),
        ("x y,cls\n1 2,a\n3 4,b\n", ["x y", "cls"]),
        ("x , cls\n1 , a\n2 , b\n", ["x", "cls"]),
        ("time,cls\n10:30,a\n11:30,b\n", ["time", "cls"]),
    ],
)
def test_the_first_line_tells_the_separator(read: Read, text: str, columns: list[str] | None) -> None:
    if columns is None:
        with pytest.raises(BadInputError, match="control characters"):
            read(text)
    else:
        assert list(read(text).columns) == columns


def test_quotes_of_both_kinds_keep_separators_and_line_ends(read: Read) -> None:
    assert read('x,cls\n"1\n2",a\n"say ""yes"", no",b\n').table["x"] == ["1\n2", 'say "yes", no']
    assert read("'x','cls'\n'1,2','a'\n'it''s','b'\n").table["x"] == ["1,2", "it's"]
    assert read("x,cls\nit's,a\n'tis,b\n").table["x"] == ["it's", "'tis"]


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"), ("utf-8-sig", "utf-8"), ("utf-16", "utf-16"), ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"), ("utf-32", "utf-32"), ("cp1252", "cp1252"), ("latin-1", "cp1252"),
    ],
)  # fmt: skip
def test_the_encoding_is_found(read: Read, encoding: str, found: str) -> None:
    text = "größe,cls\nkühl,ä\nwarm,ö\n"
    got = read(text.encode(encoding))
    assert (got.columns, got.facts["classes"]) == ({"größe": "string", "cls": "string"}, ["ä", "ö"])
    assert got.reading["encoding"] == found
    assert ("was read as cp1252" in got.notes) == (found == "cp1252")
    assert read(gzip.compress(text.encode(encoding))).facts["blob"] == got.facts["blob"]


def test_an_encoding_can_be_given(read: Read) -> None:
    text = "x,cls\nžluť,a\nkůň,b\n"
    assert read(text.encode("cp1250"), encoding="cp1250").table["x"] == ["žluť", "kůň"]
    with pytest.raises(BadInputError, match="Line 2 is not ascii text: give another --encoding"):
        read(text, encoding="ascii")
    for wrong in ("klingon", "base64", "utf-8\0"):
        with pytest.raises(BadInputError, match="There is no encoding"):
            read(text, encoding=wrong)
    assert read(b"x,cls\n\x81,a\n2,b\n").reading["encoding"] == "latin-1"
    assert read(b"x,cls\n1,a\n2,\xc3\x81\n3,\xc3").reading["encoding"] == "latin-1", "cut within a character"


def test_a_separator_can_be_given(read: Read) -> None:
    assert read("x!cls\n1!a\n2!b\n", separator="!").columns == {"x": "integer", "cls": "string"}
    assert read("x\tcls\n1\ta\n2\tb\n", separator="tab").reading["separator"] == "\t"
    with pytest.raises(BadInputError, match="There is no column 'cls'"):
        read("x,cls\n1,a\n2,b\n", separator=";")
    for wrong in (";;", "§", '"', ""):
        with pytest.raises(BadInputError, match="separator"):
            read("x,cls\n1,a\n", separator=wrong)


# -- missing values --------------------------------------------------------------------------------------------------


def test_the_spelling_of_a_missing_class_is_named_and_can_be_kept(read: Read) -> None:
    with pytest.raises(BadInputError, match=r"20 missing values \('NA' 20 times\).*--missing ''"):
        read(table("na-class"))
    kept = read(table("na-class"), missing=[""])
    assert kept.facts["classes"] == ["EU", "NA"]
    assert kept.reading["missing_texts"] == [""]


def test_rows_without_a_target_can_be_dropped(read: Read) -> None:
    with pytest.raises(BadInputError, match=r"1 missing value \(1 empty\): drop those rows with --drop-missing-target"):
        read(table("target-missing"))
    found = read(table("target-missing"), drop_missing_target=True)
    assert (found.facts["rows"], found.reading["rows_dropped"]) == (39, 1)
    assert None not in found.table["cls"]


def test_missing_values_are_counted_by_their_spelling(read: Read) -> None:
    found = read("x,y,cls\n1,u,a\nNA,,b\n  ,null,a\n3, n/a ,b\n")
    assert found.columns == {"x": "integer", "y": "string", "cls": "string"}
    assert found.table["y"] == ["u", None, None, None]
    assert found.reading["missing"] == {"NA": 1, "": 2, "null": 1, "n/a": 1}
    words = read("x,cls\nNA,a\n-,b\n,a\n5,b\n", missing=["-", "NA"])
    assert (words.table["x"], words.reading["missing"]) == ([None, None, None, 5], {"NA": 1, "-": 1, "": 1})


# -- columns and the first line --------------------------------------------------------------------------------------


def test_an_empty_column_without_a_name_goes_and_the_index_of_pandas_too(read: Read) -> None:
    trailing = read(table("trailing"))
    assert list(trailing.columns) == ["x", "cls"]
    assert "Column 3 was left out: it has no name and no values." in trailing.notes
    index = read(table("index"))
    assert (list(index.columns), index.reading["left_out"]) == (["x", "cls"], ["Unnamed: 0"])
    assert "it is the index of pandas" in index.notes
    parquet = read(TABLES / "pandas-index.parquet", kind="parquet")
    assert (list(parquet.columns), parquet.reading["left_out"]) == (["x", "cls"], ["__index_level_0__"])


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("x,cls\n1,a,\n2,b,\n", ["x", "cls"]),  # rows end with a separator, the names do not
        ("x,cls,\n1,a\n2,b\n", ["x", "cls"]),  # and the other way round
        ("x,cls,,,\n1,a,,,\n2,b,,,\n", ["x", "cls"]),
        ("x,,cls\n1,,a\n2,,b\n", ["x", "cls"]),
        ("x,cls\nr1,1,a\nr2,2,b\n", ["x", "cls"]),  # R writes no name for its row names
        (",Unnamed: 0,x,cls\n0,0,1,a\n1,1,2,b\n", ["x", "cls"]),  # written twice
        ("Unnamed: 0.1,Unnamed: 0,x,cls\n0,0,1,a\n1,1,2,b\n", ["x", "cls"]),
        (",x,cls\nAlpha,1,a\nBeta,2,b\n", ["x", "cls"]),
    ],
)
def test_columns_that_hold_no_data_go(read: Read, text: str, columns: list[str]) -> None:
    found = read(text)
    assert list(found.columns) == columns
    assert found.facts["rows"] == 2


def test_a_row_is_not_taken_for_the_names(read: Read) -> None:
    with pytest.raises(BadInputError, match=r"no column 'a' to be the target\. The columns are: x, cls"):
        read("x,cls\n1,a\n2,b\n", "a")


def test_rows_without_any_value_go_and_are_told(read: Read) -> None:
    found = read("x,y,cls\n1,5,a\n,,\n2,6,b\n,NA,\n")
    assert (found.table["x"], found.columns["y"], found.reading["rows_dropped"]) == ([1, 2], "integer", 0)
    assert found.notes == "Rows without any value were left out: 2."
    with pytest.raises(BadInputError, match="1 missing value"):
        read("x,y,cls\n1,5,a\n2,6,b\n,7,\n")


@pytest.mark.parametrize("above", ["Report 2024\n\n", "# made by x\n# at y, z\n", "Report;;\nof;2024;\n"])
def test_a_title_above_the_names_is_left_out(read: Read, above: str) -> None:
    found = read(f"{above}x;y;cls\n1;5;a\nn.d.;6;b\n3;7;b\n")
    assert found.columns == {"x": "string", "y": "integer", "cls": "string"}
    assert "above the names of the columns" in found.notes
    assert f"line {above.count(chr(10)) + 3}: n.d." in found.notes


def test_an_index_that_is_given_a_type_or_is_the_target_stays(read: Read) -> None:
    assert list(read(table("index"), types={"Unnamed: 0": "integer"}).columns) == ["Unnamed: 0", "x", "cls"]
    with pytest.raises(BadInputError, match="without a name: number 2"):
        read("x,,cls\n1,5,a\n2,6,b\n")


def test_columns_can_be_dropped(read: Read) -> None:
    found = read("id,x,cls,y\n1,5,a,u\n2,6,b,v\n", drop=["id", "y"])
    assert (list(found.columns), found.reading["dropped"]) == (["x", "cls"], ["id", "y"])
    assert read("id,x,cls,y\n1,5,a,u\n2,6,b,v\n", drop=["id,y"]).facts["blob"] == found.facts["blob"]
    assert list(read('"a,b",x,cls\n1,5,a\n2,6,b\n', drop=["a,b"]).columns) == ["x", "cls"]


def test_names_that_are_numbers_are_told(read: Read) -> None:
    with pytest.raises(BadInputError, match=r"no column 'cls'.*5.48, 0.42, a.*no first line that names its columns"):
        read(table("no-header"))
    assert "Perhaps the file has no first line" in read(table("no-header"), "a").notes
    assert read("0,1,cls\n5,6,a\n7,8,b\n").notes == "", "so frames of pandas are named"


# -- classes ---------------------------------------------------------------------------------------------------------


def test_classes_of_one_row_and_with_blanks_are_told(read: Read) -> None:
    assert "Classes with one row only: rare." in read(table("rare")).notes
    found = read(table("label-spaces"))
    assert found.facts["classes"] == [" no", "no", "yes", "yes "]
    assert "Classes with blanks at their ends: ' no', 'yes ': they are other classes" in found.notes


@pytest.mark.parametrize(
    ("classes", "given", "positive"),
    [
        ("aab", {}, "b"), ("abb", {}, "a"), ("ab", {}, "b"), ("aab", {"positive": "a"}, "a"), ("abc", {}, None),
    ],
)  # fmt: skip
def test_the_positive_class_is_the_rarer_or_the_given_one(
    read: Read, classes: str, given: dict[str, str], positive: str | None
) -> None:
    found = read("x,cls\n" + "".join(f"{place},{name}\n" for place, name in enumerate(classes)), **given)
    assert found.facts["positive"] == positive


def test_a_number_can_be_the_target(read: Read) -> None:
    text = "x,y\n1,1.5\n2,2.5\n3,\n"
    with pytest.raises(BadInputError, match=r"holds fractions.*--task regression"):
        read(text, "y", drop_missing_target=True)
    found = read(text, "y", task="regression", drop_missing_target=True)
    assert (found.facts["task"], found.facts["classes"], found.facts["positive"]) == ("regression", [], None)
    assert found.table["y"] == [1.5, 2.5]
    assert read("x,y\n1,1\n2,2\n", "y", task="regression").columns["y"] == "number"
    for bad, given, sentence in (
        ("x,y\n1,5\n2,5\n", {}, "one value only"),
        ("x,y\n1,5\n2,\n", {}, "1 missing value"),
        ("x,y\n1,5\n2,6\n", {"positive": "5"}, "a regression has none"),
    ):
        with pytest.raises(BadInputError, match=sentence):
            read(bad, "y", task="regression", **given)


def test_a_decided_table_reads_the_same_again(read: Read) -> None:
    """What is recorded is enough to read the same file so once more."""
    first = read(table("money"))
    again = read(table("money"), types=first.columns, spellings=first.reading["spellings"], columns=list(first.columns))
    assert again.facts["blob"] == first.facts["blob"]
    assert again.reading["spellings"] == first.reading["spellings"]
    later = read('cls,share,extra,cur,price\nlo,5%,1,$5.00,12\nhi,6%,2,$6.00,"1,000"\n',
                 types=first.columns, spellings=first.reading["spellings"], columns=list(first.columns))  # fmt: skip
    assert later.columns == {name: first.columns[name] for name in ("cls", "share", "cur", "price")}
    assert "Columns that the earlier version has not were left out: extra." in later.notes
    with pytest.raises(BadInputError, match="no column 'price' to be wanted"):
        read("cls,share,cur\nlo,5%,$5.00\n", types=first.columns, columns=list(first.columns))
