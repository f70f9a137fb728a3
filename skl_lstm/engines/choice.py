"""Which engine trains: the native one if it covers everything asked for, or else Keras."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skl_lstm.network.forward import States, predict_stateful
from skl_lstm.network.network import Network
from skl_lstm.network.windows import Windows
from skl_lstm.training.rows import Rows, equal_streams
from skl_lstm.training.settings import Settings
from skl_lstm.training.state import TrainingState


def train(
    engine: str,
    network: Network,
    rows: Rows,
    validation: Rows,
    settings: Settings,
    start: TrainingState,
) -> tuple[str, TrainingState]:
    """Train a network from where it stands.

    Parameters
    ----------
    engine : {"auto", "native", "keras"}
        What does the arithmetic.
    network : Network
        What is trained.
    rows : Rows
        What it learns from, all complete, oldest first.
    validation : Rows
        What each epoch is judged by; may be empty.
    settings : Settings
        How to train.
    start : TrainingState
        Where to start from.

    Returns
    -------
    engine : {"native", "keras"}
        What did the arithmetic.
    state : TrainingState
        Where it ended, with the history of all epochs so far.
    """
    from skl_lstm.engines.native import engine as native

    if network.stateful:
        rows = equal_streams(rows, settings.batch_size, "training")
        validation = equal_streams(validation, settings.batch_size, "validation")
    plan = None
    if engine != "keras":
        try:
            plan = native.prepare(network, settings)
        except native.NotCovered as reason:
            if engine == "native":
                raise ValueError(
                    f"engine='native' does not cover {reason}; engine='keras' may"
                ) from None
            native.warn_if_kernel_failed(str(reason))
            if settings.verbose:
                print(f"Training by Keras: the native engine does not cover {reason}.")
    if plan is not None:
        return "native", native.fit(network, rows, validation, settings, start, plan)

    from skl_lstm.engines.keras import engine as keras

    return "keras", keras.fit(network, rows, validation, settings, start)


def last_states(
    engine: str, network: Network, parameters: NDArray[np.float32], windows: Windows
) -> States:
    """Find the states in which a prediction of these windows ends.

    Parameters
    ----------
    engine : {"native", "keras"}
        What trained; the native one has its kernel loaded, which is faster than NumPy.
    network : Network
        What was trained.
    parameters : ndarray of float32 of shape (network.size,)
        The flat vector of parameters.
    windows : Windows
        All rows, complete or not.

    Returns
    -------
    states : list of ndarray of float32 of shape (units,)
        Hidden and cell state of each layer; none unless the network is stateful.
    """
    if not network.stateful:
        return []
    if engine == "native":
        from skl_lstm.engines.native import engine as native

        return native.last_states(network, parameters, windows)
    weights = network.views(parameters)
    return predict_stateful(weights, windows.view(), network.n_steps, network.output_activation)[1]
