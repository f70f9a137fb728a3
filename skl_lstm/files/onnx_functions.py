"""NumPy's functions of single values as operators of ONNX, in float64.

Where ONNX has no such operator, or its runtimes have it in float32 alone, others make it up.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from skl_lstm.files.onnx_graph import Graph

# Below this size, one more or less than a value loses digits of it.
SMALL = 0.5

# Below this size, the square of a value is finite.
LARGE = 1e150


def _plain(operator: str) -> Callable[[Graph, str], str]:
    return lambda graph, x: graph.add(operator, x)


def _scaled_log(base: float) -> Callable[[Graph, str], str]:
    return lambda graph, x: graph.add("Div", graph.add("Log", x), math.log(base))


def _if_small(graph: Graph, x: str, small: str, other: str) -> str:
    is_small = graph.add("Less", graph.add("Abs", x), SMALL)
    return graph.add("Where", is_small, small, other)


def _log1p(graph: Graph, x: str) -> str:
    # With the rounded 1 + x in both, the error of the quotient cancels (Kahan).
    more = graph.add("Add", x, 1.0)
    log = graph.add("Log", more)
    change = graph.add("Sub", more, 1.0)
    exact = graph.add("Div", graph.add("Mul", log, x), change)
    return _if_small(graph, x, _unless_zero(graph, change, exact, x), log)


def _expm1(graph: Graph, x: str) -> str:
    # As in log1p.
    power = graph.add("Exp", x)
    change = graph.add("Sub", power, 1.0)
    exact = graph.add("Div", graph.add("Mul", change, x), graph.add("Log", power))
    return _if_small(graph, x, _unless_zero(graph, change, exact, x), change)


def _unless_zero(graph: Graph, change: str, value: str, instead: str) -> str:
    return graph.add("Where", graph.add("Equal", change, 0.0), instead, value)


def _sinh(graph: Graph, x: str) -> str:
    more = _expm1(graph, x)
    power = graph.add("Add", more, 1.0)
    small = graph.add("Add", more, graph.add("Div", more, power))
    large = graph.add("Sub", graph.add("Exp", x), graph.add("Exp", graph.add("Neg", x)))
    return graph.add("Mul", _if_small(graph, x, small, large), 0.5)


def _arcsinh(graph: Graph, x: str) -> str:
    size = graph.add("Abs", x)
    square = graph.add("Mul", size, size)
    root = graph.add("Sqrt", graph.add("Add", square, 1.0))
    beyond = graph.add("Div", square, graph.add("Add", root, 1.0))
    value = _log1p(graph, graph.add("Add", size, beyond))
    large = graph.add("Add", graph.add("Log", size), math.log(2.0))
    value = graph.add("Where", graph.add("Less", size, LARGE), value, large)
    return graph.add("Mul", graph.add("Sign", x), value)


def _cbrt(graph: Graph, x: str) -> str:
    root = graph.add("Pow", graph.add("Abs", x), 1.0 / 3.0)
    return graph.add("Mul", graph.add("Sign", x), root)


# Each function of NumPy, and how a graph computes it.
FUNCTIONS: dict[Any, Callable[[Graph, str], str]] = {
    np.absolute: _plain("Abs"),
    np.arcsinh: _arcsinh,
    np.cbrt: _cbrt,
    np.exp: _plain("Exp"),
    np.exp2: lambda graph, x: graph.add("Pow", 2.0, x),
    np.expm1: _expm1,
    np.log: _plain("Log"),
    np.log10: _scaled_log(10.0),
    np.log1p: _log1p,
    np.log2: _scaled_log(2.0),
    np.negative: _plain("Neg"),
    np.positive: _plain("Identity"),
    np.reciprocal: _plain("Reciprocal"),
    np.sinh: _sinh,
    np.sqrt: _plain("Sqrt"),
    np.square: lambda graph, x: graph.add("Mul", x, x),
    np.tanh: _plain("Tanh"),
}

# Those that only rise, wherever they are defined.
RISING = (
    np.arcsinh,
    np.cbrt,
    np.exp,
    np.exp2,
    np.expm1,
    np.log,
    np.log10,
    np.log1p,
    np.log2,
    np.positive,
    np.sinh,
    np.sqrt,
    np.tanh,
)
