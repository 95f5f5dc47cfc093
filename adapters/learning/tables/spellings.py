"""How numbers and times are written as texts: `1,234.5`, `$1.234,5`, `%d/%m/%Y`. Every function takes trimmed texts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc

WHOLE, NUMBER, TIME = pa.int64(), pa.float64(), pa.timestamp("us")
MARKS = [(".", ""), (",", ""), (".", ","), (",", "."), (".", " "), (",", " "), (".", "'"), (",", "'")]
CODES = "USD EUR GBP CHF JPY CNY INR AUD CAD NZD SEK NOK DKK PLN CZK HUF BRL MXN ZAR KRW TRY RUB SGD HKD ILS THB"
SIGNS = rf"[$€£¥₹₽₩]|US\$|A\$|C\$|R\$|kr|zł|{CODES.replace(' ', '|')}"  # of currencies
AFFIXES = re.compile(rf"[+-]?({SIGNS}|) ?[+-]?[\d.,'][\d.,' ]*?(?:[eE][+-]?\d+)? ?(%|{SIGNS}|)")
EXAMPLE = re.compile(r"(.*?)1([,. '_]?)234([.,])5(.*)", re.DOTALL)
UNTIDY = "[\u00a0\u2009\u202f\u2019\u2212(]"  # blanks, apostrophe and minus of other kinds; brackets of accountants
PLAIN_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$|^[+-]?(?i:inf|infinity)$"


@dataclass(frozen=True)
class NumberSpelling:
    """Marks and affixes that all numbers of a column share; `name` is an example of it."""

    decimal: str = "."
    thousands: str = ""
    prefix: str = ""
    suffix: str = ""

    @classmethod
    def of(cls, name: str) -> NumberSpelling | None:
        """Return the spelling of an example, `name`; None if it is not one."""
        match = EXAMPLE.fullmatch(name)
        return match and cls(match[3], match[2], match[1], match[4])

    @property
    def name(self) -> str:
        """Write the number 1234.5 in this way."""
        return f"{self.prefix}1{self.thousands}234{self.decimal}5{self.suffix}"

    @property
    def is_plain(self) -> bool:
        """Whether every program writes numbers so."""
        return self == NumberSpelling()

    @property
    def takes_plain(self) -> bool:
        """Whether plain numbers are of this spelling, too."""
        return (self.decimal, self.prefix, self.suffix) == (".", "", "")

    @cached_property
    def pattern(self) -> str:
        """Match a number of this spelling; its groups are all but the affixes."""
        mark, group = re.escape(self.decimal), re.escape(self.thousands)
        whole = rf"[1-9]\d{{0,2}}(?:{group}\d{{2,3}})*{group}\d{{3}}|\d+" if group else r"\d+"
        body = rf"(?:(?:{whole})(?:{mark}\d*)?|{mark}\d+)(?:[eE][+-]?\d+)?"
        prefix, suffix = re.escape(self.prefix), re.escape(self.suffix)
        return rf"^([+-]?){prefix and prefix + ' ?'}([+-]?)({body}){suffix and ' ?' + suffix}$"

    def matches(self, texts: pa.Array) -> pa.Array:
        """Say of each text whether it is a number of this spelling; they are to be tidy."""
        if self.is_plain:
            return _all_fit(self, texts) or pc.match_substring_regex(texts, PLAIN_NUMBER)
        return pc.match_substring_regex(texts, self.pattern)

    def values(self, texts: pa.Array) -> pa.Array:
        """Return the numbers; all texts must match."""
        if not self.is_plain:
            texts = pc.replace_substring_regex(tidy(texts), self.pattern, r"\1\2\3")
            if self.thousands:
                texts = pc.replace_substring(texts, self.thousands, "")
            if self.decimal != ".":
                texts = pc.replace_substring(texts, self.decimal, ".")
        return texts.cast(NUMBER)


def _all_fit(spelling: NumberSpelling | TimeSpelling | WholeSpelling, texts: pa.Array) -> pa.Array | None:
    """Say yes of each text if all have the spelling, which parsing them tells fastest; else return None."""
    try:
        spelling.values(texts)
    except pa.ArrowInvalid:
        return None
    return pa.repeat(pa.scalar(value=True), len(texts))


def tidy(texts: pa.Array) -> pa.Array:
    """Write marks that look alike in one way, and (5) as -5."""
    if not pc.any(pc.match_substring_regex(texts, UNTIDY)).as_py():
        return texts
    for found, mark in (("[\u00a0\u2009\u202f]", " "), ("\u2019", "'"), ("\u2212", "-"), (r"^\((.*)\)$", r"-\1")):
        texts = pc.replace_substring_regex(texts, found, mark)
    return texts


def number_spellings(first: list[str], decimal: str | None, thousands: str | None) -> list[NumberSpelling]:
    """Return what numbers may look like after a look at the first texts, most usual first; marks may be given."""
    if thousands is None:
        marks = [it for it in MARKS if decimal in (None, it[0])]
    else:
        marks = [(mark, thousands) for mark in ([decimal] if decimal else ".,") if mark != thousands]
    found = (AFFIXES.fullmatch(text) for text in tidy(pa.array(first, pa.string())).to_pylist())
    affixes = dict.fromkeys((it[1], it[2]) for it in found if it)
    return [NumberSpelling(*mark, *affix) for affix in affixes or {("", ""): None} for mark in marks]


MONTH = r"(?:0?[1-9]|1[0-2])"
DAY = r"(?:0?[1-9]|[12]\d|3[01])"
CLOCK = {"": "", " %H:%M": r" \d{1,2}:\d\d", " %H:%M:%S": r" \d{1,2}:\d\d:\d\d"}
CLOCK |= {
    f" %I:%M{seconds} %p": rf" \d{{1,2}}:\d\d{pattern} [AaPp][Mm]" for seconds, pattern in (("", ""), (":%S", r":\d\d"))
}
CLOCK |= {f",{text}": f",{pattern}" for text, pattern in CLOCK.items() if text}
WORD = r"[A-Za-z]{3,9}"
DATES = {
    "%Y/%m/%d": rf"\d{{4}}/{MONTH}/{DAY}",
    "%Y.%m.%d": rf"\d{{4}}\.{MONTH}\.{DAY}",
    "%d.%m.%Y": rf"{DAY}\.{MONTH}\.\d{{4}}",
    "%d.%m.%y": rf"{DAY}\.{MONTH}\.\d\d",
    "%d %b %Y": rf"{DAY} {WORD} \d{{4}}",
    "%d-%b-%Y": rf"{DAY}-{WORD}-\d{{4}}",
    "%d-%b-%y": rf"{DAY}-{WORD}-\d\d",
    "%b %d, %Y": rf"{WORD} {DAY}, \d{{4}}",
    "%b %d %Y": rf"{WORD} {DAY} \d{{4}}",
}
for mark in "/-":
    for year, digits in (("Y", r"\d{4}"), ("y", r"\d\d")):
        DATES[f"%m{mark}%d{mark}%{year}"] = rf"{MONTH}{mark}{DAY}{mark}{digits}"
        DATES[f"%d{mark}%m{mark}%{year}"] = rf"{DAY}{mark}{MONTH}{mark}{digits}"
DAY_AT = {"%d": 0, "%m": 1, "%b": 0, "%Y": 2}  # the place of the day among the numbers, by what the format begins with

ISO, ZONED = "ISO 8601", "ISO 8601 with zone"
ISO_DATE = r"^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
ISO_PATTERNS = {
    ISO: ISO_DATE + r"(?:[T ]\d\d(?::\d\d(?::\d\d(?:\.\d{1,9})?)?)?)?$",
    ZONED: ISO_DATE + r"[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)$",
}
MICROSECONDS = len("2024-01-02 03:04:05.123456")
BEYOND_MICROSECONDS = r"(\.\d{6})\d+"


@dataclass(frozen=True)
class TimeSpelling:
    """A format of `strptime`, or ISO 8601."""

    name: str

    @property
    def is_plain(self) -> bool:
        """Whether it is ISO 8601, where nothing can be misread."""
        return self.name in ISO_PATTERNS

    @cached_property
    def pattern(self) -> str:
        """Match what may be a time of this spelling."""
        if self.is_plain:
            return ISO_PATTERNS[self.name]
        date = max((it for it in DATES if self.name.startswith(it)), key=len)
        return f"^{DATES[date]}{CLOCK[self.name.removeprefix(date)]}$"

    def matches(self, texts: pa.Array) -> pa.Array:
        """Say of each text whether it is a time of this spelling."""
        if self.is_plain and (fit := _all_fit(self, texts)):
            return fit
        likely = pc.match_substring_regex(texts, self.pattern)
        texts = pc.if_else(likely, texts, pa.scalar(None, pa.string()))
        if not self.is_plain:
            return self.values(texts).is_valid()
        if fit := _all_fit(self, texts):
            return pc.and_(fit, texts.is_valid())
        return pa.array([text is not None and bool(_all_fit(self, pa.array([text]))) for text in texts.to_pylist()])

    def values(self, texts: pa.Array) -> pa.Array:
        """Return the times; all texts must match. Raises ArrowInvalid, or returns null, where one does not."""
        if self.is_plain:
            if (pc.max(pc.binary_length(texts)).as_py() or 0) > MICROSECONDS:
                texts = pc.replace_substring_regex(texts, BEYOND_MICROSECONDS, r"\1")
            return texts.cast(pa.timestamp("us", "UTC") if self.name == ZONED else TIME).cast(TIME)
        parsed = pc.strptime(texts, self.name, "us", error_is_null=True)
        # strptime takes 31 February for 2 March
        numbers = pc.extract_regex(texts, r"^\D*(?P<a>\d+)\D+(?P<b>\d+)(?:\D+(?P<c>\d+))?")
        day = pc.struct_field(numbers, [DAY_AT[self.name[:2]]])
        same = pc.equal(pc.cast(day, WHOLE), pc.day(parsed))
        return pc.if_else(same, parsed, pa.scalar(None, TIME))


def time_spellings(first: list[str]) -> list[TimeSpelling]:
    """Return the formats that any of the first texts has; where day and month may be either, both."""
    first = [text for text in first if not text.isdecimal()]
    found = [name for name, pattern in ISO_PATTERNS.items() if any(re.match(pattern, text) for text in first)]
    for date, pattern in DATES.items():
        begins = re.compile(pattern)
        for text in first:
            match = begins.match(text)
            if match:
                rest = text[match.end() :]
                found += [date + clock for clock, form in CLOCK.items() if re.fullmatch(form, rest)]
    return [TimeSpelling(name) for name in dict.fromkeys(found)]


def swapped(name: str) -> str:
    """Return the format with day and month changed over; the same where they cannot be mistaken."""
    date, clock = name[:8], name[8:]
    if not re.fullmatch(r"%[dm][/-]%[dm][/-]%[yY]", date):
        return name
    return date.replace("%d", "%_").replace("%m", "%d").replace("%_", "%m") + clock


@dataclass(frozen=True)
class WholeSpelling:
    """Digits, as far as 64 bits have room for the number."""

    def matches(self, texts: pa.Array) -> pa.Array:
        """Say of each text whether it is such a number."""
        return _all_fit(self, texts) or pc.match_substring_regex(texts, r"^[+-]?\d{1,18}$")

    def values(self, texts: pa.Array) -> pa.Array:
        """Return the numbers; all texts must match."""
        if pc.any(pc.starts_with(texts, "+")).as_py():
            texts = pc.replace_substring_regex(texts, r"^\+", "")
        return texts.cast(WHOLE)


TRUTHS = {"true": True, "false": False, "1": True, "0": False}
GIVEN_TRUTHS = TRUTHS | {"yes": True, "no": False, "y": True, "n": False, "t": True, "f": False}


@dataclass(frozen=True)
class TruthSpelling:
    """`true` and `false`, 1 and 0; where the type is given, `yes` and `no` and their first letters, too."""

    given: bool = False

    def matches(self, texts: pa.Array) -> pa.Array:
        """Say of each text whether it is one of them."""
        return pc.is_in(pc.utf8_lower(texts), pa.array(list(GIVEN_TRUTHS if self.given else TRUTHS)))

    def values(self, texts: pa.Array) -> pa.Array:
        """Return the truth values; null stays null."""
        true = pa.array([word for word, truth in GIVEN_TRUTHS.items() if truth])
        return pc.if_else(texts.is_valid(), pc.is_in(pc.utf8_lower(texts), true), pa.scalar(None, pa.bool_()))
