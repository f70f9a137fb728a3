"""Prediction row by row: the state of a stateful network, held by the caller."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from . import _inference

if TYPE_CHECKING:
    from ._base import BaseLSTM


class LSTMStream:
    """Predict one row after the other, each from the state in which the one before it ended.

    A fitted stateful estimator's ``stream()`` makes it. Time and memory of a step do not grow
    with the steps taken. A copy (:func:`copy.copy`) or a pickle has a state of its own, which
    begins where this one stands.

    Parameters
    ----------
    estimator : LSTMForecaster or LSTMClassifier
        Fitted with ``stateful=True``. Fits that come later do not change the stream.
    initial_states : sequence of ndarray of shape (units,)
        Hidden and cell state of each layer, as the estimator's ``states_`` has them; none of
        them: zeros.

    See Also
    --------
    LSTMForecaster.predict : The same for all rows at once.

    Examples
    --------
    >>> import numpy as np
    >>> from skl_lstm import LSTMForecaster
    >>> wave = np.sin(np.arange(30.0))
    >>> X, y = wave[:-1, np.newaxis], wave[1:]
    >>> settings = {"units": 4, "epochs": 3, "batch_size": 1, "random_state": 0}
    >>> forecaster = LSTMForecaster(stateful=True, **settings).fit(X, y)
    >>> stream = forecaster.stream()
    >>> row_by_row = [stream.predict_next(x) for x in X]
    >>> bool(np.all(row_by_row == forecaster.predict(X)))
    True
    """

    def __init__(self, estimator: BaseLSTM, initial_states: _inference.States = ()) -> None:
        # A shallow copy: fit puts new objects in the place of the old and changes none.
        self._estimator = copy.copy(estimator)
        self._initial_states = initial_states
        self._start(initial_states)

    def predict_next(self, x: ArrayLike) -> Any:
        """Take the next row; predict what follows it.

        Parameters
        ----------
        x : array-like of shape (n_lags * features_per_step,) or (n_steps, n_features)
            One row of what the estimator's ``predict`` takes. What is missing in it (NaN) is
            filled in as it is there; a row of which nothing is known leaves the state as it is.

        Returns
        -------
        y : scalar or ndarray of shape (n_outputs,)
            One row of what the estimator's ``predict`` returns.

        Raises
        ------
        ValueError
            If x is not numeric, not a row of the width that the estimator was fitted on, or
            holds an infinite value. The state then stays as it was.
        """
        values = np.asarray(x)
        if values.dtype.kind not in "fiub":
            raise ValueError(f"x must be numbers, got an array of {values.dtype}")
        if values.dtype != np.float32:
            values = values.astype(np.float64)
        shape = self._estimator.window_shape_
        width = math.prod(shape)
        if values.shape not in ((width,), shape) and (width > 1 or values.ndim):
            raise ValueError(
                f"x must be one row of {width} values or of shape {shape}, got shape "
                f"{values.shape}"
            )
        with np.errstate(over="ignore"):
            window = values.astype(np.float32).reshape(shape)
        if np.isinf(window).any():
            raise ValueError("x contains infinity or a value too large for dtype('float32')")
        outputs = self._stream.next(window).astype(values.dtype)
        return self._estimator._decode(outputs[np.newaxis])[0]

    def reset(self) -> None:
        """Go back to the state that the stream began with."""
        self._start(self._initial_states)

    def _start(self, states: _inference.States) -> None:
        network = self._estimator.network_
        self._stream = _inference.Stream(
            self._estimator.weights_, network.n_steps, network.output_activation, states
        )

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_stream": self._stream.states}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._start(state["_stream"])
