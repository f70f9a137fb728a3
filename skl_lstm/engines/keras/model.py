"""Construction of a Keras model from a network, and the reverse."""

from __future__ import annotations

import contextlib
import json
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skl_lstm.engines.keras.objects import (
    PinballLoss,
    made_loss,
    made_metrics,
    optimizer_parameters,
)
from skl_lstm.engines.keras.optimizer_state import read_state, restore_state
from skl_lstm.engines.keras.quiet_start import BaseWrapper, keras, tf
from skl_lstm.network.network import Network
from skl_lstm.training.keras_names import (
    LOSS_CLASSES,
    OPTIMIZER_CLASSES,
    describe,
    is_of_keras,
)
from skl_lstm.training.keras_parts import Parts, dense_layers
from skl_lstm.training.keras_scaling import DENSE, WINDOWS, Layer, scaling_layers
from skl_lstm.training.settings import Settings
from skl_lstm.training.state import Trained, TrainingState

Around = tuple[list[Layer], list[Layer]]


def to_model(trained: Trained, settings: Settings) -> keras.Model:
    """Build the compiled Keras model, with the weights and the optimizer state of training.

    Parameters
    ----------
    trained : Trained
        Network to build, and how its windows are normalized; a stateful one takes a batch of one
        row.
    settings : Settings
        Loss, optimizer and metrics with which to compile it.

    Returns
    -------
    model : keras.Model
        Model from windows of shape ``(n, n_steps, n_features)`` to outputs ``(n, n_outputs)``,
        both in the units of the series.
    """
    scaling, state = trained.scaling, trained.state
    around: Around = ([], [])
    if scaling is not None:
        around = scaling_layers(trained.network, trained.window_shape, scaling)
        # It belongs to a loss in normalized units, which this model does not have.
        state = replace(state, optimizer={})
    wrapper = wrapped(trained.network, 1, settings, state, around)
    return wrapper.initialize(np.zeros((1, 1)), np.zeros(1)).model_


def take_apart(model: Any) -> Parts:
    """Split a Keras model into its parts.

    Parameters
    ----------
    model : keras.Model
        A Sequential or functional model.

    Returns
    -------
    parts : Parts
        The parts of the model. Its loss and its optimizer are the objects themselves if they
        cannot be described in plain values.
    """
    if not isinstance(model, keras.Model):
        raise ValueError(f"model must be a Keras model or the path of one, got {model!r}")
    kind = type(model)
    if not is_of_keras(kind):
        raise ValueError(f"it must be a Sequential or functional model, got a {kind.__name__}")
    config = {"class_name": kind.__name__, "config": model.get_config()}
    compiled: dict[str, Any] = {}
    variables: list[NDArray] = []
    if model.compiled:
        # Read from the model, because its compile config lacks the optimizer after saving as
        # HDF5, and never has the delta of Huber.
        compiled = {"metrics": (model.get_compile_config() or {}).get("metrics")}
        for name, classes in (("loss", LOSS_CLASSES), ("optimizer", OPTIMIZER_CLASSES)):
            compiled[name] = getattr(model, name)
            if isinstance(compiled[name], PinballLoss):
                compiled[name] = keras.saving.serialize_keras_object(compiled[name])
            with contextlib.suppress(ValueError):
                compiled[name] = describe(compiled[name], classes)
        variables = [variable.numpy() for variable in model.optimizer.variables]
    plain = json.loads(json.dumps(config, default=repr))
    return Parts(plain, compiled, model.get_weights(), variables)


def named_state(
    variables: list[NDArray], network: Network, settings: Settings
) -> dict[str, NDArray] | None:
    """Return the variables of an optimizer under the names of ``TrainingState``.

    Parameters
    ----------
    variables : list of ndarray
        Variables in the order in which Keras creates them.
    network : Network
        Network that it optimizes.
    settings : Settings
        Settings with the optimizer.

    Returns
    -------
    state : dict of str to ndarray or None
        State of the optimizer; None if this version of Keras creates other variables for it.
    """
    fresh = TrainingState.fresh(network, seed=0)
    model = wrapped(network, 1, settings, fresh).initialize(np.zeros((1, 1)), np.zeros(1)).model_
    own = model.optimizer.variables
    if [variable.shape for variable in own] != [value.shape for value in variables]:
        return None
    for variable, value in zip(own, variables, strict=True):
        variable.assign(value)
    return read_state(model, network)


class _Wrapper(BaseWrapper):
    """SciKeras's wrapper, changed to pass a dataset to Keras instead of the given arrays."""

    dataset: tf.data.Dataset = None

    @property
    def feature_encoder(self) -> _Constant:
        return _Constant(self.dataset)

    @property
    def target_encoder(self) -> _Constant:
        return _Constant(None)


class _Constant:
    """An encoder, as SciKeras requires, that always returns the same value."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def fit(self, array: NDArray) -> _Constant:
        return self

    def transform(self, array: NDArray) -> Any:
        return self.value


def wrapped(
    network: Network,
    batch_size: int,
    settings: Settings,
    state: TrainingState,
    around: Around = ([], []),
) -> _Wrapper:
    """Wrap a network for SciKeras.

    Parameters
    ----------
    network : Network
        Network to build.
    batch_size : int
        Number of rows of a batch, which a stateful network has to know.
    settings : Settings
        Settings with which to compile it.
    state : TrainingState
        Initial weights and optimizer state.
    around : tuple of list of Layer
        Layers before and after those of the network.

    Returns
    -------
    wrapper : scikeras.wrappers.BaseWrapper
        Wrapper that is not initialized yet.
    """

    def build(compile_kwargs: dict[str, Any]) -> keras.Model:
        model = _build(network, batch_size, _layer_seed(settings, state), around)
        model.compile(**{**compile_kwargs, "metrics": made_metrics(settings)})
        restore_state(model, network, state)
        return model

    return _Wrapper(
        model=build,
        loss=made_loss(settings),
        epochs=settings.epochs,
        shuffle=False,
        verbose=0,
        **optimizer_parameters(settings),
    )


def _build(network: Network, batch_size: int, seed: int, around: Around) -> keras.Model:
    """Build the layers; weights are set later, and seeds keep global generators untouched."""
    shared = {
        "kernel_initializer": keras.initializers.GlorotUniform(seed),
        "bias_initializer": "zeros",
        "kernel_regularizer": keras.regularizers.L2(network.l2) if network.l2 else None,
    }
    n_streams = batch_size if network.stateful else None
    shape = (n_streams, network.n_steps, network.n_features)
    inputs = keras.Input(batch_shape=shape, name=WINDOWS)
    before, after = around
    tensors = {WINDOWS: inputs}
    outputs = _applied(before, tensors, inputs)
    recurrent_layer = getattr(keras.layers, network.recurrent_cell.keras_class)
    for i, n_units in enumerate(network.units):
        layer = recurrent_layer(
            n_units,
            activation=network.hidden_activation,
            return_sequences=network.all_steps or i < len(network.units) - 1,
            stateful=network.stateful,
            recurrent_dropout=network.recurrent_dropout,
            recurrent_initializer=keras.initializers.Orthogonal(seed=seed),
            seed=seed + 2 * i,
            name=f"{network.recurrent_cell.keras_name}_{i}",
            **shared,
        )
        if network.bidirectional:
            layer = keras.layers.Bidirectional(layer, name=f"bidirectional_{i}")
        outputs = layer(outputs)
        if network.dropout:
            outputs = keras.layers.Dropout(
                network.dropout, seed=seed + 2 * i + 1, name=f"dropout_{i}"
            )(outputs)
    if network.all_steps:
        outputs = keras.layers.Flatten(name="all_steps")(outputs)
    for name, n_units, activation in dense_layers(network):
        outputs = keras.layers.Dense(n_units, activation=activation, name=name, **shared)(outputs)
    tensors[DENSE] = outputs
    outputs = _applied(after, tensors, outputs)
    return keras.Model(inputs, outputs, name="skl_lstm")


def _applied(layers: list[Layer], tensors: dict[str, Any], last: Any) -> Any:
    """Apply layers to tensors, which are found by name; return the last result."""
    for kind, options, inputs in layers:
        arguments = [tensors[name] for name in inputs]
        layer = getattr(keras.layers, kind)(**options)
        last = tensors[options["name"]] = layer(arguments if len(inputs) > 1 else arguments[0])
    return last


def _layer_seed(settings: Settings, state: TrainingState) -> int:
    """Return the seed of dropout, a different one whenever training continues."""
    return int(np.random.default_rng([settings.seed, state.n_epochs]).integers(2**30))
