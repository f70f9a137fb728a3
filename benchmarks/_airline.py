"""The airline series as the published experiments cut it into rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import MinMaxScaler

from skl_lstm import load_airline_passengers

LOOK_BACK = 3
TRAIN_SHARE = 0.67


def published_rows() -> tuple[tuple[NDArray, NDArray], tuple[NDArray, NDArray], MinMaxScaler]:
    """Window the scaled series: training rows, test rows, and the scaler.

    Returns
    -------
    train, test : tuple of ndarray
        Windows of shape (n, 3, 1) and the value after each of shape (n,), both float32.
    scaler : MinMaxScaler
        Fitted on the whole series, as published, so that it has seen the test values.
    """
    series = load_airline_passengers().to_numpy(dtype=np.float64).reshape(-1, 1)
    scaler = MinMaxScaler().fit(series)
    scaled = scaler.transform(series).astype(np.float32)
    n_train = int(len(scaled) * TRAIN_SHARE)
    return _published_windows(scaled[:n_train]), _published_windows(scaled[n_train:]), scaler


def _published_windows(series: NDArray) -> tuple[NDArray, NDArray]:
    """Cut windows as published, the last possible row left out."""
    n_rows = len(series) - LOOK_BACK - 1
    windows = np.array([series[start : start + LOOK_BACK] for start in range(n_rows)])
    return windows, series[LOOK_BACK : LOOK_BACK + n_rows, 0]
