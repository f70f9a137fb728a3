"""The state of Keras's optimizers, read and restored."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from skl_lstm.engines.keras.quiet_start import keras
from skl_lstm.network.network import Network
from skl_lstm.training.state import TrainingState


def restore_state(model: keras.Model, network: Network, state: TrainingState) -> None:
    """Set the weights and the optimizer state of a compiled model to those of training."""
    model.set_weights(network.views(state.parameters))
    optimizer = model.optimizer
    optimizer.build(model.trainable_variables)
    slots = list(_slots(model))
    saved = state.optimizer_state_for({slot for _, slot, _ in slots if slot != "iteration"})
    for variable, slot, part in slots:
        if slot in saved:
            value = saved[slot]
            variable.assign(value if part is None else network.views(value)[part])


def read_state(model: keras.Model, network: Network) -> dict[str, NDArray]:
    """Read the optimizer's variables: each slot one flat vector in the network's layout."""
    state: dict[str, NDArray] = {}
    for variable, slot, part in _slots(model):
        value = variable.numpy()
        if part is None:
            state[slot] = value
        else:
            flat = state.setdefault(slot, np.zeros(network.size, dtype=np.float32))
            network.views(flat)[part][:] = value
    return state


def _slots(model: keras.Model) -> Iterator[tuple[keras.Variable, str, int | None]]:
    """Yield the optimizer's variables with their slot and the parameter they belong to.

    Keras names a slot's variable after the path of the parameter it belongs to; variables with
    other names or shapes are named by their order. The learning rate is left out: it is a
    parameter of the estimator, which may change between fits.
    """
    prefixes = [
        (variable.path.replace("/", "_") + "_", variable.shape)
        for variable in model.trainable_variables
    ]
    others = itertools.count(1)
    for variable in model.optimizer.variables:
        if variable.name == "learning_rate":
            continue
        for part, (prefix, shape) in enumerate(prefixes):
            if variable.name.startswith(prefix) and variable.shape == shape:
                yield variable, variable.name.removeprefix(prefix), part
                break
        else:
            counts = variable is model.optimizer.iterations
            yield variable, "iteration" if counts else f"other_{next(others)}", None
