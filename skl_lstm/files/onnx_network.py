"""Windows, and a network that reads them, as operators of ONNX.

The operators are written as they are in version 17 and in all later ones so far.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from skl_lstm.files.onnx_graph import Graph
from skl_lstm.network.cells import CELLS
from skl_lstm.network.forward import Weights
from skl_lstm.network.network import Group, Network
from skl_lstm.network.scaling import WindowScaling

# Order of the gates in ONNX.
GATES = {
    "lstm": ("input", "output", "forget", "cell"),
    "gru": ("update", "reset", "candidate"),
}

# Activations of Dense layers as operators of ONNX; None for none.
ACTIVATIONS = {
    "linear": None,
    "relu": "Relu",
    "sigmoid": "Sigmoid",
    "softmax": "Softmax",
    "tanh": "Tanh",
}

# Those that recurrent layers can have in ONNX, with alpha and beta where they take these. There is
# softplus too, but ONNX Runtime computes it as log(1 + exp(x)), which is infinite from 89 on.
RECURRENT_ACTIVATIONS: dict[str, tuple[str, tuple[float, ...]]] = {
    "elu": ("Elu", (1.0,)),
    "leaky_relu": ("LeakyRelu", (0.2,)),
    "linear": ("Affine", (1.0, 0.0)),
    "relu": ("Relu", ()),
    "sigmoid": ("Sigmoid", ()),
    "softsign": ("Softsign", ()),
    "tanh": ("Tanh", ()),
}


class Outputs(NamedTuple):
    """Outputs of a network in a graph.

    Attributes
    ----------
    values : str
        Float64 of shape (n, n_outputs); any numbers where they are not known.
    known : str
        Bool of shape (n, 1): whether all values of the window were finite numbers.
    """

    values: str
    known: str


def join_rows(graph: Graph, rows: str, look_back: int, shape: tuple[int, ...]) -> str:
    """Join each row (m, *shape) from the `look_back`-th on with those before it.

    Return windows (m - look_back + 1, look_back * n), oldest row first, of rows of `n` values. A
    run fails if there is none: a runtime may crash on recurrent layers of no rows.
    """
    n_rows = graph.add("Squeeze", graph.add("Shape", rows, start=0, end=1), np.array([0]))
    n_windows = graph.add("Max", graph.add("Sub", n_rows, np.array(look_back - 1)), np.array(1))
    firsts = graph.add("Range", np.array(0), n_windows, np.array(1))
    numbers = graph.add("Add", graph.add("Unsqueeze", firsts, np.array([1])), np.arange(look_back))
    # The error of a runtime names the operator.
    name = f"needs_{look_back}_rows_{len(graph.nodes)}"
    windows = graph.add("Gather", rows, numbers, name=name, axis=0)
    return graph.add("Reshape", windows, np.array([0, look_back * math.prod(shape)]))


def outputs_of(
    graph: Graph,
    windows: str,
    shape: tuple[int, int],
    network: Network,
    weights: Weights,
    scaling: WindowScaling | None,
) -> Outputs:
    """Return what a network that is not stateful makes of windows.

    Parameters
    ----------
    graph : Graph
        Where it is added.
    windows : str
        Float64 of shape (n, n_lags * n_series) or (n, n_lags, n_series).
    shape : tuple of int
        ``(n_lags, n_series)``.
    network, weights, scaling
        As in :func:`skl_lstm.network.forward.predict`.
    """
    n_lags, n_series = shape
    lags = graph.add("Reshape", windows, np.array([0, n_lags, n_series]))
    lags = _filled(graph, lags, n_lags)
    if scaling is not None:
        location, scale = _measured(graph, lags, scaling, shape)
        lags = graph.add("Div", graph.add("Sub", lags, location), scale)
    lags = graph.add("Cast", lags, to=graph.onnx.TensorProto.FLOAT)
    # Told for each window, since a runtime may turn NaN into a number in its recurrent layers.
    is_finite = graph.add("Less", graph.add("Abs", lags), np.array(np.inf, dtype=np.float32))
    as_numbers = graph.add("Cast", graph.add("Not", is_finite), to=graph.onnx.TensorProto.FLOAT)
    n_others = graph.add("ReduceSum", as_numbers, np.array([1, 2]), keepdims=0)
    none = graph.add("Equal", n_others, np.array(0.0, dtype=np.float32))
    known = graph.add("Unsqueeze", none, np.array([1]))

    x = graph.add("Reshape", lags, np.array([0, network.n_steps, network.n_features]))
    values = _run(graph, x, network, weights)
    values = graph.add("Cast", values, to=graph.onnx.TensorProto.DOUBLE)
    if scaling is not None and scaling.restores:
        places = np.array(
            [scaling.columns[j % len(scaling.columns)] for j in range(network.n_outputs)]
        )
        location, scale = (
            graph.add("Gather", graph.add("Squeeze", each, np.array([1])), places, axis=1)
            for each in (location, scale)
        )
        values = graph.add("Add", graph.add("Mul", values, scale), location)
    return Outputs(values, known)


def _filled(graph: Graph, lags: str, n_lags: int) -> str:
    """Fill missing values of windows as :func:`skl_lstm.network.forward.fill_missing` does.

    Each time, from the value twice as many steps away, if the nearer ones are missing too.
    """
    steps = np.arange(n_lags)
    for direction in (-1, 1):
        distance = 1
        while distance < n_lags:
            source = np.clip(steps + direction * distance, 0, n_lags - 1)
            nearby = graph.add("Gather", lags, source, axis=1)
            lags = graph.add("Where", graph.add("IsNaN", lags), nearby, lags)
            distance *= 2
    return lags


def _measured(
    graph: Graph, lags: str, scaling: WindowScaling, shape: tuple[int, int]
) -> tuple[str | NDArray, str | NDArray]:
    """Return location and scale of each series of each window, of shape (n, 1, n_series).

    They are 0 and 1 for the series that are not normalized; n is 1 if they are the same for all
    windows.
    """
    n_lags, n_series = shape
    columns = list(scaling.columns)
    is_chosen, unit = np.zeros((1, 1, n_series), dtype=bool), np.ones((1, 1, n_series))
    is_chosen[..., columns], unit[..., columns] = True, scaling.unit
    last = graph.add("Gather", lags, np.array([n_lags - 1]), axis=1)

    def of_chosen(value: str, otherwise: float) -> str:
        return graph.add("Where", is_chosen, value, otherwise)

    def mean(values: str) -> str:
        return graph.add("Div", graph.add("ReduceSum", values, np.array([1])), float(n_lags))

    if scaling.method == "last":
        return of_chosen(last, 0.0), unit
    if scaling.method == "mean":
        size = mean(graph.add("Abs", lags))
        return np.zeros((1, 1, n_series)), of_chosen(graph.add("Max", size, unit), 1.0)
    # About the last value first, so that the mean of equal values is exactly theirs.
    location = graph.add("Add", last, mean(graph.add("Sub", lags, last)))
    deviations = graph.add("Sub", lags, location)
    spread = graph.add("Sqrt", mean(graph.add("Mul", deviations, deviations)))
    return of_chosen(location, 0.0), of_chosen(graph.add("Max", spread, unit), 1.0)


def _run(graph: Graph, x: str, network: Network, weights: Weights) -> str:
    """Return the outputs (n, n_outputs) for windows (n, n_steps, n_features), in float32."""
    recurrent, dense = network.layers(weights)
    n_directions, last = network.n_directions, len(network.units) - 1
    steps = graph.add("Transpose", x, perm=[1, 0, 2])  # ONNX runtimes take the time steps first
    for layer, n_units in enumerate(network.units):
        start, width = layer * n_directions, n_directions * n_units
        pair = recurrent[start : start + n_directions]
        if layer == last and not network.all_steps:
            hidden = _recurrent(graph, steps, network, pair, (False, True))
            hidden = graph.add("Transpose", hidden, perm=[1, 0, 2])
            x = graph.add("Reshape", hidden, np.array([0, width]))
            break
        hidden = _recurrent(graph, steps, network, pair, (True,))
        if layer == last:
            hidden = graph.add("Transpose", hidden, perm=[2, 0, 1, 3])
            x = graph.add("Reshape", hidden, np.array([0, network.n_steps * width]))
        else:
            hidden = graph.add("Transpose", hidden, perm=[0, 2, 1, 3])
            steps = graph.add("Reshape", hidden, np.array([0, 0, width]))
    for (kernel, bias), activation in zip(dense, network.dense_activations, strict=True):
        x = graph.add("Gemm", x, kernel, bias)
        operator = ACTIVATIONS[activation]
        x = graph.add(operator, x) if operator else x
    return x


def _recurrent(
    graph: Graph, steps: str, network: Network, pair: list[Group], outputs: tuple[bool, ...]
) -> str:
    """Add a recurrent layer, or a pair of them; return the first of its `outputs`."""
    cell = CELLS[network.cell]

    def joined(part: NDArray) -> NDArray:
        """Return the rows of a part as ONNX has them: one for each gate and unit."""
        split = cell.split(part)
        return np.concatenate([split[gate].T for gate in GATES[network.cell]])

    kernels, recurrent_kernels, biases = zip(*pair, strict=True)
    # The one half belongs to the inputs, the other to the state.
    halves = [bias if cell.separate_biases else (bias, np.zeros_like(bias)) for bias in biases]
    hidden, numbers = RECURRENT_ACTIVATIONS[network.hidden_activation]
    # That of what is new, and, in an LSTM, that of the cell state; the gates come before.
    n_hidden = len(cell.states)
    options: dict[str, Any] = {"linear_before_reset": 1} if network.cell == "gru" else {}
    for attribute, number in zip(("activation_alpha", "activation_beta"), numbers, strict=False):
        options[attribute] = [number] * n_hidden * len(pair)
    return graph.add(
        cell.keras_class,
        steps,
        np.stack([joined(kernel) for kernel in kernels]),
        np.stack([joined(kernel) for kernel in recurrent_kernels]),
        np.stack([np.concatenate([joined(half) for half in each]) for each in halves]),
        outputs=outputs,
        activations=["Sigmoid", *[hidden] * n_hidden] * len(pair),
        direction="bidirectional" if network.bidirectional else "forward",
        hidden_size=len(recurrent_kernels[0]),
        **options,
    )
