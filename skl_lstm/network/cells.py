"""Recurrent cells: gates, states, and the parts of their parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from numpy.typing import NDArray

CellName = Literal["lstm", "gru"]


@dataclass(frozen=True)
class Cell:
    """A kind of recurrent cell, in Keras's layout.

    Parameters
    ----------
    keras_class : str
        Name of the class in ``keras.layers``.
    gates : tuple of str
        Names of the gates, in the order of their columns in each part.
    states : tuple of str
        Names of the vectors that a layer passes from one time step to the next.
    open_gates : tuple of str, default=()
        Names of the gates whose biases are initially one.
    separate_biases : bool, default=False
        Whether the bias has a row for the inputs and another one for the state.
    """

    keras_class: str
    gates: tuple[str, ...]
    states: tuple[str, ...]
    open_gates: tuple[str, ...] = ()
    separate_biases: bool = False

    # The parts of a layer's parameters, in Keras's order.
    parts = ("kernel", "recurrent_kernel", "bias")

    @property
    def keras_name(self) -> str:
        """Keras's default name of a layer, to which it adds ``_1``, ``_2``, …."""
        return self.keras_class.lower()

    def columns(self, n_units: int) -> int:
        """Return the number of columns of each part: one for each gate and unit."""
        return len(self.gates) * n_units

    def shapes(self, n_inputs: int, n_units: int) -> list[tuple[int, ...]]:
        """Return the shapes of the parts of a layer."""
        n_columns = self.columns(n_units)
        bias = (2, n_columns) if self.separate_biases else (n_columns,)
        return [(n_inputs, n_columns), (n_units, n_columns), bias]

    def split(self, part: NDArray) -> dict[str, NDArray]:
        """Return views of the columns of a part, by gate."""
        n_units = part.shape[-1] // len(self.gates)
        return {
            gate: part[..., k * n_units : (k + 1) * n_units] for k, gate in enumerate(self.gates)
        }


LSTM = Cell(
    "LSTM",
    gates=("input", "forget", "cell", "output"),
    states=("hidden", "cell"),
    open_gates=("forget",),
)
GRU = Cell("GRU", gates=("update", "reset", "candidate"), states=("hidden",), separate_biases=True)
CELLS: dict[CellName, Cell] = {"lstm": LSTM, "gru": GRU}

# Parts of a Dense layer; every network ends with one.
DENSE_PARTS = ("kernel", "bias")
