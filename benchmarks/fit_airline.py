"""The airline fit: plain Keras, PyTorch, skl_lstm, and hand-written C as the limit.

How long does each take? LSTM(4) on windows of 3 time steps, 100 epochs, batches of one row, on the
92 training rows of the published experiment. All sides start from the same weights and process
the rows in the same order; their losses must agree before their times are compared. Keras is timed
with a model that is already traced. A run of the fast sides is the mean of several consecutive
fits. The C program is compiled twice: with strict IEEE arithmetic, and with ``-ffast-math``, which
lets the compiler reorder sums and therefore vectorize more.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import _limit
import numpy as np
from _airline import LOOK_BACK, published_rows
from _harness import OURS, Report, alternate, arguments, installed, seconds
from _peers import initial_weights, keras_network, keras_rewinder
from _torch_peer import TorchNetwork
from numpy.typing import NDArray

from skl_lstm import LSTMForecaster

UNITS = 4


class KerasSide:
    """A Keras model, traced once, that is trained repeatedly from the same initial state."""

    def __init__(self, X: NDArray, y: NDArray, epochs: int) -> None:
        self.X, self.y, self.epochs = X, y, epochs
        self.model = keras_network(UNITS, LOOK_BACK, 1)
        self.rewind = keras_rewinder(self.model)
        self._fit(1)

    def __call__(self) -> float:
        """Train from the initial state."""
        self.rewind()
        return seconds(lambda: self._fit(self.epochs))

    def _fit(self, epochs: int) -> None:
        history = self.model.fit(
            self.X, self.y, epochs=epochs, batch_size=1, shuffle=False, verbose=0
        )
        self.loss = history.history["loss"][-1]


class TorchSide:
    """A PyTorch network, created again for each fit."""

    def __init__(self, X: NDArray, y: NDArray, epochs: int) -> None:
        self.X, self.y, self.epochs = X, y, epochs
        self._fit(1)

    def __call__(self) -> float:
        """Create and train the network."""
        return seconds(lambda: self._fit(self.epochs))

    def _fit(self, epochs: int) -> None:
        network = TorchNetwork(initial_weights(UNITS, LOOK_BACK, 1))
        self.loss = network.fit(self.X, self.y, epochs, batch_size=1)


class OurSide:
    """The skl_lstm estimator, with ``engine="auto"``."""

    def __init__(self, X: NDArray, y: NDArray, epochs: int, repeats: int) -> None:
        self.X, self.y, self.repeats = X, y, repeats
        self.forecaster = LSTMForecaster(
            units=UNITS, epochs=epochs, batch_size=1, shuffle=False, random_state=0
        ).fit(X, y)

    def __call__(self) -> float:
        """Fit some times in a row."""
        return seconds(lambda: self.forecaster.fit(self.X, self.y), self.repeats)

    @property
    def loss(self) -> float:
        """Loss of the last epoch."""
        return self.forecaster.history_["loss"][-1]

    @property
    def parameters(self) -> NDArray:
        """All weights in one vector."""
        return np.concatenate([part.ravel() for part in self.forecaster.weights_])


class LimitSide:
    """The C program, which measures its own time."""

    def __init__(self, program: Path, X: NDArray, y: NDArray, epochs: int, repeats: int) -> None:
        self.program = program
        self.X, self.y, self.epochs, self.repeats = X, y, epochs, repeats

    def __call__(self) -> float:
        """Fit some times in a row."""
        weights = initial_weights(UNITS, LOOK_BACK, 1)
        # The first fit warms up the core and is not counted.
        fits = _limit.run(
            self.program, weights, self.X, self.y, epochs=self.epochs, repeats=self.repeats + 1
        )
        self.loss, self.parameters = fits.loss, fits.parameters
        return float(np.mean(fits.seconds[1:]))


def main() -> None:
    options = arguments(__doc__)
    report = Report(__doc__, options)
    epochs, repeats = (5, 3) if options.quick else (100, 20)
    (X, y), _, _ = published_rows()
    ours = OurSide(X, y, epochs, repeats)
    with tempfile.TemporaryDirectory() as folder:
        limits = {
            f"C, gcc {' '.join((*_limit.FLAGS, *flags))}": LimitSide(
                _limit.build(Path(folder), *flags), X, y, epochs, repeats
            )
            if _limit.compiler()
            else None
            for flags in ((), ("-ffast-math",))
        }
        sides = {
            "Keras": KerasSide(X, y, epochs) if installed("keras", "tensorflow") else None,
            "PyTorch": TorchSide(X, y, epochs) if installed("torch") else None,
            OURS: ours,
            **limits,
        }
        first = alternate(sides, 1)
        for name, side in sides.items():
            if side not in (None, ours):
                difference = abs(side.loss / ours.loss - 1.0)
                report.agree(f"the loss of the last epoch, {name}", difference, 1e-2)
        for name, side in limits.items():
            if side is not None:
                apart = float(np.abs(side.parameters - ours.parameters).max())
                report.agree(f"the weights, {name}", apart, 1e-2)
        more = alternate(sides, options.runs - 1)
    figures = {name: runs and runs + more[name] for name, runs in first.items()}
    report.add(f"fit of {len(X)} rows, {epochs} epochs, batch 1", figures)
    report.close()


if __name__ == "__main__":
    main()
