"""The trainer is Keras's training, number for number, and the same on any number of threads."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from problems import (
    COVERED,
    LOSS_ARGS,
    N_FEATURES,
    N_ROWS,
    N_STEPS,
    n_parameters,
    problem,
    shapes,
    slot_names,
    trainer_of,
    windows,
)

from skl_lstm.engines.native.coverage import OPTIMIZERS


def keras_loss(loss):
    keras = pytest.importorskip("keras")

    if loss == "pinball":
        quantile = LOSS_ARGS[loss]["quantile"]

        def pinball(y, p):
            e = y - p
            return keras.ops.mean(keras.ops.maximum(quantile * e, (quantile - 1) * e), axis=-1)

        return pinball
    if loss == "huber":
        return keras.losses.Huber(**LOSS_ARGS[loss])
    return loss


def keras_model(arguments):
    keras = pytest.importorskip("keras")

    units, optimizer = arguments["units"], arguments["optimizer"]
    stateful = arguments.get("stateful", False)
    batch_size = arguments["batch_size"] if stateful else None
    layers = [keras.Input((N_STEPS, N_FEATURES), batch_size=batch_size)]
    for number, u in enumerate(units, 1):
        layers.append(
            keras.layers.LSTM(u, return_sequences=number < len(units), stateful=stateful)
        )
    layers.append(
        keras.layers.Dense(
            arguments["n_outputs"], activation=arguments.get("output_activation", "linear")
        )
    )
    model = keras.Sequential(layers)
    parts = []
    start = 0
    for shape in shapes(units, n_outputs=arguments["n_outputs"]):
        parts.append(arguments["theta"][start : start + np.prod(shape)].reshape(shape))
        start += int(np.prod(shape))
    model.set_weights(parts)
    options = {**OPTIMIZERS[optimizer].defaults, **arguments.get("optimizer_args", {})}
    names = {"sgd": "SGD", "rmsprop": "RMSprop", "adam": "Adam", "adamw": "AdamW"}
    made = getattr(keras.optimizers, names.get(optimizer, optimizer.title()))(**options)
    model.compile(loss=keras_loss(arguments["loss"]), optimizer=made)
    return model


def assert_same_as_keras(arguments, epochs=20):
    model = keras_model(arguments)
    trainer = trainer_of(arguments)
    x, y = windows(arguments), arguments["y"]
    n_rows = len(y)
    if arguments.get("stateful"):
        n_rows -= n_rows % arguments["batch_size"]
    weight = arguments["sample_weight"]
    history = model.fit(
        x[:n_rows],
        y[:n_rows],
        sample_weight=None if weight is None else weight[:n_rows],
        batch_size=arguments["batch_size"],
        epochs=epochs,
        shuffle=False,
        verbose=0,
    )
    order = np.arange(n_rows)
    losses = [trainer.epoch(order) for _ in range(epochs)]
    np.testing.assert_allclose(losses, history.history["loss"], rtol=1e-4, atol=1e-6)
    expected = np.concatenate([part.ravel() for part in model.get_weights()])
    np.testing.assert_allclose(arguments["theta"], expected, rtol=0, atol=2e-5)
    return model, trainer


@pytest.mark.slow
@pytest.mark.parametrize(("loss", "activation"), COVERED)
def test_losses_and_outputs_agree_with_keras(loss, activation):
    n_outputs = 3 if activation == "softmax" else 2
    assert_same_as_keras(
        problem((5,), n_outputs, loss, weighted=True, output_activation=activation)
    )


@pytest.mark.slow
@pytest.mark.parametrize("units", [(4,), (17, 3), (5, 4, 3)])
def test_layers_agree_with_keras(units):
    assert_same_as_keras(problem(units))


@pytest.mark.slow
@pytest.mark.parametrize("batch_size", [1, 4, 7, 20, 64])
def test_batches_agree_with_keras(batch_size):
    assert_same_as_keras(problem(batch_size=batch_size), epochs=5)


@pytest.mark.slow
@pytest.mark.parametrize("batch_size", [1, 4])
@pytest.mark.parametrize("units", [(4,), (4, 3)])
def test_stateful_agrees_with_keras(batch_size, units):
    model, trainer = assert_same_as_keras(
        problem(units, batch_size=batch_size, stateful=True), epochs=5
    )
    states = [np.ravel(s) for layer in model.layers[:-1] for s in layer.states]
    np.testing.assert_allclose(trainer.states, np.concatenate(states), rtol=0, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("optimizer", "options"),
    [
        ("sgd", {"learning_rate": 0.05}),
        ("sgd", {"learning_rate": 0.05, "momentum": 0.9}),
        ("sgd", {"learning_rate": 0.05, "momentum": 0.9, "nesterov": True}),
        ("sgd", {"learning_rate": 0.05, "clipnorm": 0.1}),
        ("sgd", {"learning_rate": 0.05, "global_clipnorm": 0.2}),
        ("sgd", {"learning_rate": 0.05, "clipvalue": 0.02}),
        ("sgd", {"learning_rate": 0.05, "weight_decay": 0.1}),
        ("rmsprop", {}),
        ("rmsprop", {"momentum": 0.5, "learning_rate": 0.002}),
        ("rmsprop", {"centered": True}),
        ("rmsprop", {"centered": True, "momentum": 0.5, "rho": 0.8}),
        ("adam", {}),
        ("adam", {"amsgrad": True, "learning_rate": 0.01}),
        ("adam", {"beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3}),
        ("adam", {"weight_decay": 0.05, "clipnorm": 0.1}),
        ("adamw", {}),
        ("adamax", {"learning_rate": 0.01}),
    ],
)
def test_optimizers_agree_with_keras(optimizer, options):
    arguments = problem((4,), 2, optimizer=optimizer, optimizer_args=options)
    model, trainer = assert_same_as_keras(arguments)
    state = {name: [] for name in slot_names(optimizer, options)}
    for variable in model.optimizer.variables[2:]:
        name = max((n for n in state if variable.path.endswith(n)), key=len)
        state[name].append(variable.numpy().ravel())
    for row, parts in zip(arguments["slots"], state.values(), strict=True):
        np.testing.assert_allclose(row, np.concatenate(parts), rtol=1e-3, atol=2e-5)
    assert trainer.iterations == int(model.optimizer.iterations.numpy())


@pytest.mark.slow
def test_evaluation_agrees_with_keras():
    arguments = problem((4, 3), weighted=True)
    model, trainer = keras_model(arguments), trainer_of(arguments)
    x, y, weight = windows(arguments), arguments["y"], arguments["sample_weight"]
    loss = trainer.evaluate(np.arange(N_ROWS))
    assert loss == pytest.approx(model.evaluate(x, y, 8, 0, weight), rel=1e-5)
    np.testing.assert_allclose(trainer.outputs, model.predict(x, verbose=0), atol=1e-6)


def large_problem(**options):
    """Enough work in a batch that it is shared out."""
    rng = np.random.default_rng(0)
    n_rows, units = 150, (40, 24)
    size = n_parameters(units)
    return {
        "units": units,
        "n_steps": 24,
        "n_features": N_FEATURES,
        "n_outputs": 1,
        "batch_size": 70,
        "theta": rng.normal(scale=0.2, size=size).astype(np.float32),
        "slots": np.zeros((2, size), np.float32),
        "buffer": rng.normal(size=(n_rows + 24) * N_FEATURES).astype(np.float32),
        "row_stride": N_FEATURES,
        "rows": np.arange(n_rows),
        "y": rng.normal(size=(n_rows, 1)).astype(np.float32),
        "dropout": 0.2,
        "recurrent_dropout": 0.2,
        **options,
    }


def fit(arguments, epochs=2):
    trainer = trainer_of(arguments)
    losses = [trainer.epoch(np.arange(len(arguments["rows"]))) for _ in range(epochs)]
    trainer.close()
    return losses, arguments["theta"].copy(), trainer.outputs.copy()


@pytest.mark.parametrize("batch_size", [70, 150])
@pytest.mark.parametrize("stateful", [False, True])
def test_number_of_threads_does_not_change_a_bit(stateful, batch_size):
    options = {"stateful": stateful, "batch_size": batch_size}
    first = fit(large_problem(n_threads=1, **options))
    for n_threads in (2, 3):
        other = fit(large_problem(n_threads=n_threads, **options))
        assert first[0] == other[0]
        np.testing.assert_array_equal(first[1], other[1])
        np.testing.assert_array_equal(first[2], other[2])


def test_fits_at_once_give_what_they_give_alone():
    alone = [fit(large_problem(seed=seed, n_threads=2)) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(fit, [large_problem(seed=s, n_threads=2) for s in range(4)]))
    for one, other in zip(alone, together, strict=True):
        assert one[0] == other[0]
        np.testing.assert_array_equal(one[1], other[1])


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_training_goes_on_where_it_stopped(optimizer):
    whole, parts = (problem(optimizer=optimizer, dropout=0.2) for _ in range(2))
    trainer = trainer_of(whole)
    for _ in range(4):
        trainer.epoch(np.arange(N_ROWS))
    first = trainer_of(parts)
    for _ in range(2):
        first.epoch(np.arange(N_ROWS))
    second = trainer_of({**parts, "iterations": first.iterations})
    for _ in range(2):
        second.epoch(np.arange(N_ROWS))
    np.testing.assert_array_equal(whole["theta"], parts["theta"])
    assert second.iterations == trainer.iterations


def test_rows_are_found_by_position():
    arguments = problem(weighted=True, batch_size=N_ROWS)
    order = np.random.default_rng(0).permutation(N_ROWS)
    moved = problem(weighted=True, batch_size=N_ROWS)
    for name in ("rows", "y", "sample_weight"):
        moved[name] = moved[name][order]
    one, other = trainer_of(arguments), trainer_of(moved)
    assert one.epoch(order) == other.epoch(np.arange(N_ROWS))
    np.testing.assert_array_equal(one.outputs[order], other.outputs)
