"""The airline series, from the CSV file in this folder."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def load_airline_passengers() -> pd.Series:
    """Load the monthly totals of international airline passengers, 1949 to 1960.

    Returns
    -------
    passengers : Series of shape (144,)
        Thousands of passengers, indexed by the first day of each month.

    Notes
    -----
    Series G of Box, G. E. P., Jenkins, G. M. and Reinsel, G. C. (1976), *Time Series
    Analysis, Forecasting and Control*, 3rd ed., Holden-Day.

    Examples
    --------
    >>> from skl_lstm.datasets import load_airline_passengers
    >>> load_airline_passengers().head(3)
    Month
    1949-01-01    112
    1949-02-01    118
    1949-03-01    132
    Freq: MS, Name: passengers, dtype: int64
    """
    import pandas as pd

    with files(__package__).joinpath("airline_passengers.csv").open() as file:
        table = pd.read_csv(file, header=0, names=["Month", "passengers"])
    months = pd.DatetimeIndex(pd.to_datetime(table["Month"], format="%Y-%m"), freq="MS")
    return table["passengers"].set_axis(months)
