"""Error measures of forecasts, through utilsforecast, for any groups of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from skl_lstm.checks import did_you_mean

if TYPE_CHECKING:
    import pandas as pd

# Columns of a table with what a measure needs.
GROUP, TRUTH, SAID = "unique_id", "y", "forecast"
USED = ("truth", SAID, "lower", "upper", "scale", "rms_scale")
LEVEL = 0  # under which the ends of the interval are handed over

Measure = Callable[["pd.DataFrame", float], "pd.Series"]


def _of_forecast(name: str, factor: float = 1.0) -> Measure:
    """Return a measure of the library that takes truth and forecast alone."""

    def measure(table: pd.DataFrame, coverage: float) -> pd.Series:
        from utilsforecast import losses

        found = getattr(losses, name)(table, models=[SAID])
        return factor * found.set_index(GROUP)[SAID]

    return measure


def _scaled(name: str, scale: str) -> Measure:
    """Return a measure of truth and forecast in units of a scale that rows have."""

    def measure(table: pd.DataFrame, coverage: float) -> pd.Series:
        # The error itself, since of a constant series both ends of a difference would be infinite.
        error = (table[SAID] - table[TRUTH]) / table[scale]
        table = table.assign(**{SAID: error})
        table[TRUTH] = 0.0
        return _of_forecast(name)(table, coverage)

    return measure


def _pinball(table: pd.DataFrame, coverage: float) -> pd.Series:
    from utilsforecast import losses

    table = _with_interval(table)
    lower, upper = (
        losses.quantile_loss(table, models={SAID: end}, q=quantile).set_index(GROUP)[SAID]
        for end, quantile in (("lower", (1 - coverage) / 2), ("upper", (1 + coverage) / 2))
    )
    return (lower + upper) / 2


def _coverage(table: pd.DataFrame, coverage: float) -> pd.Series:
    from utilsforecast import losses

    table = _with_interval(table)
    ends = {f"{SAID}-lo-{LEVEL}": table["lower"], f"{SAID}-hi-{LEVEL}": table["upper"]}
    inside = losses.coverage(table.assign(**ends), models=[SAID], level=LEVEL)
    return inside.set_index(GROUP)[SAID].astype(np.float64)


def _with_interval(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that have an interval, which naive forecasts have not."""
    return table[table["lower"].notna()]


OF_FORECASTS: dict[str, Measure] = {
    "MAE": _of_forecast("mae"),
    "RMSE": _of_forecast("rmse"),
    "sMAPE": _of_forecast("smape", 200.0),  # in percent of the mean of truth and forecast
    "MASE": _scaled("mae", "scale"),
    "RMSSE": _scaled("rmse", "rms_scale"),
}
OF_INTERVALS: dict[str, Measure] = {"pinball": _pinball, "coverage": _coverage}
MEASURES = OF_FORECASTS | OF_INTERVALS


def check_scoring(
    scoring: Any, coverage: float | None, parameter: str = "scoring"
) -> tuple[str, ...]:
    """Return the names of measures; all that there are if `scoring` is None."""
    there = list(OF_FORECASTS if coverage is None else MEASURES)
    if scoring is None:
        return tuple(there)
    several = not isinstance(scoring, str) and isinstance(scoring, Iterable)
    names = tuple(scoring) if several else (scoring,)
    for name in names:
        if name in OF_INTERVALS and coverage is None:
            raise ValueError(f"coverage must be given for {parameter}={name!r}, got None")
        if name not in there:
            raise ValueError(
                f"{parameter} must name measures among {there}, got {name!r}"
                f"{did_you_mean(str(name), there)}"
            )
    if not names or len(set(names)) < len(names):
        raise ValueError(f"scoring must name different measures, got {list(names)}")
    return names


def measured(
    frame: pd.DataFrame, by: Sequence[Any], names: Sequence[str], coverage: float | None
) -> pd.DataFrame:
    """Return measures of groups of forecasts.

    Parameters
    ----------
    frame : DataFrame of shape (n, n_columns)
        Known values and forecasts, with the columns of ``Backtest.frame``.
    by : sequence of names
        Columns whose values make a group; groups are in the order of their first rows.
    names : sequence of str
        Names of measures.
    coverage : float or None
        Nominal coverage of the interval.

    Returns
    -------
    measures : DataFrame of shape (n_groups, n_measures)
        Indexed by the columns in `by`.
    """
    groups = frame.groupby(list(by), sort=False)
    numbers = groups.ngroup().to_numpy()
    # Alone, because the library groups by some names of columns too.
    table = frame[[name for name in frame if name in USED]].rename(columns={"truth": TRUTH})
    table[GROUP] = numbers
    measures = {name: MEASURES[name](table, coverage or 0.0) for name in names}
    first = frame.groupby(numbers, sort=True)[list(by)].first()
    return first.assign(**measures).set_index(list(by))
