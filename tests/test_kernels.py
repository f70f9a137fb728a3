"""The compiled kernels against Keras, finite differences and plain NumPy."""

from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np
import pytest

from skl_lstm import _kernels as kernels
from skl_lstm._trainer import OPTIMIZERS, NativeTrainer, slot_names, unsupported

N_STEPS, N_FEATURES, N_ROWS = 5, 2, 22

ELEMENTWISE = ("mse", "mae", "huber", "log_cosh", "pinball")
COVERED = [
    *((loss, "linear") for loss in ELEMENTWISE),
    *(("mse", activation) for activation in ("sigmoid", "softmax", "tanh", "relu")),
    *((loss, "softmax") for loss in ELEMENTWISE[1:]),
    ("binary_crossentropy", "sigmoid"),
    ("categorical_crossentropy", "softmax"),
]
LOSS_ARGS = {"huber": {"delta": 0.3}, "pinball": {"quantile": 0.8}}


def shapes(units, n_features=N_FEATURES, n_outputs=1):
    n_inputs = n_features
    parts = []
    for u in units:
        parts += [(n_inputs, 4 * u), (u, 4 * u), (4 * u,)]
        n_inputs = u
    return [*parts, (n_inputs, n_outputs), (n_outputs,)]


def n_parameters(units, n_features=N_FEATURES, n_outputs=1):
    return sum(int(np.prod(shape)) for shape in shapes(units, n_features, n_outputs))


def targets(rng, loss, n_rows, n_outputs):
    if loss == "binary_crossentropy":
        return rng.integers(0, 2, (n_rows, n_outputs)).astype(float)
    if loss == "categorical_crossentropy":
        return np.eye(n_outputs)[rng.integers(0, n_outputs, n_rows)]
    return rng.normal(scale=0.7, size=(n_rows, n_outputs))


def problem(units=(4,), n_outputs=1, loss="mse", weighted=False, dtype=np.float32, **options):
    """Arguments for a trainer on windows of a random series."""
    rng = np.random.default_rng(len(units) + n_outputs)
    size = n_parameters(units, n_outputs=n_outputs)
    optimizer = options.setdefault("optimizer", "adam")
    n_slots = len(slot_names(optimizer, options.get("optimizer_args")))
    return {
        "units": units,
        "n_steps": N_STEPS,
        "n_features": N_FEATURES,
        "n_outputs": n_outputs,
        "loss": loss,
        "loss_args": LOSS_ARGS.get(loss),
        "batch_size": 8,
        "theta": rng.normal(scale=0.4, size=size).astype(dtype),
        "slots": np.zeros((n_slots, size), dtype),
        "buffer": rng.normal(size=(N_ROWS + N_STEPS) * N_FEATURES).astype(dtype),
        "row_stride": N_FEATURES,
        "rows": np.arange(N_ROWS),
        "y": targets(rng, loss, N_ROWS, n_outputs).astype(dtype),
        "sample_weight": rng.uniform(0.2, 2.0, N_ROWS).astype(dtype) if weighted else None,
        **options,
    }


def windows(arguments):
    stride, size = arguments["row_stride"], N_STEPS * N_FEATURES
    rows = [arguments["buffer"][r * stride : r * stride + size] for r in arguments["rows"]]
    return np.array(rows).reshape(-1, N_STEPS, N_FEATURES)


# ---------------------------------------------------------------------------------- gradients


def gradient_and_loss(arguments):
    """The gradient of one batch, read off a step of plain gradient descent, and its loss."""
    size = arguments["theta"].size
    trainer = NativeTrainer(
        **{
            **arguments,
            "theta": arguments["theta"].copy(),
            "optimizer": "sgd",
            "optimizer_args": {"learning_rate": 1.0},
            "slots": np.zeros((0, size)),
        }
    )
    before = trainer._theta.copy()
    loss = trainer.epoch(np.arange(N_ROWS))
    return before - trainer._theta, loss


def assert_gradient_is_right(arguments):
    gradient, _ = gradient_and_loss(arguments)
    numeric = np.zeros_like(gradient)
    step = 1e-4
    for j in range(gradient.size):
        sides = []
        for sign in (1, -1):
            theta = arguments["theta"].copy()
            theta[j] += sign * step
            trainer = NativeTrainer(**{**arguments, "theta": theta})
            sides.append(trainer.epoch(np.arange(N_ROWS)))
        numeric[j] = (sides[0] - sides[1]) / (2 * step)
    np.testing.assert_allclose(gradient, numeric, rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize(("loss", "activation"), COVERED)
@pytest.mark.parametrize("units", [(3,), (3, 2)])
def test_gradient_is_that_of_finite_differences(loss, activation, units):
    n_outputs = 2
    arguments = problem(
        units, n_outputs, loss, True, np.float64, output_activation=activation, batch_size=N_ROWS
    )
    assert_gradient_is_right(arguments)


@pytest.mark.parametrize("rates", [(0.4, 0.0), (0.0, 0.4), (0.3, 0.3)])
def test_gradient_is_right_through_dropout(rates):
    arguments = problem((3, 2), dtype=np.float64, batch_size=N_ROWS)
    arguments |= {"dropout": rates[0], "recurrent_dropout": rates[1]}
    assert_gradient_is_right(arguments)


# -------------------------------------------------------------------------------------- Keras


def keras_loss(loss):
    import keras

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
    import keras

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
    options = {**OPTIMIZERS[optimizer], **arguments.get("optimizer_args", {})}
    names = {"sgd": "SGD", "rmsprop": "RMSprop", "adam": "Adam", "adamw": "AdamW"}
    made = getattr(keras.optimizers, names.get(optimizer, optimizer.title()))(**options)
    model.compile(loss=keras_loss(arguments["loss"]), optimizer=made)
    return model


def assert_same_as_keras(arguments, epochs=20):
    model = keras_model(arguments)
    trainer = NativeTrainer(**arguments)
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


@pytest.mark.parametrize(("loss", "activation"), COVERED)
def test_losses_and_outputs_agree_with_keras(loss, activation):
    n_outputs = 3 if activation == "softmax" else 2
    assert_same_as_keras(
        problem((5,), n_outputs, loss, weighted=True, output_activation=activation)
    )


@pytest.mark.parametrize("units", [(4,), (17, 3), (5, 4, 3)])
def test_layers_agree_with_keras(units):
    assert_same_as_keras(problem(units))


@pytest.mark.parametrize("batch_size", [1, 4, 7, 20, 64])
def test_batches_agree_with_keras(batch_size):
    assert_same_as_keras(problem(batch_size=batch_size), epochs=5)


@pytest.mark.parametrize("batch_size", [1, 4])
@pytest.mark.parametrize("units", [(4,), (4, 3)])
def test_stateful_agrees_with_keras(batch_size, units):
    model, trainer = assert_same_as_keras(
        problem(units, batch_size=batch_size, stateful=True), epochs=5
    )
    states = [np.ravel(s) for layer in model.layers[:-1] for s in layer.states]
    np.testing.assert_allclose(trainer.states, np.concatenate(states), rtol=0, atol=1e-5)


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


def test_evaluation_agrees_with_keras():
    arguments = problem((4, 3), weighted=True)
    model, trainer = keras_model(arguments), NativeTrainer(**arguments)
    x, y, weight = windows(arguments), arguments["y"], arguments["sample_weight"]
    loss = trainer.evaluate(np.arange(N_ROWS))
    assert loss == pytest.approx(model.evaluate(x, y, 8, 0, weight), rel=1e-5)
    np.testing.assert_allclose(trainer.outputs, model.predict(x, verbose=0), atol=1e-6)


# ------------------------------------------------------------------------------------ dropout


@numba.njit
def masks(seed, iteration, layer, n_rows, n_columns, rate):
    """The masks that the kernels draw, a row each."""
    drawn = np.empty((n_rows, n_columns), np.float32)
    for r in range(n_rows):
        stream = kernels._stream(seed, iteration, layer, r)
        for j in range(n_columns):
            drawn[r, j] = kernels._mask(stream, j, np.float32(rate))
    return drawn


def test_recurrent_dropout_is_that_of_keras_given_its_masks():
    import keras

    arguments = problem((6,), batch_size=N_ROWS, recurrent_dropout=0.4)
    drawn = masks(0, 0, 1, N_ROWS, 4 * 6, 0.4).reshape(N_ROWS, 4, 6)
    layer = keras.layers.LSTM(6, recurrent_dropout=0.4)
    layer.cell._create_dropout_mask = lambda state, rate: [
        keras.ops.convert_to_tensor(drawn[:, gate]) for gate in range(4)
    ]
    model = keras.Sequential([keras.Input((N_STEPS, N_FEATURES)), layer, keras.layers.Dense(1)])
    theta, parts = arguments["theta"].copy(), []
    for shape in shapes((6,)):
        part, theta = np.split(theta, [np.prod(shape)])
        parts.append(part.reshape(shape))
    model.set_weights(parts)
    trainer = NativeTrainer(**arguments)
    trainer.epoch(np.arange(N_ROWS))
    expected = model(windows(arguments), training=True)
    np.testing.assert_allclose(trainer.outputs, expected, atol=1e-6)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_masks_keep_their_share_at_the_inverse_scale(rate):
    scale = np.float32(1) / (np.float32(1) - np.float32(rate))
    draws = masks(7, 3, 1, 200, 200, rate)
    assert set(np.unique(draws)) <= {np.float32(0), scale}
    kept = draws > 0
    assert kept.mean() == pytest.approx(1 - rate, abs=0.015)
    assert kept.mean(axis=0).std() == pytest.approx(np.sqrt(rate * (1 - rate) / 200), rel=0.25)
    assert abs(np.corrcoef(kept[:, :-1].ravel(), kept[:, 1:].ravel())[0, 1]) < 0.02
    assert abs(np.corrcoef(kept[:-1].ravel(), kept[1:].ravel())[0, 1]) < 0.02


def test_masks_differ_by_seed_and_step_and_not_by_run():
    results = []
    for seed in (1, 1, 2):
        arguments = problem((4, 3), dropout=0.5, recurrent_dropout=0.5, seed=seed)
        trainer = NativeTrainer(**arguments)
        results.append([trainer.epoch(np.arange(N_ROWS)) for _ in range(2)])
    assert results[0] == results[1]
    assert results[0] != results[2]


def test_dropout_is_off_in_evaluation():
    with_dropout = problem((4, 3), dropout=0.5, recurrent_dropout=0.5)
    without = problem((4, 3))
    losses = [NativeTrainer(**a).evaluate(np.arange(N_ROWS)) for a in (with_dropout, without)]
    assert losses[0] == losses[1]


# ------------------------------------------------------------------------------ threads, state


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
    trainer = NativeTrainer(**arguments)
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
    trainer = NativeTrainer(**whole)
    for _ in range(4):
        trainer.epoch(np.arange(N_ROWS))
    first = NativeTrainer(**parts)
    for _ in range(2):
        first.epoch(np.arange(N_ROWS))
    second = NativeTrainer(**parts, iterations=first.iterations)
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
    one, other = NativeTrainer(**arguments), NativeTrainer(**moved)
    assert one.epoch(order) == other.epoch(np.arange(N_ROWS))
    np.testing.assert_array_equal(one.outputs[order], other.outputs)


def test_a_read_only_buffer_compiles_nothing_new():
    arguments = problem()
    arguments["buffer"].flags.writeable = False
    NativeTrainer(**problem()).epoch(np.arange(N_ROWS))
    n_signatures = len(kernels.run_batches.signatures)
    NativeTrainer(**arguments).epoch(np.arange(N_ROWS))
    assert len(kernels.run_batches.signatures) == n_signatures


# ---------------------------------------------------------------------------------- arithmetic


@numba.njit
def tanh(x):
    y = np.empty_like(x)
    for j in range(x.size):
        y[j] = kernels._tanh(x[j])
    return y


def test_tanh_is_accurate_and_keeps_nan():
    x = np.linspace(-10, 10, 20001, dtype=np.float32)
    y = tanh(x)
    np.testing.assert_allclose(y, np.tanh(x.astype(np.float64)), rtol=0, atol=3e-7)
    assert abs(y).max() <= 1
    ends = tanh(np.array([np.nan, np.inf, -np.inf], np.float32))
    np.testing.assert_allclose(ends, [np.nan, 1, -1], rtol=0, atol=3e-7)


@pytest.mark.parametrize("loss", ELEMENTWISE)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_numbers_that_overflow_show_in_the_loss(loss, bad):
    for name in ("theta", "y", "buffer"):
        arguments = problem(loss=loss)
        arguments[name].ravel()[-1 if name == "theta" else 3] = bad
        trainer = NativeTrainer(**arguments)
        losses = [trainer.epoch(np.arange(N_ROWS)) for _ in range(2)]
        if name == "buffer" and np.isinf(bad):
            continue  # the gates saturate
        assert not np.isfinite(losses[-1])


def test_what_is_not_covered_is_named():
    assert unsupported(loss="mse", output_activation="linear", optimizer="adam") is None
    for bad, reason in [
        ({"loss": "poisson"}, "poisson"),
        ({"output_activation": "elu"}, "elu"),
        ({"optimizer": "lion"}, "lion"),
        ({"loss": "binary_crossentropy"}, "binary_crossentropy"),
        ({"optimizer_args": {"use_ema": True}}, "use_ema"),
        ({"optimizer_args": {"learning_rate": lambda: 0.1}}, "learning_rate"),
    ]:
        arguments = {"loss": "mse", "output_activation": "linear", "optimizer": "adam", **bad}
        assert reason in unsupported(**arguments)


# -------------------------------------------------------------------------------------- cache


def test_without_a_folder_for_the_cache_compilation_goes_on(monkeypatch):
    def refuse_cache(function, cache=False, **options):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return options

    monkeypatch.setattr(numba, "njit", refuse_cache)
    assert kernels._entry(None)["nogil"]


@pytest.mark.parametrize("readable", [True, False])
def test_a_cache_that_fails_later_does_not_stop_the_fit(monkeypatch, readable):
    compiled = kernels.run_batches
    calls = []

    class Failing:
        signatures = compiled.signatures if readable else ()

        def __call__(self, *arguments):
            calls.append(arguments)
            if len(calls) == 1 or not readable:
                raise OSError("no space left on device")
            return compiled(*arguments)

    monkeypatch.setattr(kernels, "run_batches", Failing())
    monkeypatch.setattr(kernels, "run_batches_uncached", lambda: compiled)
    assert NativeTrainer(**problem()).epoch(np.arange(N_ROWS)) > 0
