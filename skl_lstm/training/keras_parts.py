"""The parts of a Keras model, as plain values and arrays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from skl_lstm.network.network import Network
from skl_lstm.training.keras_scaling import DENSE

Config = dict[str, Any]


@dataclass(frozen=True)
class Parts:
    """The parts of a Keras model.

    Parameters
    ----------
    config : dict
        Class and config of the model, as in Keras's JSON.
    compiled : dict
        Loss, optimizer and metrics, as in Keras's JSON; empty if the model is not compiled.
    weights : list of ndarray
        Weights, in Keras's order.
    optimizer_variables : list of ndarray
        Variables of the optimizer, in Keras's order, if they have no names.
    optimizer_state : dict of str to ndarray or None
        Variables of the optimizer under the names of ``TrainingState``, if they have names; None
        if they cannot be identified.
    """

    config: Config
    compiled: Config
    weights: list[NDArray]
    optimizer_variables: list[NDArray] = field(default_factory=list)
    optimizer_state: dict[str, NDArray] | None = field(default_factory=dict)


def dense_layers(network: Network) -> Iterator[tuple[str, int, str]]:
    """Yield the name, the number of units and the activation of each Dense layer."""
    names = [f"{DENSE}_{i}" for i in range(len(network.dense_units))] + [DENSE]
    n_units = [*network.dense_units, network.n_outputs]
    yield from zip(names, n_units, network.dense_activations, strict=True)
