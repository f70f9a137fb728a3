"""The forecasts of a backtest, as lines over time: a path from each origin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from skl_lstm.drawing.lines import places

if TYPE_CHECKING:
    import pandas as pd

NAIVE = ("naive", "seasonal_naive")

# The columns of the frame of a backtest, in their order; the names of series stand between
# "fold" and "origin".
COLUMNS = (
    "model",
    "fold",
    "origin",
    "step",
    "time",
    "column",
    "truth",
    "forecast",
    "lower",
    "upper",
    "scale",
    "rms_scale",
)
NEEDED = ("model", "fold", "origin", "step", "time", "truth", "forecast")


def is_of_backtest(frame: Any) -> bool:
    """Return whether this is the frame of a backtest."""
    return set(NEEDED) <= set(getattr(frame, "columns", ()))


def as_index(column: pd.Series) -> pd.Index:
    """Return the labels in a column, of the kind of an index."""
    import pandas as pd

    return pd.Index(column)


def series_columns(frame: pd.DataFrame) -> list[Any]:
    """Return the columns that tell several series apart."""
    columns = list(frame.columns)
    return columns[columns.index("fold") + 1 : columns.index("origin")]


def series_of_rows(frame: pd.DataFrame) -> pd.Index | None:
    """Return the label of the series of each row; None if there is one series."""
    import pandas as pd

    names = series_columns(frame)
    if not names:
        return None
    if len(names) == 1:
        return pd.Index(frame[names[0]])
    return pd.MultiIndex.from_frame(frame[names])


def name_of_series(label: Any) -> str:
    """Return the label of a series as a title."""
    return ", ".join(map(str, label)) if isinstance(label, tuple) else str(label)


def apart(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of origins whose paths do not overlap: the last one, and so on back."""
    extents = frame.groupby("origin")["time"].agg(["min", "max"]).sort_index(ascending=False)
    kept, begin = [], None
    for origin, first, last in extents.itertuples():
        if begin is None or last < begin:
            kept.append(origin)
            begin = first
    return frame[frame["origin"].isin(kept)]


def paths(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the forecasts of one model, of one column of one series, in the order of time.

    Parameters
    ----------
    frame : DataFrame
        Rows of a backtest.

    Returns
    -------
    paths : DataFrame
        ``forecast`` and, if they are there, ``lower`` and ``upper``, indexed by time, with a row
        of NaN before each origin but the first, so that no line leads from path to path.
    """
    import pandas as pd

    frame = frame.sort_values(["origin", "step"], kind="stable")
    ends = [name for name in ("lower", "upper") if name in frame]
    origin = frame["origin"].to_numpy()
    starts = np.flatnonzero(origin[1:] != origin[:-1]) + 1
    values = frame[["forecast", *ends]].to_numpy(dtype=np.float64)
    rows = np.insert(np.arange(len(frame)), starts, starts)
    return pd.DataFrame(
        np.insert(values, starts, np.nan, axis=0),
        index=pd.Index(frame["time"]).take(rows),
        columns=["forecast", *ends],
    )


def truth(frame: pd.DataFrame) -> pd.Series:
    """Return the true values of one column of one series, in the order of time.

    A row of NaN stands where a path begins that does not continue those before, so that no line
    leads over times that were not forecast.
    """
    import pandas as pd

    frame = frame.sort_values(["model", "origin", "step"], kind="stable")
    before = frame.groupby(["model", "origin"], sort=False)["time"].shift(1)
    before = before.where(frame["step"] > 1, frame["origin"])
    last_before = before.groupby(frame["time"]).max()
    known = frame.groupby("time")["truth"].first()
    times = known.index
    goes_on = places(pd.Index(last_before))[1:] == places(times)[:-1]
    starts = np.flatnonzero(~goes_on) + 1
    rows = np.insert(np.arange(len(known)), starts, starts)
    return pd.Series(np.insert(known.to_numpy(dtype=np.float64), starts, np.nan), times.take(rows))


def mean_errors(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the mean absolute error by step, of shape (n_steps, n_models).

    All models are measured on the same values, as in the summary of a backtest.
    """
    errors = frame.assign(error=(frame["forecast"] - frame["truth"]).abs())
    rows = errors.set_index(["origin", "step", "model"])["error"].unstack("model").dropna()
    return rows.groupby("step").mean()[list(dict.fromkeys(frame["model"]))]
