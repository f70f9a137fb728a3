"""A user's series, loaded from a text file, and what was decided about it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from skl_lstm.demonstration.data import Data
from skl_lstm.demonstration.dates import look_like_dates, read_dates
from skl_lstm.demonstration.decimals import decimal_mark, to_numbers
from skl_lstm.demonstration.text_table import read_table
from skl_lstm.demonstration.time_index import make_index

if TYPE_CHECKING:
    import pandas as pd

# Names of columns whose numbers are dates.
NAME_OF_DATES = re.compile(r"(?i).*(dat|time|year|month|quarter|epoch|jahr).*|ds|day|week|t")

# What stands for a value that is not known: marks of pandas and of archives.
MISSING = ["", "?", ".", "-", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null", "None"]

# Number of rows that show what a column holds.
TELLING_ROWS = 50


def load_series(
    file: str,
    column: str | None = None,
    date_column: Sequence[str] = (),
    *,
    known: Sequence[str] = (),
    no_dates: bool = False,
    sep: str | None = None,
    decimal: str | None = None,
    date_format: str | None = None,
    time_zone: str | None = None,
    freq: str | None = None,
) -> Data:
    """Load a series from a file of texts and numbers, such as CSV.

    Parameters
    ----------
    file : str
        Path or address.
    column : str, default=None
        The column to forecast; None if there is only one of numbers.
    date_column : sequence of str, default=()
        The column of dates, or those that make up a date together; if there are none, the only
        one that holds dates, if any.
    known : sequence of str, default=()
        The columns known ahead.
    no_dates : bool, default=False
        Whether to number the rows.
    sep, decimal, date_format : str, default=None
        How texts, numbers and dates are written; None to find out.
    time_zone : str, default=None
        Place of the times.
    freq : str, default=None
        The step between two rows, whatever the dates tell.

    Raises
    ------
    ValueError
        If the file cannot be used; the message says why.
    """
    import pandas as pd

    texts, sep, notes = read_table(file, sep)
    given = [*([] if column is None else [column]), *known, *date_column]
    _check_names(file, texts.columns, given)
    if not date_column and not no_dates:
        date_column = _date_columns(file, texts, given)
        notes += [f"The dates are those of {name!r}." for name in date_column]
        if not date_column and len(texts.columns) > len(given) + (column is None):
            notes.append("No column of dates was found; the rows are numbered.")
    if column is None:
        column = _value_column(file, texts, [*date_column, *known])
        notes.append(f"The values are those of {column!r}.")
    names = [column, *known]
    decimal = decimal or decimal_mark(file, pd.concat([texts[name] for name in names]), sep)
    frame = pd.DataFrame({name: to_numbers(texts[name], decimal) for name in names})
    if not date_column:
        if date_format or time_zone or freq:
            raise ValueError(
                "--date-format, --time-zone and --freq require a column of dates, got none; name "
                "it in --date-column"
            )
        _check_numbers(file, frame, texts)
        return Data(frame.reset_index(drop=True), None, notes)
    written = texts[date_column[0]]
    for name in date_column[1:]:
        written = written + " " + texts[name]
    dates = read_dates(file, " ".join(date_column), written, date_format, time_zone is not None)
    # Most rows, as a local hour may be repeated.
    if np.mean(dates[1:] < dates[:-1]) > 0.5:
        dates, frame, texts = dates[::-1], frame[::-1], texts[::-1]
        notes.append("The rows, newest first in the file, are sorted by their dates.")
    _check_numbers(file, frame, texts)
    index, step = make_index(file, dates, time_zone, freq)
    return Data(frame.set_axis(index), step, notes)


def _check_names(file: str, columns: pd.Index, given: Sequence[str]) -> None:
    for name in given:
        if name not in columns:
            raise ValueError(f"{file} has no column {name!r}, only {list(columns)}")
        if given.count(name) > 1 or list(columns).count(name) > 1:
            raise ValueError(f"{file} must have one column {name!r} for one use, got it twice")


def _date_columns(file: str, texts: pd.DataFrame, given: Sequence[str]) -> list[str]:
    """Return the only column that holds dates, if any does."""
    names = [name for name in _other_columns(texts, given) if _holds_dates(name, texts[name])]
    if len(names) > 1:
        raise ValueError(
            f"{file} must have one column of dates, got {names}; name it in --date-column, or "
            "pass --no-dates"
        )
    return names


def _holds_dates(name: str, texts: pd.Series) -> bool:
    numbers = to_numbers(texts, ".")
    if numbers.notna().any() and not (
        NAME_OF_DATES.fullmatch(name)
        and numbers.is_unique
        and (numbers.is_monotonic_increasing or numbers.is_monotonic_decreasing)
    ):
        return False
    return look_like_dates(texts)


def _value_column(file: str, texts: pd.DataFrame, taken: Sequence[str]) -> str:
    """Return the only column that holds numbers."""
    names = [name for name in _other_columns(texts, taken) if _holds_numbers(texts[name])]
    if len(names) != 1:
        found = f"several, {names}" if names else f"none among {list(texts.columns)}"
        raise ValueError(
            f"{file} must have one column of numbers, got {found}; name the one to forecast in "
            "--column"
        )
    return names[0]


def _holds_numbers(texts: pd.Series) -> bool:
    filled = texts.dropna()[:TELLING_ROWS]
    return any(to_numbers(filled, mark).notna().mean() > 0.5 for mark in ".,")


def _other_columns(texts: pd.DataFrame, taken: Sequence[str]) -> list[str]:
    """Return the columns that have names, as those that just number the rows have not."""
    twice = set(texts.columns[texts.columns.duplicated()])
    left_out = {*taken, *twice}
    return [
        name for name in texts.columns if name not in left_out and not name.startswith("Unnamed: ")
    ]


def _check_numbers(file: str, frame: pd.DataFrame, texts: pd.DataFrame) -> None:
    """Raise ValueError unless only values are missing, in rows to forecast."""
    target, *known = frame.columns
    given = np.flatnonzero(~texts[target].fillna("").isin(MISSING))
    n_past = int(given[-1]) + 1 if len(given) else len(frame)
    ways_on = "" if known or n_past == len(frame) else "; rows to forecast need columns of --known"
    n_checked = {name: n_past if known and name == target else len(frame) for name in frame}
    for name, n_rows in n_checked.items():
        missing = np.flatnonzero(frame[name][:n_rows].isna())
        if len(missing):
            text = texts[name].iloc[missing[0]]
            raise ValueError(
                f"{file} must have a number in each row of {name!r}, got "
                f"{repr(text) if isinstance(text, str) else 'nothing'} in line "
                f"{frame.index[missing[0]]}{ways_on if missing[0] >= n_past else ''}"
            )
    if known and n_past == len(frame):
        raise ValueError(
            f"{file} must end with rows to forecast, in which {known} are known and {target!r} is "
            f"empty, got {texts[target].iloc[-1]!r} in its last row"
        )
