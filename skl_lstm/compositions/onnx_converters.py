"""Converters of this package's estimators for skl2onnx."""

from __future__ import annotations

from typing import Any

import numpy as np

from skl_lstm.compositions.onnx_file import (
    LABEL,
    ROWS,
    Rows,
    predict_in,
    shape_of_input,
    transform_in,
)
from skl_lstm.estimators.classifier import LSTMClassifier
from skl_lstm.estimators.forecaster import LSTMForecaster
from skl_lstm.files.onnx_graph import OPSET, Graph, Port
from skl_lstm.windowing.windower import LookbackWindower


def register_onnx_converters() -> None:
    """Let skl2onnx convert models that hold estimators of this package.

    Afterwards ``skl2onnx.to_onnx`` and ``skl2onnx.convert_sklearn`` take models in which
    :class:`LookbackWindower`, :class:`LSTMForecaster` and :class:`LSTMClassifier` stand beside
    what else `skl2onnx <https://onnx.ai/sklearn-onnx>`_ converts: other scalers, a
    ``ColumnTransformer``, a ``VotingRegressor``.

    Raises
    ------
    ImportError
        If skl2onnx is not installed: ``pip install skl2onnx``.

    See Also
    --------
    to_onnx : Writes a model without skl2onnx, with a TransformedTargetRegressor too.

    Notes
    -----
    There is an output for each row, as there is in scikit-learn, so that parts that look back
    differently can meet again; files of :func:`to_onnx` predict whole windows alone. Lags before
    the first row are not known, as with ``LookbackWindower(context="none")``. What
    :func:`to_onnx` refuses is refused here too. Of several quantiles, the output is the median.

    The input should be declared as float64, ``DoubleTensorType``: otherwise what stands between
    the steps is float32, in which large values lose digits. A classifier then needs
    ``options={"zipmap": False}``, as all do in skl2onnx. `target_opset` must be 17 or later.

    Examples
    --------
    >>> import onnxruntime
    >>> import skl2onnx
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import RobustScaler
    >>> from skl_lstm import LookbackWindower, LSTMForecaster, make_supervised
    >>> from skl_lstm import load_airline_passengers, register_onnx_converters
    >>> X, y = make_supervised(load_airline_passengers() / 1000)
    >>> forecaster = LSTMForecaster(units=4, epochs=2, random_state=0)
    >>> model = make_pipeline(RobustScaler(), LookbackWindower(look_back=12), forecaster)
    >>> model = model.fit(X.to_numpy(), y)
    >>> register_onnx_converters()
    >>> content = skl2onnx.to_onnx(model, X.to_numpy()[:1]).SerializeToString()
    >>> session = onnxruntime.InferenceSession(content)
    >>> (following,) = session.run(None, {"X": X.to_numpy()[-12:]})
    >>> bool(abs(following[-1, 0] - model.predict(X.to_numpy())[-1]) < 1e-6)
    True
    """
    try:
        from skl2onnx import update_registered_converter
    except ImportError as error:
        raise ImportError(
            "register_onnx_converters needs skl2onnx: pip install skl2onnx"
        ) from error
    # Each classifier has these for skl2onnx: probabilities by label; labels that are numbered.
    of_classifiers = {"zipmap": [True, False, "columns"], "nocl": [False]}
    for kind in (LookbackWindower, LSTMForecaster, LSTMClassifier):
        options = of_classifiers if kind is LSTMClassifier else None
        alias = f"SklLstm{kind.__name__}"
        update_registered_converter(kind, alias, _set_types, _convert, options=options)


def _set_types(operator: Any) -> None:
    """Tell skl2onnx the types of what an estimator gives."""
    from skl2onnx.common import data_types as types
    from skl2onnx.common.utils import check_input_and_output_numbers

    check_input_and_output_numbers(operator, input_count_range=1)
    of_labels = {
        "b": types.Int64TensorType,  # as for any classifier
        "f": types.DoubleTensorType,
        "i": types.Int64TensorType,
        "O": types.StringTensorType,
    }
    of_numbers = type(types.guess_tensor_type(operator.inputs[0].type))
    ports = _outputs(operator, Graph())
    for output, port in zip(operator.outputs, ports, strict=True):
        kind = of_labels[np.dtype(port.dtype).kind] if port.name == LABEL else of_numbers
        output.type = kind([None, *port.shape[1:]])


def _convert(scope: Any, operator: Any, container: Any) -> None:
    """Add an estimator to the graph of skl2onnx, by names that are unique there."""
    from skl2onnx.common.data_types import guess_proto_type

    graph = Graph()
    ports = _outputs(operator, graph)

    def add(operator: str, inputs: list[str], outputs: list[str], **options: Any) -> None:
        name = scope.get_unique_operator_name(options.pop("name", operator))
        container.add_node(operator, inputs, outputs, name=name, op_version=OPSET, **options)

    names = {ROWS: scope.get_unique_variable_name(ROWS)}
    double = graph.onnx.TensorProto.DOUBLE
    add("Cast", [operator.inputs[0].full_name], [names[ROWS]], to=double)
    for constant in graph.constants:
        names[constant.name] = name = scope.get_unique_variable_name(constant.name)
        values = graph.onnx.numpy_helper.to_array(constant)
        content = values.ravel() if values.dtype == object else constant
        container.add_initializer(name, constant.data_type, constant.dims, content)
    for node in graph.nodes:
        named = [scope.get_unique_variable_name(name or "unused") for name in node.output]
        names.update(zip(node.output, named, strict=True))
        attributes = {
            each.name: graph.onnx.helper.get_attribute_value(each) for each in node.attribute
        }
        inputs = [names[name] for name in node.input]
        add(node.op_type, inputs, named, name=node.name, **attributes)
    for port, output in zip(ports, operator.outputs, strict=True):
        given, wanted = [names[port.name]], [output.full_name]
        if np.dtype(port.dtype) == object:
            add("Identity", given, wanted)
        else:
            add("Cast", given, wanted, to=guess_proto_type(output.type))


def _outputs(operator: Any, graph: Graph) -> list[Port]:
    """Add an estimator to a graph; return what skl2onnx takes of it."""
    model = operator.raw_operator
    rows, where = Rows(ROWS, shape_of_input(model), 1), type(model).__name__
    if isinstance(model, LookbackWindower):
        if model.look_back > 1:
            rows = rows._replace(name=_with_rows_before(graph, model, rows))
        windows = transform_in(graph, model, rows, where)
        return [Port(windows.name, np.float64, (windows.axis, *windows.shape))]
    return predict_in(graph, model, rows, where).outputs(graph)[: len(operator.outputs)]


def _with_rows_before(graph: Graph, windower: LookbackWindower, rows: Rows) -> str:
    """Put before the first row what the first windows have there, so that each row has one."""
    n_before = windower.look_back - 1
    if windower.padding == "edge":
        before: Any = graph.add("Gather", rows.name, np.zeros(n_before, dtype=np.int64), axis=0)
    else:
        before = np.full((n_before, *rows.shape), np.nan)
    return graph.add("Concat", before, rows.name, axis=0)
