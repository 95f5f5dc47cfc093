"""Ingest: every format gives the same canonical bytes, and every bad file a sentence that says what would be right."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.learning.preparation.frame import read_for_training
from adapters.learning.tables.ingest import ingest, open_table, unpack
from domain.errors import BadInputError, TooLargeError

ROWS = "size,kind,open,made,class\n1.5,a,true,2020-01-02,yes\n2,b,false,2020-01-03,no\n,NA,true,2020-01-04,yes\n"
TABLE = {
    "size": [1.5, 2.0, None],
    "kind": ["a", "b", None],
    "open": [True, False, True],
    "made": ["2020-01-02", "2020-01-03", "2020-01-04"],
    "class": ["yes", "no", "yes"],
}


@pytest.fixture
def give(learning: Any, tmp_path: Path) -> Any:
    """Return a function that ingests bytes."""

    def given(content: bytes | str, kind: str = "csv", target: str = "class", *, gz: bool = False) -> dict[str, Any]:
        path = tmp_path / "upload"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return ingest({"path": str(path), "format": kind, "gzip": gz, "target": target}, learning.blobs)

    return given


def parquet(table: pa.Table, **options: Any) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file, **options)
    return file.getvalue()


def test_rows_types_and_classes_are_found(give: Any) -> None:
    found = give(ROWS)
    assert found["rows"] == 3
    assert found["columns"] == {
        "size": "number", "kind": "string", "open": "boolean", "made": "time", "class": "string",
    }  # fmt: skip
    assert found["classes"] == ["no", "yes"]


def test_the_same_content_has_the_same_bytes_in_every_format(give: Any) -> None:
    table = pa.table(TABLE).set_column(3, "made", pa.array(TABLE["made"]).cast(pa.date32()))
    first = give(ROWS)["blob"]
    assert give(ROWS)["blob"] == first
    assert give(ROWS.replace(",", "\t"), "tsv")["blob"] == first
    assert give(ROWS.replace(",", ";"))["blob"] == first
    assert give(gzip.compress(ROWS.encode()), gz=True)["blob"] == first
    assert give("\ufeff" + ROWS.replace("\n", "\r\n"))["blob"] == first
    assert give(parquet(table), "parquet")["blob"] == first
    assert give(parquet(table, compression="gzip", row_group_size=1), "parquet")["blob"] == first
    assert give(gzip.compress(parquet(table)), "parquet", gz=True)["blob"] == first
    assert give(ROWS.replace("2,b", "3,b"))["blob"] != first


def test_narrow_and_categorical_parquet_columns_become_canonical(give: Any) -> None:
    wide = pa.table({"n": pa.array([1, 2, 3]), "f": pa.array([0.5, 1.5, 2.5]), "class": ["a", "b", "a"]})
    narrow = pa.table(
        {
            "n": pa.array([1, 2, 3], pa.int8()),
            "f": pa.array([0.5, 1.5, 2.5], pa.float32()),
            "class": pa.array(["a", "b", "a"]).dictionary_encode(),
        }
    )
    assert give(parquet(narrow), "parquet") == give(parquet(wide), "parquet")


@pytest.mark.parametrize(
    ("column", "classes"),
    [
        ("0,1,10", ["0", "1", "10"]),
        ("1.0,2.0,", None),
        ("true,false,true", ["false", "true"]),
        ("2.0,1.0,2.0", ["1", "2"]),
    ],
)
def test_classes_may_be_whole_numbers_booleans_or_words(give: Any, column: str, classes: list[str] | None) -> None:
    text = "x,class\n" + "".join(f"{i},{label}\n" for i, label in enumerate(column.split(",")))
    if classes is None:
        with pytest.raises(BadInputError, match="1 missing value"):
            give(text)
    else:
        assert give(text)["classes"] == classes


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "empty"),
        ("\n\n", "empty"),
        ("x,class\n", "no rows"),
        ("x,class\n1,a\n2,a\n", r"one class only \(a\)"),
        ("x,label\n1,a\n2,b\n", "no column 'class'.*columns are: x, label"),
        ("class\na\nb\n", "only column"),
        ("x,class\n1,a\n2,\n", "1 missing value"),
        ("x,class\n1,1.5\n2,2.5\n", "fractions"),
        ("x,class\n1,2020-01-01\n2,2020-01-02\n", "holds times"),
        ("x,x,class\n1,2,a\n2,3,b\n", "more than once: x"),
        ("x,,class\n1,2,a\n2,3,b\n", "without a name: number 2"),
        ("x,class\n1,a\n2,b,c\n", "different numbers of values.*Row #3: Expected 2 columns, got 3"),
        ("x,class\n1,a\n2\n", "different numbers of values.*Row #3: Expected 2 columns, got 1"),
        ("x,class\ninf,a\n2,b\n", "'x' has 1 infinite"),
        ("x,class\n" + "".join(f"1,c{i}\n" for i in range(1001)), "1001 different values"),
        ("x,class\n1," + "a" * 101 + "\n2,b\n", "longer than 100"),
        ("x" * 201 + ",class\n1,a\n2,b\n", "longer than 200"),
        (",".join(f"x{i}" for i in range(4001)) + ",class\n", "4002 columns"),
    ],
)
def test_a_bad_csv_gets_a_sentence(give: Any, content: bytes | str, sentence: str) -> None:
    with pytest.raises(BadInputError, match=sentence):
        give(content)


def test_what_is_no_parquet_or_damaged_or_nested_gets_a_sentence(give: Any) -> None:
    whole = parquet(pa.table({"x": [1, 2], "class": ["a", "b"]}))
    for content in (b"", b"PAR1", ROWS.encode(), whole[:-20], whole[:30] + b"\xff" * 30 + whole[60:]):
        with pytest.raises(BadInputError, match="not Parquet, or a damaged one"):
            give(content, "parquet")
    nested = parquet(pa.table({"x": [[1], [2]], "class": ["a", "b"]}))
    with pytest.raises(BadInputError, match="'x' holds list"):
        give(nested, "parquet")
    with pytest.raises(BadInputError, match="csv, tsv, xlsx, ods, parquet or feather"):
        give(whole, "pickle")


def test_broken_gzip_gets_a_sentence(give: Any) -> None:
    packed = gzip.compress(ROWS.encode() * 50)
    with pytest.raises(BadInputError, match="is not gzip"):
        give(ROWS, gz=True)
    with pytest.raises(BadInputError, match="cut off"):
        give(packed[:-20], gz=True)
    with pytest.raises(BadInputError, match="is not gzip"):
        give(packed[:20] + b"\xff" * 40 + packed[60:], gz=True)


def test_a_gzip_bomb_stops_at_the_limit(tmp_path: Path) -> None:
    bomb, limit = tmp_path / "bomb.gz", 4 << 20
    bomb.write_bytes(gzip.compress(b"0" * (64 << 20), compresslevel=1))
    with pytest.raises(TooLargeError, match="1 GiB"):
        unpack(bomb, tmp_path / "plain", limit)
    assert (tmp_path / "plain").stat().st_size <= limit


def test_a_parquet_bomb_stops_at_the_limit(tmp_path: Path) -> None:
    path, limit = tmp_path / "bomb", 1 << 20
    path.write_bytes(parquet(pa.table({"x": [0] * 3_000_000})))
    assert path.stat().st_size < limit
    with pytest.raises(TooLargeError):
        list(open_table(path, "parquet", limit=limit).batches())


def test_a_plain_file_above_the_limit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_text(ROWS * 100)
    with pytest.raises(TooLargeError):
        open_table(path, "csv", limit=1000)


def test_nothing_is_left_in_scratch(learning: Any, give: Any) -> None:
    learning.blobs.sweep()
    give(gzip.compress(ROWS.encode()), gz=True)
    with pytest.raises(BadInputError):
        give(gzip.compress(b"x,class\n1,a\n"), gz=True)
    assert learning.blobs.sweep() == 0


words = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=8).map(
    lambda w: f"w{w}w"
)
rows = st.lists(
    st.tuples(
        st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False), words, st.sampled_from("pq")
    ),
    min_size=1,
    max_size=20,
)


@given(rows=rows)
def test_numbers_and_words_come_back_as_they_were(learning: Any, rows: list[tuple[int, float, str, str]]) -> None:
    rows = [*rows, (0, 0.5, "first", "p"), (1, 0.25, "second", "q")]
    path = Path(learning.blobs.scratch(".csv"))
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("whole", "real", "word", "class"), *rows])
    found = ingest({"path": str(path), "format": "csv", "gzip": False, "target": "class"}, learning.blobs)
    path.unlink()
    with learning.blobs.open(found["blob"]["sha256"]) as file:
        frame = read_for_training(file, {"target": "class", "settings": {}})
    assert found["columns"] == {"whole": "integer", "real": "number", "word": "string", "class": "string"}
    columns: list[Any] = [frame.features["whole"], frame.features["real"], frame.features["word"], frame.target]
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == [tuple(row) for row in rows]
