"""Large files come batch by batch: the types and the bytes are those of the whole, and memory does not grow with it."""

from __future__ import annotations

import io
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.learning.tables import columns, delimited, parquet, source
from adapters.learning.tables.given import Given
from adapters.learning.tables.ingest import ingest, open_table
from adapters.learning.tables.target import Target
from adapters.learning.tables.typed import find_types
from domain.errors import BadInputError

VALUES = [
    "", "NA", "0", "1", "7", "007", " 5 ", "1.5", "1e3", "inf", "true", "FALSE", "2020-01-02", "1600-01-02", "12:30:11",
    "2020-01-02 03:04", "1600-01-02 03:04:05", "2020-01-02 03:04:05.25", "2020-01-02T03:04:05Z", "abc",
    "99999999999999999999", '"two\nlines, ""quoted"""',
]  # fmt: skip
BLOCK = 64


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "BLOCK", BLOCK)


def read(path: Path) -> tuple[pa.Table, int]:
    """Return the typed table of a file, and in how many batches it came."""
    typed = find_types(open_table(path, "csv"), Given(), "key").source
    batches = list(typed.batches())
    return pa.Table.from_batches(batches, schema=typed.schema), len(batches)


@given(st.lists(st.tuples(*[st.sampled_from(VALUES)] * 2), min_size=1, max_size=12))
def test_types_and_values_are_those_of_the_whole_file(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    text = ("a,b,key\n" + "".join(f"{a},{b},k\n" for a, b in rows)).encode()
    path = tmp_path_factory.mktemp("csv") / "file"
    path.write_bytes(text)
    whole, one = read(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited, "BLOCK", BLOCK)
        patch.setattr(source, "MOST_REMEMBERED", 2 * BLOCK)  # a long file is read twice
        table, batches = read(path)
    assert one == 1
    assert table.schema == whole.schema
    assert table.equals(whole)
    assert batches > 1 or len(text) < 2 * BLOCK


@pytest.mark.parametrize(
    ("first", "then", "word"),
    [
        ("1", "2.5", "number"),
        ("", "3", "integer"),
        ("1", "true", "boolean"),
        ("7", "true", "string"),
        ("2020-01-02", "2020-01-02 03:04:05", "time"),
        ("1600-01-02", "2020-01-02 03:04:05.25", "time"),
        ("12:30", "x", "string"),
    ],
)
def test_the_last_line_may_change_a_type(
    learning: Any, tmp_path: Path, small_blocks: None, first: str, then: str, word: str
) -> None:
    path = tmp_path / "late.csv"
    path.write_text("x,class\n" + f"{first},a\n" * 200 + f"{then},b\n")
    found = ingest({"path": str(path), "format": "csv", "gzip": False, "target": "class"}, learning.blobs)
    assert (found["columns"]["x"], found["rows"], found["classes"]) == (word, 201, ["a", "b"])


@pytest.mark.parametrize(
    ("last", "sentence"),
    [
        (b"1,2,3\n", "different numbers of values.*Row #202"),
        (b"1,\xe9\n1,\0\n", "Line 203 .*NUL byte"),
        (b"1," + b"x" * 300 + b"\n", "cannot be read as a table"),
    ],
)
def test_a_late_line_that_is_wrong_gets_a_sentence(
    learning: Any, tmp_path: Path, small_blocks: None, last: bytes, sentence: str
) -> None:
    path = tmp_path / "late.csv"
    path.write_bytes(b"x,class\n" + b"1,a\n" * 200 + last)
    with pytest.raises(BadInputError, match=sentence):
        ingest({"path": str(path), "format": "csv", "gzip": False, "target": "class"}, learning.blobs)
    assert learning.blobs.sweep() == 0


def mixed(rows: int) -> pa.Table:
    words = [None if row % 11 == 0 else f"w{row % 997}" * (row % 5 + 1) for row in range(rows)]
    numbers = pa.array([None if row % 3 == 0 else row / 7 for row in range(rows)], pa.float64())
    return pa.table(
        {"real": numbers, "whole": list(range(rows)), "word": words, "even": [r % 2 == 0 for r in range(rows)]}
    )


def written(table: pa.Table, path: Path, batch: int) -> bytes:
    parquet.write(table.to_batches(max_chunksize=batch), table.schema, path)
    return path.read_bytes()


@pytest.mark.parametrize("batch", [997, parquet.ROWS_OF_A_SLAB, 40_000, 1 << 20])
def test_the_bytes_are_those_of_a_table_written_whole(tmp_path: Path, batch: int) -> None:
    table, file = mixed(150_000), io.BytesIO()
    pq.write_table(
        table, file, version="2.6", compression="zstd", compression_level=3, write_statistics=False,
        store_schema=False, row_group_size=1 << 17,
    )  # fmt: skip
    assert written(table, tmp_path / "file", batch) == file.getvalue()


def test_where_a_group_ends_is_decided_by_its_content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "BYTES_OF_A_GROUP", 400_000)
    table = mixed(50_000)
    once = [written(table, tmp_path / "file", batch) for batch in (1000, 4096, 1 << 20)]
    assert once[0] == once[1] == once[2]
    groups = pq.ParquetFile(io.BytesIO(once[0])).metadata
    sizes = [groups.row_group(number).num_rows for number in range(groups.num_row_groups)]
    assert len(sizes) > 3
    assert {size % parquet.ROWS_OF_A_SLAB for size in sizes[:-1]} == {0}


def test_formats_agree_on_a_file_of_many_batches(
    learning: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delimited, "BLOCK", 4096)
    monkeypatch.setattr(parquet, "BATCH_ROWS", 700)
    table = mixed(9000).append_column("class", pa.array(["p", "q", "r"] * 3000))
    pyarrow.csv.write_csv(table, tmp_path / "file.csv")
    pq.write_table(table, tmp_path / "file.parquet", row_group_size=1234)
    found = [
        ingest(
            {"path": str(tmp_path / f"file.{kind}"), "format": kind, "gzip": False, "target": "class"}, learning.blobs
        )
        for kind in ("csv", "parquet")
    ]
    assert {**found[0], "reading": None} == {**found[1], "reading": None}


def test_what_is_kept_of_a_file_does_not_grow_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "BLOCK", 1 << 15)
    monkeypatch.setattr(parquet, "BYTES_OF_A_GROUP", 1 << 18)
    path = tmp_path / "file.csv"
    path.write_text("a,b,c\n" + "1.25,2.5,word\n" * 1_000_000)
    before, most = pa.total_allocated_bytes(), 0

    def watched(source: Any) -> Any:
        nonlocal most
        cast = columns.Columns(source.schema)
        for batch in source.batches():
            most = max(most, pa.total_allocated_bytes() - before)
            yield cast.cast(batch)

    source = open_table(path, "csv")
    parquet.write(watched(source), columns.canonical_schema(source.schema), tmp_path / "out")
    assert 0 < most < path.stat().st_size / 2


def test_unsigned_numbers_beyond_63_bits_are_numbers_wherever_they_stand(learning: Any, tmp_path: Path) -> None:
    for last, word in ((2**63 - 1, "integer"), (2**64 - 1, "number")):
        table = pa.table({"x": pa.array([1] * 3000 + [last], pa.uint64()), "class": ["a"] * 3000 + ["b"]})
        pq.write_table(table, tmp_path / "file", row_group_size=1000)
        facts = {"path": str(tmp_path / "file"), "format": "parquet", "gzip": False, "target": "class"}
        assert ingest(facts, learning.blobs)["columns"]["x"] == word


def test_a_target_of_too_many_values_is_counted_only_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.learning.tables.target.COUNTED", 1500)
    schema = pa.schema([("id", pa.string())])
    target = Target("id", schema)
    for start in range(0, 10_000, 1000):
        target.observe(pa.record_batch([[f"n{number}" for number in range(start, start + 1000)]], schema=schema))
    with pytest.raises(BadInputError, match="2000 and more different values: at most 1000"):
        target.finish(Counter(), None)
