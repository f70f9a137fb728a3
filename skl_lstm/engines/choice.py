"""Choice of the engine: the native one if it covers everything requested, otherwise Keras."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from skl_lstm.checks import check_keras
from skl_lstm.network.forward import Stack, States, predict_stateful
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
    """Train a network from a given state.

    Parameters
    ----------
    engine : {"auto", "native", "keras"}
        Engine to use.
    network : Network
        Network to train.
    rows : Rows
        Training rows, all complete, oldest first.
    validation : Rows
        Rows on which to evaluate each epoch; may be empty.
    settings : Settings
        Settings of the training run.
    start : TrainingState
        State to start from.

    Returns
    -------
    engine : {"native", "keras"}
        Engine that was used.
    state : TrainingState
        State after training, with the history of all epochs so far.

    Raises
    ------
    ValueError
        If the native engine is asked for and does not cover something.
    ImportError
        If Keras is needed and not installed.
    """
    from skl_lstm.engines.native import engine as native

    if network.stateful:
        rows = equal_streams(rows, settings.batch_size, "training")
        validation = equal_streams(validation, settings.batch_size, "validation")
    plan = None
    if engine == "keras":
        check_keras("engine='keras'")
    else:
        try:
            plan = native.prepare(network, settings)
        except native.NotCovered as reason:
            if engine == "native":
                raise ValueError(
                    f"engine='native' does not cover {reason}; engine='keras' may"
                ) from None
            check_keras(f"{reason}, which the native engine does not cover,")
            native.warn_if_kernel_failed(str(reason))
            if settings.verbose:
                print(f"Training with Keras: the native engine does not cover {reason}.")
    if plan is not None:
        return "native", native.fit(network, rows, validation, settings, start, plan)

    from skl_lstm.engines.keras import engine as keras

    return "keras", keras.fit(network, rows, validation, settings, start)


def load_kernel() -> None:
    """Load the compiled kernel into this process, or compile it.

    The first fit with the native engine does it too. A process that only predicts does not need
    the kernel, but with it predictions take less time, and a row has the same bits whatever rows
    are predicted with it.

    Raises
    ------
    RuntimeError
        If Numba does not work here.

    Examples
    --------
    >>> import skl_lstm
    >>> skl_lstm.load_kernel()
    """
    from skl_lstm.engines.native import engine as native

    if failure := native.kernel_failure():
        raise RuntimeError(f"the compiled kernel does not work on {failure}")


def stack_type(network: Network) -> type[Stack]:
    """Return what runs the forward pass of a network.

    Parameters
    ----------
    network : Network
        The network.

    Returns
    -------
    stack_type : type
        The compiled kernel if this process has loaded it and it covers the network. In any other
        case NumPy, so that a process that only predicts need not load the kernel.
    """
    from skl_lstm.engines.native import engine as native

    return native.stack_type(network)


def last_states(network: Network, parameters: NDArray[np.float32], windows: Windows) -> States:
    """Return the states in which a prediction of these windows ends.

    Parameters
    ----------
    network : Network
        The trained network.
    parameters : ndarray of float32 of shape (network.size,)
        Flat vector of parameters.
    windows : Windows
        Windows of all rows, complete or not.

    Returns
    -------
    states : list of ndarray of float32 of shape (units,)
        States of each layer, hidden state first; empty unless the network is stateful.
    """
    if not network.stateful:
        return []
    weights = network.views(parameters)
    return predict_stateful(network, weights, windows.lags(), (), stack_type(network))[1]
