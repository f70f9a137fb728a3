"""A text file becomes a table of texts: its encoding, its separator, its lines of data."""

from __future__ import annotations

import contextlib
import csv
import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import pandas as pd

# Byte order marks decide about UTF-16; any bytes but five are text of Windows.
ENCODINGS = ("utf-8-sig", "utf-16", "cp1252")

# The first of those that divide the lines equally well. A comma may be a decimal comma, and
# dates and names have spaces.
SEPARATORS = (";", "\t", ",", "|", " ")

# Number of lines from which to tell the separator.
TELLING_LINES = 1000

# Bytes of other files, and the mark of UTF-16 that cannot be decoded.
NO_TEXT = re.compile(r"[\x00-\x08\x0e-\x1b]|^(ÿþ|þÿ)")
NUMBER = re.compile(r"[-+−]?[.,]?\d[\d.,'’\s]*([eE][-+]?\d+)?")
DIGIT = re.compile(r"\d")
WORD = re.compile(r"[^\W\d_]{3,}")

Row = tuple[int, list[str]]


class Table(NamedTuple):
    """The texts in a file.

    Attributes
    ----------
    texts : DataFrame of str
        The fields, missing where there is none, indexed by the number of their line.
    sep : str
        What separates them.
    notes : list of str
        Sentences about what was not taken.
    """

    texts: pd.DataFrame
    sep: str
    notes: list[str]


def read_table(file: str, sep: str | None = None) -> Table:
    """Read a file as a table; `sep` is what separates its fields, if that is known.

    Raises
    ------
    ValueError
        If the file cannot be used; the message says why.
    """
    import pandas as pd

    try:
        lines = _lines(file)
        sep = sep or _separator(lines)
        rows = list(_rows(lines, sep))
    except (OSError, ValueError, csv.Error) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{file} cannot be read: {reason}") from error
    if not rows:
        raise ValueError(f"{file} cannot be read: it has no lines of text")
    width = Counter(len(fields) for _, fields in rows).most_common(1)[0][0]
    names, data, left_out = _parts(file, rows, width, sep)
    fields = [row + [""] * (width - len(row)) for _, row in data]
    texts = pd.DataFrame(fields, index=[line for line, _ in data], columns=names, dtype=str)
    notes = [f"Line {line} is taken for a remark: {_shown(row)!r}." for line, row in left_out[:3]]
    if len(left_out) > 3:
        notes.append(f"So are {len(left_out) - 3} other lines without data.")
    if names[0] == "1":
        notes.append("The first line is taken for data, and the columns are numbered from 1.")
    return Table(texts.mask(texts == ""), sep, notes)


def _lines(file: str) -> list[str]:
    """Return the lines of a text; pandas finds, unpacks and decodes it."""
    import pandas as pd

    for encoding in ENCODINGS:
        with contextlib.suppress(UnicodeError):
            lines = pd.read_csv(
                file,
                sep="\x1f",  # in no line
                quoting=csv.QUOTE_NONE,
                header=None,
                dtype=str,
                keep_default_na=False,
                skip_blank_lines=False,
                encoding=encoding,
            )[0].tolist()
            if any(map(NO_TEXT.search, lines)):
                break
            return lines
    raise ValueError("it is not text; a spreadsheet can save its sheet as CSV")


def _rows(lines: Sequence[str], sep: str) -> list[Row]:
    """Split the lines that are neither empty nor comments."""
    texts = ["" if line.startswith("#") else line.strip(" ") for line in lines]
    reader = csv.reader(
        (f"{text}\n" for text in texts), delimiter=sep, skipinitialspace=True, strict=True
    )
    rows = ((reader.line_num, [field.strip() for field in fields]) for fields in reader)
    return [(line, fields) for line, fields in rows if any(fields)]


def _separator(lines: Sequence[str]) -> str:
    """Return the separator that divides most lines into equally many fields."""

    def n_alike(sep: str) -> int:
        try:
            rows = _rows(lines[:TELLING_LINES], sep)
        except csv.Error:
            return 0
        widths = Counter(len(fields) for _, fields in rows)
        width, count = widths.most_common(1)[0] if rows else (1, 0)
        return count if width > 1 else 0

    best = max(SEPARATORS, key=n_alike)
    return best if n_alike(best) else ","


def _parts(
    file: str, rows: list[Row], width: int, sep: str
) -> tuple[list[str], list[Row], list[Row]]:
    """Return the names of the columns, the rows of data, and the rows that are neither."""
    at = next(i for i, (_, fields) in enumerate(rows) if len(fields) == width)
    line, head = rows[at]
    is_named = not _is_data(head)
    if at and not is_named:
        above, names = rows[at - 1]
        raise ValueError(
            f"{file} must have a name for each field, got {len(names)} in line {above} and "
            f"{width} fields in line {line}; pass --sep if it is not {sep!r}"
        )
    # Units may stand under the names.
    below = range(at + is_named, len(rows))
    start = next((i for i in below if any(map(DIGIT.search, rows[i][1]))), at + is_named)
    end = len(rows)
    while end > start and _is_remark(rows[end - 1][1], width):
        end -= 1
    if start == end:
        raise ValueError(f"{file} must have rows below its names, got none")
    for line, fields in rows[start:end]:
        if len(fields) > width:
            raise ValueError(
                f"{file} must have {width} fields in each line, one for each name, got "
                f"{len(fields)} in line {line}; a field that contains {sep!r} needs quotes"
            )
    if not is_named:
        return [str(i + 1) for i in range(width)], rows[:end], rows[end:]
    names = [name or f"Unnamed: {i}" for i, name in enumerate(head)]
    return names, rows[start:end], rows[:at] + rows[at + 1 : start] + rows[end:]


def _is_data(fields: Sequence[str]) -> bool:
    """Return whether the fields are numbers, or dates and numbers, and not names."""
    filled = [field for field in fields if field]
    return all(map(DIGIT.search, filled)) and any(map(NUMBER.fullmatch, filled))


def _is_remark(fields: Sequence[str], width: int) -> bool:
    """Return whether the fields are words, not a row that lacks something."""
    alone = sum(map(bool, fields)) == 1 or len(fields) != width
    return alone and len(WORD.findall(" ".join(fields))) > 1


def _shown(fields: Sequence[str]) -> str:
    text = " ".join(field for field in fields if field)
    return text if len(text) <= 60 else f"{text[:57]}…"
