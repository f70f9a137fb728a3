"""A user's series, loaded from a CSV file."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from skl_lstm.windowing.calendar import frequency

if TYPE_CHECKING:
    import pandas as pd


def load_series(file: str, column: str, date_column: str | None) -> pd.Series:
    """Load one column of a CSV file, indexed by its date column if there is one.

    Raises
    ------
    ValueError
        If the file cannot be used; the message says why.
    """
    import pandas as pd

    try:
        table = pd.read_csv(file, dtype=str)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{file} cannot be read: {reason}") from error
    if not isinstance(table.index, pd.RangeIndex):  # pandas uses surplus fields as the index
        raise ValueError(
            f"{file} must have a name in its first line for each field, got "
            f"{len(table.columns)} names and rows of more fields"
        )
    for name in (column, date_column):
        if name is not None and name not in table:
            raise ValueError(f"{file} has no column {name!r}, only {list(table.columns)}")
    values = pd.to_numeric(table[column], errors="coerce").astype(np.float64)
    _check_rows(file, column, "a number", table[column], values.abs() < np.inf)
    if date_column is None:
        return values.rename(column)
    index = _read_dates(file, date_column, table[date_column])
    try:
        freq = frequency(index)
    except ValueError as error:
        advice_apart = str(error).partition(";")[0]
        raise ValueError(f"{file}, dates in {date_column!r}: {advice_apart}") from error
    return values.rename(column).set_axis(pd.DatetimeIndex(index, freq=freq, name=date_column))


def _read_dates(file: str, column: str, texts: pd.Series) -> pd.DatetimeIndex:
    """Read dates, if they can be read in only one way."""
    import pandas as pd

    try:
        with warnings.catch_warnings():
            # Each date is parsed separately, which may be slow.
            warnings.simplefilter("ignore")
            month_first, day_first = (
                pd.DatetimeIndex(pd.to_datetime(texts, errors="coerce", dayfirst=day_first))
                for day_first in (False, True)
            )
    except ValueError as error:
        raise ValueError(
            f"{file} must have dates of one UTC offset in {column!r}, got several"
        ) from error
    year_first = texts.str.match(r"\d{4}").all()
    if not year_first and day_first.notna().all() and not day_first.equals(month_first):
        row = int(np.argmax(day_first != month_first))
        raise ValueError(
            f"{file} must have dates in {column!r} whose day and month are unambiguous, as in "
            f"YYYY-MM-DD, got {texts.iloc[row]!r} in row {row + 1}"
        )
    _check_rows(file, column, "a date", texts, np.asarray(month_first.notna()))
    return month_first


def _check_rows(
    file: str, column: str, wanted: str, texts: pd.Series, good: pd.Series | NDArray
) -> None:
    if good.all():
        return
    row = int(np.argmin(good))
    text = "nothing" if texts.isna().iloc[row] else repr(texts.iloc[row])
    raise ValueError(
        f"{file} must have {wanted} in each row of {column!r}, got {text} in row {row + 1}"
    )
