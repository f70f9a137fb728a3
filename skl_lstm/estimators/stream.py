"""Row-by-row prediction with a stateful network, whose state the caller holds."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from skl_lstm.engines.choice import stack_type
from skl_lstm.network.forward import States, Stream, Weights
from skl_lstm.network.network import Network


class LSTMStream:
    """Row-by-row prediction, each row from the state in which the previous row ended.

    The ``stream()`` method of a fitted stateful estimator creates it. Time and memory of a step
    do not grow with the number of steps taken. A copy (:func:`copy.copy`) or a pickle has its
    own state, which starts as a copy of the current one.

    Parameters
    ----------
    weights : sequence of ndarray
        The estimator's ``weights_``.
    network : Network
        The estimator's ``network_``.
    window_shape : tuple of int
        The estimator's ``window_shape_``.
    decode : callable
        Function that turns outputs of shape ``(n, n_outputs)`` into what the estimator's
        ``predict`` returns.
    initial_states : sequence of ndarray of shape (units,), default=()
        States of each layer, hidden state first, like the estimator's ``states_``; zeros if empty.

    See Also
    --------
    LSTMForecaster.predict : Predicts all rows at once.

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

    def __init__(
        self,
        weights: Weights,
        network: Network,
        window_shape: tuple[int, int],
        decode: Callable[[NDArray], NDArray],
        initial_states: States = (),
    ) -> None:
        self._weights = weights
        self._network = network
        self._window_shape = window_shape
        self._decode = decode
        self._initial_states = initial_states
        self._start(initial_states)

    def predict_next(self, x: ArrayLike) -> Any:
        """Process the next row and predict what follows it.

        Parameters
        ----------
        x : array-like of shape (n_lags * features_per_step,) or (n_steps, n_features)
            One row of the X that the estimator's ``predict`` takes. Missing values (NaN) are
            filled as in ``predict``; a row without any known value leaves the state unchanged.

        Returns
        -------
        y : scalar or ndarray of shape (n_outputs,)
            One row of what the estimator's ``predict`` returns.

        Raises
        ------
        ValueError
            If x is not numeric, does not have the shape of the rows that the estimator was
            fitted on, or holds an infinite value. The state is then left unchanged.
        """
        values = np.asarray(x)
        if values.dtype.kind not in "fiub":
            raise ValueError(f"x must be numbers, got an array of {values.dtype}")
        if values.dtype != np.float32:
            values = values.astype(np.float64)
        shape = self._window_shape
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
        outputs = self._stream.next(window[np.newaxis]).astype(values.dtype)
        return self._decode(outputs)[0]

    def reset(self) -> None:
        """Reset the stream to its initial state."""
        self._start(self._initial_states)

    def _start(self, states: States) -> None:
        self._stream = Stream(self._network, self._weights, states, stack_type(self._network))

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_stream": self._stream.states}

    def __setstate__(self, state: dict[str, Any]) -> None:
        if (
            estimator := state.pop("_estimator", None)
        ) is not None:  # pickled by an earlier version
            state |= {
                "_weights": estimator.weights_,
                "_network": estimator.network_,
                "_window_shape": estimator.window_shape_,
                "_decode": estimator._decode,
            }
        vars(self).update(state)
        self._start(state["_stream"])
