"""Stateful models that go on from the state that they are in, without reading the past again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skl_lstm.compositions.copies import copy_around
from skl_lstm.compositions.parts import reach
from skl_lstm.engines.choice import stack_type
from skl_lstm.estimators.forecaster import LSTMForecaster
from skl_lstm.network.forward import States, Stream

# What a network does with windows, one output for each origin.
Task = Callable[[NDArray[np.float32]], NDArray[np.float32]]

# Largest difference of windows, relative to their largest value, that is rounding in float32.
ROUNDING = 1e-6


class CarriedState:
    """A fitted model whose stateful networks go on from where they were, for many origins.

    Parameters
    ----------
    model : fitted regressor
        A copy of the model, with `networks` in the place of the stateful ones.
    networks : list of _CarryingNetwork
        Its networks.
    reach : int
        Number of last rows that the windows of the model cover.

    Notes
    -----
    Each method returns the model, set to what its next call of ``predict`` is to do. A network
    reads a window once and never again, whereas in a model that is called with more and more
    rows, windows may change: where the windower recognizes rows by their values, or where a
    missing value is filled from rows before those that are passed. So after the last step,
    :meth:`comparing` and :attr:`agrees` tell whether the windows are those of all rows.
    """

    def __init__(self, model: Any, networks: list[_CarryingNetwork], reach: int) -> None:
        self.model = model
        self.networks = networks
        self.reach = reach

    @classmethod
    def of(cls, model: Any) -> CarriedState | None:
        """Return a copy of a fitted model, which shares what it learned.

        None if the model does not end in a stateful network, or has a part that may look at any
        rows.
        """
        networks: list[_CarryingNetwork] = []
        remake = partial(_with_carrying_network, networks)
        carrying = copy_around(model, remake, only_last_rows=True)
        n_rows = None if carrying is None else reach(carrying)
        return None if n_rows is None else cls(carrying, networks, n_rows)

    def beginning(self, origins: NDArray[np.intp]) -> Any:
        """Return the model to predict at origins, from all rows up to the last of them."""
        return self._set(lambda network: partial(network.begin, origins))

    def going_on(self, n_new: int) -> Any:
        """Return the model to predict after `n_new` more rows of each origin.

        It is passed the ``reach - 1`` rows before them too, all origins below each other.
        """
        return self._set(lambda network: partial(network.go_on, n_new))

    def comparing(self, number: int) -> Any:
        """Return the model to compare its windows with all rows, in the end, of an origin."""
        return self._set(lambda network: partial(network.compare, number))

    @property
    def agrees(self) -> bool:
        """Whether the windows that were compared last were the same."""
        return all(network.agrees for network in self.networks)

    def _set(self, task: Callable[[_CarryingNetwork], Task]) -> Any:
        for network in self.networks:
            network.task = task(network)
        return self.model


def _with_carrying_network(networks: list[_CarryingNetwork], part: Any) -> Any:
    """Return what stands for a stateful network."""
    if type(part) is not LSTMForecaster or not part.network_.stateful:
        return None
    networks.append(_CarryingNetwork(part))
    return networks[-1]


class _CarryingNetwork(LSTMForecaster):
    """A fitted stateful network with a state for each of several origins.

    Parameters
    ----------
    forecaster : LSTMForecaster
        The network, with which it shares what was learned.
    """

    task: Task
    agrees: bool

    def __init__(self, forecaster: LSTMForecaster) -> None:
        self.__dict__.update(vars(forecaster))

    def predict(self, X: Any) -> NDArray:  # type: ignore[override]  # the state is its own
        """Do its task with windows, and predict after the last one of each origin."""
        values, lags, _ = self._lags(X)
        return self._decode(self.task(lags[:]).astype(values.dtype, copy=False))

    def begin(
        self, origins: NDArray[np.intp], windows: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Read windows from zero states, and keep the state at each origin."""
        stream, after = self._stream(), {}
        wanted = set(origins.tolist())
        for place, window in enumerate(windows):
            (outputs,) = stream.next(window[np.newaxis])
            if place in wanted:
                after[place] = outputs, stream.states
        self.origins, self.past = origins, windows
        self.ahead: list[list[NDArray[np.float32]]] = [[] for _ in origins]
        self.streams = [self._stream(after[origin][1]) for origin in origins]
        return np.array([after[origin][0] for origin in origins])

    def go_on(self, n_new: int, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Read the last windows of each origin, from its state."""
        ends = np.arange(1, len(self.streams) + 1) * (len(windows) // len(self.streams))
        outputs = np.empty((len(ends), self.network_.n_outputs), dtype=np.float32)
        for i, (end, stream, ahead) in enumerate(zip(ends, self.streams, self.ahead, strict=True)):
            new = windows[end - n_new : end]
            outputs[i] = stream.next(new)[-1]
            ahead.extend(new)
        return outputs

    def compare(self, number: int, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Compare windows with those that were read before, of one origin."""
        past, ahead = self.past[: self.origins[number] + 1], self.ahead[number]
        found = np.concatenate([past, np.reshape(ahead, (-1, *past.shape[1:]))])
        tolerance = ROUNDING * np.nanmax(np.abs(found), initial=0.0)
        self.agrees = np.allclose(found, windows, rtol=0.0, atol=tolerance, equal_nan=True)
        return np.zeros((1, self.network_.n_outputs), dtype=np.float32)

    def _stream(self, states: States = ()) -> Stream:
        return Stream(self.network_, self.weights_, states, stack_type(self.network_))

    def _rows_seen(self) -> int:
        return 1
