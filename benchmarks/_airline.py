"""The airline series, cut into rows as in the published experiments."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import MinMaxScaler

from skl_lstm import load_airline_passengers

LOOK_BACK = 3
TRAIN_SHARE = 0.67


def published_rows(
    look_back: int = LOOK_BACK,
) -> tuple[tuple[NDArray, NDArray], tuple[NDArray, NDArray], MinMaxScaler]:
    """Return windows of the scaled series, for training and testing, and the scaler.

    Parameters
    ----------
    look_back : int, default=3
        Number of values in a window.

    Returns
    -------
    train, test : tuple of ndarray
        Windows of shape (n, look_back, 1) and the values after them of shape (n,), both float32.
    scaler : MinMaxScaler
        Scaler fitted on the whole series, test values included, as published.
    """
    series = load_airline_passengers().to_numpy(dtype=np.float64).reshape(-1, 1)
    scaler = MinMaxScaler().fit(series)
    scaled = scaler.transform(series).astype(np.float32)
    n_train = int(len(scaled) * TRAIN_SHARE)
    train, test = (
        _published_windows(part, look_back) for part in (scaled[:n_train], scaled[n_train:])
    )
    return train, test, scaler


def _published_windows(series: NDArray, look_back: int) -> tuple[NDArray, NDArray]:
    """Cut windows as published, without the last possible row."""
    n_rows = len(series) - look_back - 1
    windows = np.array([series[start : start + look_back] for start in range(n_rows)])
    return windows, series[look_back : look_back + n_rows, 0]
