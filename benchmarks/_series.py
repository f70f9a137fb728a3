"""Real series of many kinds: with and without trend and season, yearly to hourly.

They come from the package itself, from statsmodels, and from a folder of files, if one is given:
``ETTh1.csv`` (Zhou et al., 2021), ``m4_hourly.csv`` and ``m4_weekly.csv`` (M4 competition).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from _harness import installed
from numpy.typing import NDArray

from skl_lstm import load_airline_passengers

MACRO = ("realgdp", "realcons", "realinv", "realgovt", "realdpi", "cpi", "m1", "tbilrate")
MACRO += ("unemp", "pop", "infl", "realint")
DANISH = ("lrm", "lry", "lpy", "ibo", "ide")
COUNTRIES = ("Brazil", "China", "Germany", "India", "Japan", "Nigeria")
N_OF_M4 = 5


@dataclass(frozen=True)
class RealSeries:
    """A series with what a forecaster may know of it.

    Parameters
    ----------
    name : str
        Its name in the table.
    values : ndarray of float64 of shape (n,)
        The values, oldest first, none missing.
    season : int
        Number of rows in a season; 1 if there is none.
    steps : int
        Number of steps to forecast.
    unseen : bool
        Whether no choice of a method depended on it.
    """

    name: str
    values: NDArray[np.float64]
    season: int
    steps: int = 12
    unseen: bool = False


def real_series(folder: Path | None = None) -> list[RealSeries]:
    """Return all series that are installed, and those of a folder."""
    found = [RealSeries("airline", load_airline_passengers().to_numpy(np.float64), 12)]
    if installed("statsmodels"):
        found += _of_statsmodels()
    return found + (_of_folder(folder) if folder else [])


def _of_statsmodels() -> list[RealSeries]:
    from statsmodels import datasets

    def table(name: str):
        return getattr(datasets, name).load_pandas().data

    economy, danish, rates = table("macrodata"), table("danish_data"), table("interest_inflation")
    births = table("fertility").set_index("Country Name").loc[list(COUNTRIES), "1960":"2011"]
    carbon = table("co2")["co2"]
    series = [
        ("sunspots", table("sunspots")["SUNACTIVITY"], 1),
        ("nile", table("nile")["volume"], 1),
        ("el nino", table("elnino").set_index("YEAR").stack(), 12),
        ("co2, monthly", carbon.resample("MS").mean().interpolate(), 12),
        ("co2, weekly", carbon.interpolate()[-520:], 52),
        *((name, economy[name], 4) for name in MACRO),
        *((f"danish {name}", danish[name], 4) for name in DANISH),
        *((f"german {name}", rates[name], 4) for name in ("Dp", "R")),
        *((f"births {country}", births.loc[country], 1) for country in COUNTRIES),
    ]
    return [
        RealSeries(name, values.to_numpy(np.float64), season) for name, values, season in series
    ]


def _of_folder(folder: Path) -> list[RealSeries]:
    found = []
    oil = folder / "ETTh1.csv"
    if oil.exists():
        values = np.loadtxt(oil, delimiter=",", skiprows=1, usecols=7)
        found.append(RealSeries("ETTh1 oil, last 2,000 h", values[-2000:], 24, 24, unseen=True))
    for name, season, steps in (("m4_hourly", 24, 24), ("m4_weekly", 52, 12)):
        file = folder / f"{name}.csv"
        if file.exists():
            found += [
                RealSeries(f"{name} {label}", values[-2000:], season, steps, unseen=True)
                for label, values in _lines(file, N_OF_M4, n_least=4 * season)
            ]
    return found


def _lines(file: Path, n_series: int, n_least: int) -> list[tuple[str, NDArray[np.float64]]]:
    """Return evenly spaced series of a file with one per line, its name first, that are long."""
    with file.open(newline="") as stream:
        _, *rows = csv.reader(stream)
    rows = [row for row in rows if sum(map(bool, row[1:])) >= n_least]
    chosen = [rows[i] for i in np.linspace(0, len(rows) - 1, n_series).astype(int)]
    return [(name, np.array([float(text) for text in texts if text])) for name, *texts in chosen]
