"""Series as DataFrames of pandas, and results in the kind of container that was given."""

from __future__ import annotations

from typing import Any

import numpy as np


def as_frame(series: Any) -> Any:
    """Return a series as a DataFrame of pandas, with its index and its names if it has any.

    The column of an unnamed Series is called "value"; those of an array are numbered.
    """
    import pandas as pd

    if isinstance(series, pd.Series):
        return series.to_frame("value" if series.name is None else series.name)
    if isinstance(series, pd.DataFrame):
        return series
    if is_foreign(series):
        return pd.DataFrame({name: np.asarray(series[name]) for name in series.columns})
    return pd.DataFrame(np.asarray(series))


def is_foreign(series: Any) -> bool:
    """Return whether a series is a DataFrame of another library than pandas, such as polars."""
    return hasattr(series, "columns") and not hasattr(series, "iloc")


def as_given(series: Any, values: Any) -> Any:
    """Return a Series or DataFrame of pandas in the kind of container that `series` is.

    That is pandas itself, with the index; an array, if `series` is an array or a list; or a
    DataFrame of another library, or one of its columns.
    """
    if hasattr(series, "iloc"):
        return values
    if not is_foreign(series):
        return values.to_numpy()
    frame = values.to_frame() if values.ndim == 1 else values
    columns = {name: frame[name].to_numpy() for name in frame.columns}
    for name, values_of in columns.items():
        if values_of.dtype.kind == "M":  # polars takes no seconds
            columns[name] = values_of.astype("datetime64[us]")
    other = type(series)(columns)
    return other[values.name] if values.ndim == 1 else other
