"""Files that would take more than they are: each is refused while it is read, by a sentence, before memory is used."""

from __future__ import annotations

import csv
import gzip
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.learning.tables import delimited, ingest, parquet
from adapters.learning.tables.columns import LONGEST_TEXT, MOST_COLUMNS
from adapters.learning.tables.delimited import check_lines
from adapters.learning.tables.source import MOST_VALUES
from domain.errors import BadInputError, TooLargeError
from tests.house.tracked import ROOT

MIB = 1 << 20
MOST_GROWTH = 600 * MIB
# A process of its own: `ru_maxrss` is the most that it ever had.
INGEST = """
import resource, sys
from adapters.files.blobs import FileBlobs
from adapters.learning.tables.ingest import ingest
from domain.errors import AutoLearnError, BadInputError, TooLargeError
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    facts = {"path": sys.argv[1], "format": sys.argv[2], "gzip": sys.argv[4] == "gz", "target": "class"}
    ingest(facts, FileBlobs(sys.argv[3]))
    print("no refusal")
except AutoLearnError as refused:
    print(refused.sentence)
print(1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before))
"""


def refusal(tmp_path: Path, content: bytes) -> str:
    """Open a Parquet file; return the refusal."""
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(BadInputError) as refused:
        list(parquet.ParquetTable(path, 1 << 30).source().batches())
    return refused.value.sentence


def give(tmp_path: Path, content: bytes, kind: str = "csv", packed: str = "") -> str:
    """Ingest a file in a process of its own; return the refusal. It may not have grown by more than MOST_GROWTH."""
    path = tmp_path / "upload"
    path.write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-c", INGEST, str(path), kind, str(tmp_path / "blobs"), packed],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    sentence, growth = done.stdout.splitlines()
    assert int(growth) < MOST_GROWTH, f"{int(growth) // MIB} MiB"
    return sentence


def written(table: pa.Table, **options: Any) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file, **options)
    return file.getvalue()


WIDE = b",".join(b"c%d" % number for number in range(1_000_000))
QUOTED = b",".join(b'"c%d"' % number for number in range(300_000))
ROWS = b"1,a\n2,b\n" * 1_100_000  # more than a block


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (WIDE + b"\n" + WIDE + b"\n", "first line.* too long"),
        (WIDE[: 2 * MIB] + b"\n", r"has \d{6} columns: at most 4000"),
        (QUOTED + b"\n", "has 300000 columns: at most 4000"),
        (b"x" * (9 * MIB) + b",class\n", "first line.* too long"),
        (b'"' + b"x" * (9 * MIB) + b",class\n", "first line.* too long"),
        (b'x,class\n1,a\n2,"b\n3,c\n4,d\n', "quote that is opened in line 3 is never closed"),
        (b'x,class\n1,a\n2,"b\n' + ROWS, "quote that is opened in line 3 is not closed within 8 MiB"),
        (b"x,class\n" + ROWS + b'2,"b""\n' + ROWS[:MIB], "opened in line 2200002 is never closed"),
        (b"x,class\n1,a\n2," + b"z" * (9 * MIB) + b"\n", "Line 3 is longer than 8 MiB"),
        (b"x,class\n1,a\n2," + b"z" * (2 * MIB) + b"\n", "'class' has a text of 2,097,152 bytes: at most 1,048,576"),
        (b"x,class\n1,a\n2," + b"," * MIB + b"\n", "different numbers of values"),
        (b'x,class\n1,"' + b'a\n"" b' * (2 * MIB) + b'"\n', "'class' has a text of 10,485,760 bytes"),
        (b"x,class\n1,a\n2,b\0c\n", "Line 3 is not UTF-8 text, it has a NUL byte"),
        (b"x\0,class\n1,a\n2,b\n", "Line 1 is not UTF-8 text, it has a NUL byte"),
        (b"\x1b[31mx,class\n1,a\n2,b\n", r"control characters: \\x1b\[31mx"),
    ],
    ids=range(15),
)
def test_a_hostile_csv_is_refused(learning: Any, tmp_path: Path, content: bytes, sentence: str) -> None:
    path = tmp_path / "upload"
    path.write_bytes(content)
    with pytest.raises(BadInputError, match=sentence):
        ingest.ingest({"path": str(path), "format": "csv", "gzip": False, "target": "class"}, learning.blobs)


def test_a_million_columns_are_refused_in_little_memory(tmp_path: Path) -> None:
    content = gzip.compress(WIDE[: 2 * MIB] + b"\n" + ROWS, 1)
    assert "columns: at most 4000" in give(tmp_path, content, packed="gz")


def repeated_texts(rows: int, length: int, kind: pa.DataType) -> pa.Table:
    """Return a table of one long text, again and again."""
    places = pa.array(np.zeros(rows, dtype=np.int32))
    texts = pa.DictionaryArray.from_arrays(places, pa.array(["z" * length]))
    return pa.table({"x": texts.cast(kind), "class": pa.array(["a", "b"] * (rows // 2))})


DICTIONARY = pa.dictionary(pa.int32(), pa.string())


def test_rows_of_parquet_count_as_unfolded(tmp_path: Path) -> None:
    nothing = pa.nulls(MOST_VALUES // 8 + 1)
    content = written(pa.table({f"x{number}": nothing for number in range(8)}), compression="zstd")
    assert len(content) < MIB
    assert "33,554,433 rows of 8 columns: at most 268,435,456 values" in give(tmp_path, content, "parquet")


@pytest.mark.parametrize("kind", [pa.null(), pa.bool_(), pa.int8(), pa.uint64(), pa.float64(), DICTIONARY])
def test_rows_of_any_kind_count_before_one_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: pa.DataType
) -> None:
    monkeypatch.setattr(parquet, "MOST_VALUES", 1999)
    path = tmp_path / "file"
    path.write_bytes(written(pa.table({"x": pa.nulls(1000, kind), "class": ["a"] * 1000})))
    with pytest.raises(TooLargeError, match="1,000 rows of 2 columns"):
        parquet.ParquetTable(path, MIB).source()


def test_rows_of_other_formats_count_too(learning: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest, "MOST_VALUES", 1999)
    path = tmp_path / "file"
    path.write_text("x,class\n" + "1,a\n2,b\n" * 500)
    with pytest.raises(TooLargeError, match="1,000 rows of 2 columns"):
        ingest.ingest({"path": str(path), "format": "csv", "gzip": False, "target": "class"}, learning.blobs)


@pytest.mark.parametrize("stored", [True, False])
def test_texts_of_parquet_count_as_unfolded(tmp_path: Path, stored: bool) -> None:
    content = written(repeated_texts(1200, MIB, DICTIONARY), compression="zstd", store_schema=stored)
    assert len(content) < 10_000
    assert "larger than 1 GiB" in give(tmp_path, content, "parquet")


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), DICTIONARY])
def test_texts_of_any_kind_count_as_unfolded(tmp_path: Path, kind: pa.DataType) -> None:
    path = tmp_path / "file"
    path.write_bytes(written(repeated_texts(40, MIB, kind), compression="zstd", store_schema=kind != DICTIONARY))
    assert path.stat().st_size < 10_000
    with pytest.raises(TooLargeError):
        list(parquet.ParquetTable(path, 20 * MIB).source().batches())
    whole = list(parquet.ParquetTable(path, 50 * MIB).source().batches())
    assert sum(batch.num_rows for batch in whole) == 40


def test_a_long_text_of_parquet_is_refused(tmp_path: Path) -> None:
    content = written(repeated_texts(2, LONGEST_TEXT + 1, DICTIONARY), compression="zstd")
    assert "'x' has a text of 1,048,577 bytes" in refusal(tmp_path, content)


def test_many_groups_and_columns_of_parquet_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = pa.table({"x": [1], "class": ["a"]})
    file = io.BytesIO()
    with pq.ParquetWriter(file, row.schema) as writer:
        for _ in range(parquet.MOST_PARTS + 1):
            writer.write_table(row)
    assert "more than 10,000 row groups" in refusal(tmp_path, file.getvalue())
    wide = written(pa.table({f"c{number}": [1] for number in range(parquet.MOST_PARTS)}))
    assert "more than 10,000 row groups, or columns" in refusal(tmp_path, wide)
    less_wide = written(pa.table({f"c{number}": [1] for number in range(MOST_COLUMNS + 1)}))
    assert "has 4001 columns" in refusal(tmp_path, less_wide)
    monkeypatch.setattr(parquet, "LARGEST_FOOTER", 1000)
    path = tmp_path / "wide"
    path.write_bytes(less_wide)
    with pytest.raises(BadInputError, match="describes itself in"):
        parquet.ParquetTable(path, MIB).source()


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.int64()), pa.struct([("a", pa.int64())]), pa.map_(pa.string(), pa.int64()), pa.binary()]
)
def test_nested_columns_are_refused_before_they_are_read(tmp_path: Path, kind: pa.DataType) -> None:
    rows = 1_000_000
    table = pa.table({"x": pa.nulls(rows, kind), "n": np.zeros(rows, np.uint64), "class": pa.nulls(rows)})
    assert "Column 'x' holds" in refusal(tmp_path, written(table))


def test_parquet_names_that_are_hostile_are_refused(tmp_path: Path) -> None:
    content = written(pa.table({"\x1b]0;x\x07": [1, 2], "class": ["a", "b"]}))
    assert r"control characters: \x1b]0;x\x07" in refusal(tmp_path, content)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("header", [b"x,class", b'"x","class"'])
def test_long_files_of_short_lines_pass_whatever_ends_a_line(tmp_path: Path, end: bytes, header: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(header + end + (b'1,"a"' + end + b"2,b" + end) * (delimited.LONGEST_LINE // 8))
    check_lines(path, ",")
    path.write_bytes(header + end + b"1,a" + end + b"2,b" + end)
    assert sum(batch.num_rows for batch in ingest.open_table(path, "csv").batches()) == 2


# -- the scan says of quotes what the reader does --------------------------------------------------------------------

pieces = st.sampled_from(['"', '""', "a", ",", "\n", "\r\n", " ", "x,y\n", '"a"', '"a,b"', ',"', '",', 'a"b'])
texts = st.lists(pieces, max_size=30).map("".join)


def is_open_at_end(text: str) -> bool:
    """Let Python's reader, which takes quotes the same way, say whether a line that is added stays a line."""
    return list(csv.reader(io.StringIO(f"{text}\nsentinel", newline="")))[-1] != ["sentinel"]


@given(texts, st.integers(1, 7))
def test_an_open_quote_is_found_wherever_blocks_end(text: str, block: int) -> None:
    scan = delimited._Scan(delimited.quoted_value_pattern(","))
    content = text.encode()
    for place in range(0, len(content), block):
        scan.see(content[place : place + block])
    if is_open_at_end(text):
        with pytest.raises(BadInputError, match="is never closed"):
            scan.end()
    else:
        scan.end()


def test_the_line_of_an_open_quote_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_text('x,class\n"1\n1",a\n5" pipe,"a""b"\n3,"b\n4,c\n')
    for block in range(1, 50):
        monkeypatch.setattr(delimited, "LONGEST_LINE", max(block, 20))
        with pytest.raises(BadInputError, match="opened in line 5 is never closed"):
            check_lines(path, ",")
