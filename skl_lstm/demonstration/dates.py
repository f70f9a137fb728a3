"""Texts become dates, in the one style that all of them share."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Literal

import numpy as np

from skl_lstm.windowing.calendar import frequency

if TYPE_CHECKING:
    import pandas as pd

ISO = r"\d{4}-\d\d(-\d\d([T ]\d\d:\d\d.*)?)?"
OFFSET = r"\d(?:Z|[+-]\d\d:?\d\d)$"
EPOCHS: dict[str, Literal["s", "ms"]] = {r"\d{9,10}": "s", r"\d{12,13}": "ms"}
DIGITS = {r"\d{4}": "%Y", r"\d{6}": "%Y%m", r"\d{8}": "%Y%m%d"}
# Other dates: with a space between their parts, and the first three letters of a month.
STYLES = [
    *["%Y %m %d", "%m %d %Y", "%d %m %Y", "%m %d %y", "%d %m %y", "%y %m %d"],
    *["%Y %m", "%m %Y", "%b %Y", "%Y %b", "%b %y", "%y %b"],
    *["%d %b %Y", "%b %d %Y", "%Y %b %d", "%d %b %y"],
    *["%Y %m %d %H", "%d %m %Y %H", "%m %d %Y %H"],
]
TIME = r"[T ,]\s*(\d{1,2}):(\d\d)(?::(\d\d(?:\.\d+)?))?\s*(?:([AaPp])\.?[Mm]\.?)?$"

# Number of rows that show whether a style, or a column, is worth reading.
TELLING_ROWS = 50


def read_dates(
    file: str, column: str, texts: pd.Series, date_format: str | None = None, utc: bool = False
) -> pd.DatetimeIndex:
    """Read dates, if they can be read in only one way.

    Parameters
    ----------
    file, column : str
        What has the dates, for messages.
    texts : Series of str
        The dates, indexed by the number of their line.
    date_format : str, default=None
        How to read them, in the codes of ``strptime``.
    utc : bool, default=False
        Whether to convert dates that have a UTC offset to UTC.

    Raises
    ------
    ValueError
        If a text is no date, or all can be read in several ways.
    """
    if date_format is None:
        readings = _readings(file, column, texts, utc)
    else:
        try:
            readings = [_read_as(texts, date_format)]
        except ValueError as error:
            raise ValueError(f"--date-format must be one of strptime: {error}") from error
    # Rows of one series follow each other, most likely at regular steps.
    for evidence in (_are_dates, _are_in_order, _are_regular):
        if len(readings) > 1:
            readings = [reading for reading in readings if evidence(reading)] or readings
    if not readings or readings[0].hasnans:
        bad = min((reading.isna() for reading in readings), key=np.sum, default=[True])
        at = int(np.argmax(bad))
        text = "nothing" if texts.isna().iloc[at] else repr(texts.iloc[at])
        raise ValueError(
            f"{file} must have a date in each row of {column!r}, got {text} in line "
            f"{texts.index[at]}; --date-format tells how to read dates, --no-dates does without"
        )
    if len(readings) > 1:
        at = int(np.argmax(readings[0] != readings[1]))
        first, second = (f"{reading[at]:%Y-%m-%d}" for reading in readings[:2])
        raise ValueError(
            f"{file} must have dates in {column!r} whose day and month are unambiguous, got "
            f"{texts.iloc[at]!r} in line {texts.index[at]}, which may be {first} or {second}; "
            "--date-format tells which, as in --date-format %d/%m/%Y"
        )
    return readings[0].rename(column)


def look_like_dates(texts: pd.Series) -> bool:
    """Return whether most of the first texts can be read as dates."""
    first = texts.dropna()[:TELLING_ROWS]
    readings = _readings("", "", first, utc=True) if len(first) else []
    return any(np.mean(reading.notna()) > 0.5 for reading in readings)


def _readings(file: str, column: str, texts: pd.Series, utc: bool) -> list[pd.DatetimeIndex]:
    """Return all ways to read dates, with NaT for what is no date."""
    import pandas as pd

    def most_are(pattern: str) -> bool:
        return bool(texts.str.fullmatch(pattern, na=False).mean() > 0.5)

    if most_are(ISO):
        utc = utc and bool(texts.str.contains(OFFSET, na=False).any())
        try:
            with warnings.catch_warnings():  # of pandas 2, before it fails
                warnings.simplefilter("ignore")
                dates = pd.to_datetime(texts, format="ISO8601", errors="coerce", utc=utc)
            return [pd.DatetimeIndex(dates)]
        except ValueError as error:
            raise ValueError(
                f"{file} must have dates of one UTC offset in {column!r}, got several; "
                "--time-zone takes them for times of one place"
            ) from error
    for pattern, unit in EPOCHS.items():
        if most_are(pattern):
            seconds = pd.to_numeric(texts.where(texts.str.fullmatch(pattern, na=False)))
            return [pd.DatetimeIndex(pd.to_datetime(seconds, unit=unit, utc=True))]
    for pattern, style in DIGITS.items():
        if most_are(pattern):
            return [_read_as(texts.where(texts.str.fullmatch(pattern, na=False)), style)]
    days = _in_parts(texts.str.replace(TIME, "", regex=True))
    times = _times(texts)
    styles = [style for style in STYLES if _read_as(days[:TELLING_ROWS], style).notna().any()]
    readings = (_read_as(days, style) for style in styles)
    different = {reading.asi8.tobytes(): reading for reading in readings}
    return [reading + times for reading in different.values()]


def _in_parts(texts: pd.Series) -> pd.Series:
    """Write quarters as their first month, and dates as parts with spaces between them."""
    for pattern, parts in {
        **{rf"(?i)Q{quarter}(?!\d)": f" {3 * quarter - 2} " for quarter in range(1, 5)},
        r"(?i)(\d{4})M(?=\d)": r"\1 ",
        r"([^\W\d_]{3})[^\W\d_]*": r" \1 ",
        r"[\W_]+": " ",
    }.items():
        texts = texts.str.replace(pattern, parts, regex=True)
    return texts.str.strip()


def _times(texts: pd.Series) -> pd.TimedeltaIndex:
    """Return the times of day; 0 where there is none."""
    import pandas as pd

    parts = texts.str.extract(TIME)
    hours, minutes, seconds = (pd.to_numeric(parts[i]).fillna(0) for i in range(3))
    of_halves = parts[3].notna()
    hours = hours.mask(of_halves, hours % 12 + 12 * (parts[3].str.lower() == "p"))
    return pd.TimedeltaIndex(pd.to_timedelta(hours * 3600 + minutes * 60 + seconds, unit="s"))


def _read_as(texts: pd.Series, style: str) -> pd.DatetimeIndex:
    import pandas as pd

    dates = pd.DatetimeIndex(pd.to_datetime(texts, format=style, errors="coerce"))
    return _in_centuries(dates) if "%y" in style and not dates.hasnans else dates


def _in_centuries(dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Let years of two digits follow each other, from the last one that is not in the future."""
    import pandas as pd

    years = dates.year.to_numpy() % 100
    present = np.unique(years)
    # The series does not reach over the longest gap of the hundred years.
    longest = np.argmax(np.diff(present, append=present[0] + 100))
    first = present[(longest + 1) % len(present)]
    this_year = pd.Timestamp.now().year
    whole = this_year - (this_year - first) % 100 + (years - first) % 100
    parts = {"year": whole, "month": dates.month, "day": dates.day}
    moved = pd.to_datetime(pd.DataFrame(parts), errors="coerce")
    return pd.DatetimeIndex(moved) + (dates - dates.normalize())


def _are_dates(reading: pd.DatetimeIndex) -> bool:
    return not reading.hasnans


def _are_in_order(reading: pd.DatetimeIndex) -> bool:
    return reading.is_monotonic_increasing or reading.is_monotonic_decreasing


def _are_regular(reading: pd.DatetimeIndex) -> bool:
    try:
        frequency(reading.sort_values())
    except ValueError:
        return False
    return True
