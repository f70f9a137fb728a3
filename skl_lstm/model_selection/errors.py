"""What the scorers share: the error by which they judge, as a function of the user."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skl_lstm.checks import is_number

# Error of the truth itself, relative to others, that is rounding.
NOTHING = 1e-9

Metric = Callable[[NDArray, NDArray], float]


class ErrorScorer:
    """A scorer, which takes no weights of rows."""

    def _accept_sample_weight(self) -> bool:
        # Some versions of scikit-learn ask this of every scorer in a dict, even of functions, if
        # weights are passed.
        return False


def check_metric(metric: Any) -> None:
    """Raise ValueError unless a metric can be called, or is None."""
    if metric is not None and not callable(metric):
        raise ValueError(
            "metric must be a callable of y_true and y_pred, such as mean_absolute_error of "
            f"sklearn.metrics, or None, got {metric!r}"
        )


def error_by(metric: Metric | None, y: NDArray, predictions: NDArray, of: str = "") -> float:
    """Return the error that a metric of the user finds; the mean absolute error if it is None.

    Raises
    ------
    ValueError
        If it is no number of at least 0, or that of the truth itself is not 0, as that of a
        score, of which more is better; `of` says of what, for the message.
    """
    if metric is None:
        return float(np.abs(y - predictions).mean())
    error, least = metric(y, predictions), metric(y, y)
    if not is_number(error) or not 0 <= error < np.inf:
        raise ValueError(
            "metric must return an error, a number of at least 0, as mean_absolute_error "
            f"does, got {error!r}{of}"
        )
    if not abs(least) <= NOTHING * (1.0 + error):
        raise ValueError(
            "metric must return an error, which is 0 if the predictions are y itself, as "
            f"mean_absolute_error does, got {least!r}{of}"
        )
    return float(error)
