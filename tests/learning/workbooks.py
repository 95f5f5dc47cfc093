"""Workbooks as Excel and LibreOffice write them, as far as reading them goes."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape, quoteattr

DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - Excel counts days without a zone
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
STYLES = (
    f'<styleSheet xmlns="{MAIN}"><numFmts count="1"><numFmt numFmtId="164" formatCode="yyyy-mm-dd hh:mm:ss"/></numFmts>'
    '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="164" applyNumberFormat="1"/></cellXfs></styleSheet>'
)


class Failed(str):
    """The error that a formula ended with."""

    __slots__ = ()


def xlsx(sheets: dict[str, list[list[Any]]], first_row: int = 1) -> bytes:
    """Return a workbook; cells are texts, numbers, truth values, times, `Failed` or None."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("[Content_Types].xml", f'<Types xmlns="{PACKAGE.replace("relationships", "content-types")}"/>')
        root = f'<Relationship Id="r1" Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/>'
        packed.writestr("_rels/.rels", f'<Relationships xmlns="{PACKAGE}">{root}</Relationships>')
        listed = "".join(f'<sheet name={quoteattr(it)} sheetId="{n}" r:id="r{n}"/>' for n, it in enumerate(sheets, 1))
        packed.writestr(
            "xl/workbook.xml", f'<workbook xmlns="{MAIN}" xmlns:r="{RELATIONS}"><sheets>{listed}</sheets></workbook>'
        )
        targets = "".join(
            f'<Relationship Id="r{n}" Type="{RELATIONS}/worksheet" Target="worksheets/sheet{n}.xml"/>'
            for n in range(1, len(sheets) + 1)
        )
        packed.writestr("xl/_rels/workbook.xml.rels", f'<Relationships xmlns="{PACKAGE}">{targets}</Relationships>')
        packed.writestr("xl/styles.xml", STYLES)
        for number, rows in enumerate(sheets.values(), 1):
            lines = "".join(
                f'<row r="{r}">' + "".join(_cell(chr(65 + c), r, it) for c, it in enumerate(row)) + "</row>"
                for r, row in enumerate(rows, first_row)
            )
            sheet = f'<worksheet xmlns="{MAIN}"><sheetData>{lines}</sheetData></worksheet>'
            packed.writestr(f"xl/worksheets/sheet{number}.xml", sheet)
    return file.getvalue()


def _cell(column: str, row: int, value: Any) -> str:
    place = f'r="{column}{row}"'
    if value is None:
        return ""
    if isinstance(value, Failed):
        return f'<c {place} t="e"><f>1/0</f><v>{value}</v></c>'
    if isinstance(value, bool):
        return f'<c {place} t="b"><v>{int(value)}</v></c>'
    if isinstance(value, datetime):
        return f'<c {place} s="1"><v>{(value - DAY_ZERO).total_seconds() / 86400}</v></c>'
    if isinstance(value, str):
        return f'<c {place} t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
    return f"<c {place}><v>{value}</v></c>"


def ods(rows: list[list[Any]], *, encrypted: bool = False) -> bytes:
    """Return a workbook with one sheet, `Sheet1`."""
    names = {it: f"urn:oasis:names:tc:opendocument:xmlns:{it}:1.0" for it in ("office", "table", "text")}
    spaces = " ".join(f'xmlns:{it}="{name}"' for it, name in names.items()) + ' xmlns:calcext="urn:calcext"'
    lines = "".join(f"<table:table-row>{''.join(map(_ods_cell, row))}</table:table-row>" for row in rows)
    content = (
        f'<office:document-content {spaces}><office:body><office:spreadsheet><table:table table:name="Sheet1">{lines}'
        "</table:table></office:spreadsheet></office:body></office:document-content>"
    )
    manifest = "<manifest:encryption-data/>" if encrypted else ""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        packed.writestr("content.xml", content)
        space = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
        packed.writestr(
            "META-INF/manifest.xml", f'<manifest:manifest xmlns:manifest="{space}">{manifest}</manifest:manifest>'
        )
    return file.getvalue()


def _ods_cell(value: Any) -> str:
    if isinstance(value, Failed):
        text = f"<text:p>{value}</text:p>"
        return f'<table:table-cell office:value-type="string" calcext:value-type="error">{text}</table:table-cell>'
    if isinstance(value, str):
        return f'<table:table-cell office:value-type="string"><text:p>{escape(value)}</text:p></table:table-cell>'
    return f'<table:table-cell office:value-type="float" office:value="{value}"/>'
