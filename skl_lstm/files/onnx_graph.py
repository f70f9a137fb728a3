"""An ONNX graph under construction, and its file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from skl_lstm.checks import check_installed

# The oldest operators that have all that is needed, and the format of that time: runtimes of years
# past read them too.
OPSET = 17
IR_VERSION = 8


class Port(NamedTuple):
    """An input or an output of a graph: its name, type, and the names or sizes of its axes."""

    name: str
    dtype: DTypeLike
    shape: tuple[str | int, ...]


class Graph:
    """An ONNX graph under construction.

    What flows in it is known by name; an array in place of a name is a constant, and a number one
    in float64.

    Raises
    ------
    ImportError
        If onnx is not installed.
    """

    def __init__(self) -> None:
        self.onnx = _import_onnx()
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._names: dict[tuple[Any, ...], str] = {}

    def add(
        self,
        operator: str,
        *inputs: str | NDArray | float,
        name: str = "",
        outputs: Sequence[bool] = (True,),
        **attributes: Any,
    ) -> str:
        """Add an operator, and return the name of its result.

        Parameters
        ----------
        operator : str
            Its name in ONNX.
        *inputs : str, ndarray or float
            What it is applied to.
        name : str, default=""
            Name of the node and of its result; a new one if empty.
        outputs : sequence of bool, default=(True,)
            Which of the operator's outputs it has; the first of these is the result.
        **attributes : dict
            Attributes of the operator.
        """
        name = name or f"{operator}_{len(self.nodes)}"
        named = [
            f"{name}_{i}" if has and i else name if has else "" for i, has in enumerate(outputs)
        ]
        given = [each if isinstance(each, str) else self._constant(each) for each in inputs]
        self.nodes.append(
            self.onnx.helper.make_node(operator, given, named, name=name, **attributes)
        )
        return next(filter(None, named))

    def to_bytes(
        self, inputs: Sequence[Port], outputs: Sequence[Port], facts: Mapping[str, str]
    ) -> bytes:
        """Return the checked content of a file, the same for the same graph.

        Parameters
        ----------
        inputs, outputs : sequence of Port
            What the graph takes and gives.
        facts : mapping of str to str
            What the file tells of the model.
        """
        helper = self.onnx.helper
        ports = (
            [
                helper.make_tensor_value_info(
                    name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), shape
                )
                for name, dtype, shape in each
            ]
            for each in (inputs, outputs)
        )
        model = helper.make_model(
            helper.make_graph(self.nodes, "skl_lstm", *ports, initializer=self.constants),
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name="skl_lstm",
        )
        helper.set_model_props(model, dict(facts))
        self.onnx.checker.check_model(model, full_check=True)
        return model.SerializeToString(deterministic=True)

    def _constant(self, array: NDArray | float) -> str:
        """Return the name of a constant, of which equal ones have the same."""
        values = np.asarray(array)
        if values.dtype.kind in "OU":
            content: Any = tuple(values.ravel())
            values = values.astype(object)
        else:
            content = values.tobytes()
        key = values.dtype.str, values.shape, content
        if key not in self._names:
            self._names[key] = name = f"constant_{len(self._names)}"
            self.constants.append(self.onnx.numpy_helper.from_array(values, name))
        return self._names[key]


def _import_onnx() -> ModuleType:
    """Return the package onnx, with what is needed of it."""
    check_installed("to_onnx", "onnx", "onnx")
    import onnx
    import onnx.checker
    import onnx.helper
    import onnx.numpy_helper

    return onnx
