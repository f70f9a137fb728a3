"""The weekly and hourly series of the M4 competition: their tables, parts and measures.

A table is long: one column, indexed by series and step. So are truths and forecasts, which are
Series of the same index.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

VALUE = "value"
LEVELS = ["series", "step"]

# Forecasts after the end of a history.
Ahead = Callable[[pd.DataFrame], pd.Series]


@dataclass(frozen=True)
class Frequency:
    """One of the data sets.

    Parameters
    ----------
    name : str
        Name of the file, ``m4_<name>.csv``.
    horizon, season : int
        Number of steps to forecast, and steps of a season of Naive2 and MASE.
    naive2 : tuple of float
        sMAPE and MASE of Naive2, as published.
    held_out : int
        For validation, number of values at the end of each training part not to train on.
    origins : tuple of int
        For validation, how many values before the end of the training part forecasts start.
    """

    name: str
    horizon: int
    season: int
    naive2: tuple[float, float]
    held_out: int
    origins: tuple[int, ...]


WEEKLY = Frequency("weekly", 13, 1, (9.161, 2.777), held_out=13, origins=(13,))
HOURLY = Frequency("hourly", 48, 24, (18.383, 2.395), held_out=120, origins=(120, 96, 72, 48))


@dataclass(frozen=True)
class Parts:
    """The rows to train on, and pairs of a history and what follows it."""

    train: pd.DataFrame
    origins: list[tuple[pd.DataFrame, pd.Series]]

    def forecasts(self, ahead: Ahead) -> list[pd.Series]:
        """Return the forecasts from each history."""
        return [ahead(history) for history, _ in self.origins]

    def errors(self, season: int, forecasts: Sequence[pd.Series]) -> NDArray[np.float64]:
        """Return sMAPE and MASE of the forecasts from each history, means over all of them."""
        pairs = zip(self.origins, forecasts, strict=True)
        return np.mean(
            [errors(history, truth, said, season) for (history, truth), said in pairs], axis=0
        )


def read(folder: Path, frequency: Frequency) -> pd.DataFrame:
    """Return the table of a file with one series per line, its name first."""
    with (folder / f"m4_{frequency.name}.csv").open(newline="") as stream:
        _, *rows = csv.reader(stream)
    return long_table({name: [float(text) for text in texts if text] for name, *texts in rows})


def generated(frequency: Frequency, n_series: int = 3, n_rows: int = 400) -> pd.DataFrame:
    """Return random walks with a season, for a run without the files."""
    rng = np.random.default_rng(0)
    season = np.sin(2.0 * np.pi * np.arange(n_rows) / max(frequency.season, 2))
    walks = rng.normal(scale=0.02, size=(n_series, n_rows)).cumsum(axis=1)
    return long_table({f"S{i}": 100.0 * np.exp(walk + season) for i, walk in enumerate(walks)})


def long_table(series: Mapping[str, Sequence[float] | NDArray]) -> pd.DataFrame:
    """Return a table of series that number their steps from 0."""
    return pd.concat(
        {name: pd.DataFrame({VALUE: values}) for name, values in series.items()}, names=LEVELS
    )


def divide(table: pd.DataFrame, frequency: Frequency, *, validation: bool) -> Parts:
    """Return the parts of the competition, or those inside its training part for validation."""
    rows_after = table.groupby("series").cumcount(ascending=False)
    horizon = frequency.horizon

    def until(n_last: int) -> pd.DataFrame:
        return table[rows_after >= n_last]

    def following(n_last: int) -> pd.Series:
        return table[VALUE][(rows_after < n_last) & (rows_after >= n_last - horizon)]

    held_out, origins = (frequency.held_out, frequency.origins) if validation else (0, (0,))
    starts = [horizon + before for before in origins]
    return Parts(until(horizon + held_out), [(until(n), following(n)) for n in starts])


def errors(
    history: pd.DataFrame, truth: pd.Series, ahead: pd.Series, season: int
) -> tuple[float, float]:
    """Return sMAPE and MASE, means over the series.

    MASE divides by the mean absolute error of the seasonal naive forecast in the history.
    """
    ahead = ahead.loc[truth.index]
    size = (truth - ahead).abs()
    relative = 200.0 * size / (truth.abs() + ahead.abs())
    changes = history.groupby("series")[VALUE].diff(season).abs()
    scaled = size.groupby("series").mean() / changes.groupby("series").mean()
    return float(relative.to_numpy().mean()), float(scaled.to_numpy().mean())


def by_series(method: Callable[[NDArray], NDArray]) -> Ahead:
    """Return how a function of the values of one series forecasts all of them."""

    def ahead(history: pd.DataFrame) -> pd.Series:
        found = {}
        for name, values in history.groupby("series")[VALUE]:
            said = method(values.to_numpy())
            steps = pd.RangeIndex(len(values), len(values) + len(said))
            found[name] = pd.Series(said, index=steps)
        return pd.concat(found, names=LEVELS)

    return ahead


def naive2(values: NDArray, frequency: Frequency) -> NDArray[np.float64]:
    """Repeat the last value, seasonally adjusted by classical multiplicative decomposition.

    The season must be an even number, or one.
    """
    horizon, season = frequency.horizon, frequency.season
    if not _is_seasonal(values, season):
        return np.full(horizon, values[-1])
    weights = np.full(season + 1, 1.0 / season)
    weights[[0, -1]] /= 2.0
    half = season // 2
    ratios = np.full(len(values), np.nan)
    ratios[half:-half] = values[half:-half] / np.convolve(values, weights, "valid")
    indices = np.array([np.nanmean(ratios[start::season]) for start in range(season)])
    indices *= season / indices.sum()
    of_step = indices[np.arange(len(values) + horizon) % season]
    return values[-1] / of_step[len(values) - 1] * of_step[len(values) :]


def _is_seasonal(values: NDArray, season: int) -> bool:
    """Return whether the autocorrelation at a season is significant at 90 %, as in M4."""
    if season == 1 or len(values) < 3 * season:
        return False
    centered = values - values.mean()
    correlations = np.array([centered[lag:] @ centered[:-lag] for lag in range(1, season + 1)])
    correlations /= centered @ centered
    limit = 1.645 * np.sqrt((1.0 + 2.0 * np.square(correlations[:-1]).sum()) / len(values))
    return bool(np.abs(correlations[-1]) > limit)
