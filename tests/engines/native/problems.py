"""Small problems, and what trains on them, for the tests of the native engine."""

from dataclasses import replace

import numpy as np

from skl_lstm.engines.native.coverage import OPTIMIZERS, make_plan
from skl_lstm.engines.native.trainer import NativeTrainer
from skl_lstm.network.network import Network
from skl_lstm.network.windows import Windows
from skl_lstm.training.rows import Rows
from skl_lstm.training.settings import Settings

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
QUANTILES = (0.2, 0.5, 0.9)


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


def slot_names(optimizer, options):
    kind = OPTIMIZERS[optimizer]
    return kind.slots({**kind.defaults, **(options or {})})


def network_of(arguments):
    names = ("n_steps", "n_features", "units", "n_outputs")
    options = ("output_activation", "dropout", "recurrent_dropout", "stateful")
    return Network(
        *(arguments[name] for name in names),
        **{name: arguments[name] for name in options if name in arguments},
    )


def windows_of(arguments):
    names = ("buffer", "row_stride", "rows", "n_steps", "n_features")
    return Windows(*(arguments[name] for name in names))


def trainer_of(arguments):
    network = network_of(arguments)
    settings = Settings(
        loss=arguments.get("loss", "mse"),
        optimizer=arguments.get("optimizer", "adam"),
        optimizer_kwargs=arguments.get("optimizer_args") or {},
    )
    planned = make_plan(network, settings)
    for value in (arguments.get("loss_args") or {}).values():
        several = isinstance(value, tuple)
        planned = replace(planned, loss_parameters=value if several else (value,))
    return NativeTrainer(
        network,
        planned,
        Rows(windows_of(arguments), arguments["y"], arguments.get("sample_weight")),
        arguments["batch_size"],
        arguments["theta"],
        slots=arguments["slots"],
        iterations=arguments.get("iterations", 0),
        seed=arguments.get("seed", 0),
        n_threads=arguments.get("n_threads", 1),
    )


def windows(arguments):
    stride, size = arguments["row_stride"], N_STEPS * N_FEATURES
    rows = [arguments["buffer"][r * stride : r * stride + size] for r in arguments["rows"]]
    return np.array(rows).reshape(-1, N_STEPS, N_FEATURES)
