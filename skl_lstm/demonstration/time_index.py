"""Dates become an index that forecasts can continue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from skl_lstm.windowing.calendar import (
    first_hole,
    given_frequency,
    label_text,
    likely_frequency,
    positions,
)

if TYPE_CHECKING:
    import pandas as pd


def make_index(
    file: str, dates: pd.DatetimeIndex, time_zone: str | None = None, freq: str | None = None
) -> tuple[pd.DatetimeIndex, Any]:
    """Make an index of the dates of consecutive rows.

    Parameters
    ----------
    file : str
        What has the dates, for messages.
    dates : DatetimeIndex
        The dates, oldest first, under the name of their column.
    time_zone : str, default=None
        Place of the times.
    freq : str, default=None
        The step between two rows; None to infer it, where no row is missing.

    Returns
    -------
    index : DatetimeIndex
        The index, with its frequency unless `freq` is given.
    step : offset or None
        The step, if `freq` is given.

    Raises
    ------
    ValueError
        If dates do not increase, rows are missing, or the place has no such times.
    """
    import pandas as pd

    index = dates if time_zone is None else _in_time_zone(file, dates, time_zone)
    _check_order(file, index)
    if freq is not None:
        return index, given_frequency(index, freq)
    return pd.DatetimeIndex(index, freq=_step(file, index)), None


def _in_time_zone(file: str, index: pd.DatetimeIndex, time_zone: str) -> pd.DatetimeIndex:
    """Return times of a place; the order of the rows tells an hour from its repetition."""
    try:
        if index.tz is not None:
            return index.tz_convert(time_zone)
        return index.tz_localize(time_zone, ambiguous="infer")
    except Exception as error:  # not of one class in all versions of pandas
        reason = str(error.args[0] if error.args else error).strip("'\"")
        raise ValueError(f"{file} has no times of --time-zone {time_zone}: {reason}") from error


def _check_order(file: str, index: pd.DatetimeIndex) -> None:
    """Raise ValueError unless each date is later than the one before it."""
    wrong = np.flatnonzero(~(index[:-1] < index[1:]))
    if not len(wrong):
        return
    before, after = index[wrong[0]], index[wrong[0] + 1]
    where = f"{file}, dates in {index.name!r}"
    if before == after:
        local = "" if index.tz else "local times that repeat an hour need --time-zone, "
        raise ValueError(
            f"{where}: must have one row for each time, got {label_text(after)} twice; {local}"
            "times in other columns need --date-column too, several series a file for each"
        )
    raise ValueError(
        f"{where}: must increase from row to row, or decrease, got {label_text(after)} after "
        f"{label_text(before)}; sort the rows, if they are one series, or tell with --date-format "
        "how to read dates"
    )


def _step(file: str, index: pd.DatetimeIndex) -> Any:
    """Return the step between two rows, none of which may be missing."""
    import pandas as pd

    where = f"{file}, dates in {index.name!r}"
    likely = likely_frequency(index)
    ways_on = "to treat the rows as consecutive, or --no-dates to number them"
    if likely is None:
        raise ValueError(
            f"{where}: must have equal steps, got {len(index)} dates without; pass --freq "
            f"{ways_on}"
        )
    hole = first_hole(index, likely, positions(index, likely, index[0]))
    if hole is None:
        return likely
    alias = "" if likely.freqstr.startswith("<") else f" {likely.freqstr}"
    by_the_clock = index.tz is None and index[0] + likely < index[0] + pd.Timedelta(days=1)
    zone = "--time-zone if times are local, " if by_the_clock else ""
    raise ValueError(f"{where}: must have {hole}; add it, or pass {zone}--freq{alias} {ways_on}")
