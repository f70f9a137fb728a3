"""Fitted models, from the rows of a series to forecasts, as one file for ONNX runtimes."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from skl_lstm.estimators.classifier import LSTMClassifier
from skl_lstm.estimators.forecaster import LSTMForecaster
from skl_lstm.files.onnx_functions import FUNCTIONS, RISING
from skl_lstm.files.onnx_graph import Graph, Port
from skl_lstm.files.onnx_network import RECURRENT_ACTIVATIONS, Outputs, join_rows, outputs_of
from skl_lstm.files.whole_files import ModelFileError, write_whole
from skl_lstm.network.quantiles import place_of_median
from skl_lstm.windowing.window_array import step_layout
from skl_lstm.windowing.windower import LookbackWindower

# Names of the input and of the outputs.
ROWS, FORECAST, QUANTILES = "rows", "forecast", "quantiles"
LABEL, PROBABILITIES = "label", "probabilities"

# Name of the operator that fails where no label can be given, which a runtime names in its error.
NO_LABEL = "label_of_a_window_with_no_known_value"


def to_onnx(model: Any, path: str | os.PathLike[str]) -> None:
    """Write a fitted model, scalers and windows included, to one file for ONNX runtimes.

    The file takes rows of X, which are those of a series as they are unless columns are known
    ahead, and gives what ``model.predict`` does. It runs wherever `ONNX Runtime
    <https://onnxruntime.ai>`_ and the like run: in services and on devices without Python.

    Parameters
    ----------
    model : fitted estimator
        An :class:`LSTMForecaster` or an :class:`LSTMClassifier`, which is not stateful, or a
        Pipeline or a TransformedTargetRegressor around it, nested in each other, of
        :class:`LookbackWindower`, MinMaxScaler, StandardScaler and FunctionTransformer. The
        functions of the latter are NumPy's: ``np.log``, ``np.log1p``, ``np.exp``, ``np.expm1``,
        ``np.sqrt``, ``np.square`` and some others.
    path : str or path-like
        Path of the file; by convention its name ends in ``.onnx``. An existing file is replaced
        in one step, or stays intact if that fails.

    Raises
    ------
    ModelFileError
        If the model holds anything else, or uses what a file of single windows cannot express:
        `stateful`, `group`, `fill_missing`, or a `hidden_activation` of selu, silu or softplus.
        The message names the step, and nothing is written.
    NotFittedError
        If the model or a step of it is not fitted.
    OSError
        If the file cannot be written.
    ImportError
        If onnx is not installed: ``pip install "skl-lstm[onnx]"``.

    See Also
    --------
    save_model : Saves a model for use in Python, where training may continue.
    register_onnx_converters : Lets skl2onnx convert pipelines of other steps too.

    Notes
    -----
    The input ``rows`` is float64 of shape ``(m, n_columns)``: the last `m` rows, each one step
    after the one before it. It has the columns that `model` was fitted on, in their order; of
    those known ahead it holds the values `horizon` rows later, as the X of
    :func:`make_supervised` does, so that rows of the table would give wrong forecasts. Only
    windows that lie within these rows are predicted, so row ``k`` of the output is
    ``model.predict(X)[k + look_back - 1]``, and ``look_back`` rows give the forecast that follows
    them. What precedes the first row is unknown here, as is the index of a DataFrame. A model
    without a windower takes windows, and gives a row for each.

    The output ``forecast`` is float64 of shape ``(m - look_back + 1, n_outputs)``. A model that
    learned several quantiles has an output ``quantiles`` too, of shape
    ``(m - look_back + 1, n_outputs, n_quantiles)``. A classifier has ``label`` and
    ``probabilities``, in the order of ``classes_``.

    A missing value is NaN, and filled as by :meth:`LSTMForecaster.predict`. A window that has no
    known value of a column, or an infinite value, gives NaN; `predict` refuses the latter. No
    label is right for such a window, so the run of a classifier fails, as `predict` does. So does
    a run with fewer than ``look_back`` rows.

    All but the network is computed in float64, as here, so that the results agree to about a
    millionth. The file needs version 17 of the operators, and its content is the same each time.
    The number of rows that a forecast needs, ``look_back``, and the names of the ``columns``, if
    the model has them, are in its ``metadata_props``.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import onnxruntime
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import MinMaxScaler
    >>> from skl_lstm import LookbackWindower, LSTMForecaster, make_supervised
    >>> from skl_lstm import load_airline_passengers, to_onnx
    >>> X, y = make_supervised(load_airline_passengers() / 1000)
    >>> forecaster = LSTMForecaster(units=4, epochs=2, random_state=0)
    >>> model = make_pipeline(MinMaxScaler(), LookbackWindower(look_back=12), forecaster)
    >>> model = model.fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     to_onnx(model, Path(folder) / "model.onnx")
    ...     session = onnxruntime.InferenceSession(Path(folder) / "model.onnx")
    >>> (following,) = session.run(["forecast"], {"rows": X.to_numpy()[-12:]})
    >>> following.shape
    (1, 1)
    >>> bool(abs(following[0, 0] - model.predict(X)[-1]) < 1e-6)
    True
    """
    write_whole(path, to_bytes(model))


def to_bytes(model: Any) -> bytes:
    """Return the content of the file that :func:`to_onnx` writes."""
    graph = Graph()
    first = next(_leaves(model), None)
    shape = shape_of_input(first)
    prediction = predict_in(graph, model, Rows(ROWS, shape, 1), "model")
    names = getattr(first, "feature_names_in_", None)
    facts = {"look_back": str(prediction.look_back)}
    if names is not None:
        facts["columns"] = json.dumps(list(names), ensure_ascii=False)
    ports = prediction.outputs(graph)
    return graph.to_bytes([Port(ROWS, np.float64, ("n_rows", *shape))], ports, facts)


class Rows(NamedTuple):
    """Rows, or windows, in a graph.

    Attributes
    ----------
    name : str
        Float64 of shape (n, *shape).
    shape : tuple of int
        Shape of each.
    look_back : int
        Number of rows of the input that each depends on.
    """

    name: str
    shape: tuple[int, ...]
    look_back: int

    @property
    def axis(self) -> str:
        """Name of the first axis."""
        return "n_rows" if self.look_back == 1 else "n_forecasts"


class Forecasts(NamedTuple):
    """What a regressor predicts, in a graph.

    Attributes
    ----------
    values : str
        Float64 of shape (n, n_targets), or (n, n_quantiles, n_targets) if there are several.
    rows : Rows
        What it is predicted of.
    n_targets, n_quantiles : int
        Sizes of the axes.
    place : int
        Which of the quantiles ``predict`` returns.
    """

    values: str
    rows: Rows
    n_targets: int
    n_quantiles: int = 1
    place: int = 0

    @property
    def look_back(self) -> int:
        """Number of rows of the input that a forecast depends on."""
        return self.rows.look_back

    def outputs(self, graph: Graph) -> list[Port]:
        """Name the outputs of the graph, and return what they are."""
        axes = self.rows.axis, self.n_targets
        forecast = Port(FORECAST, np.float64, axes)
        if self.n_quantiles == 1:
            graph.add("Identity", self.values, name=FORECAST)
            return [forecast]
        graph.add("Gather", self.values, np.array(self.place), name=FORECAST, axis=1)
        graph.add("Transpose", self.values, name=QUANTILES, perm=[0, 2, 1])
        return [forecast, Port(QUANTILES, np.float64, (*axes, self.n_quantiles))]


class Classes(NamedTuple):
    """What a classifier predicts, in a graph.

    Attributes
    ----------
    values : Outputs
        Outputs of its network.
    rows : Rows
        What it is predicted of.
    labels : ndarray of shape (n_classes,)
        The labels.
    """

    values: Outputs
    rows: Rows
    labels: NDArray

    @property
    def look_back(self) -> int:
        """Number of rows of the input that a prediction depends on."""
        return self.rows.look_back

    def outputs(self, graph: Graph) -> list[Port]:
        """Name the outputs of the graph, and return what they are."""
        values, known = self.values
        n_classes = len(self.labels)
        if n_classes == 2:
            both = graph.add("Concat", graph.add("Sub", 1.0, values), values, axis=1)
            larger = graph.add("Greater", values, 0.5)
            code = graph.add("Cast", larger, to=graph.onnx.TensorProto.INT64)
        else:
            total = graph.add("ReduceSum", values, np.array([1]))
            both = graph.add("Div", values, total)
            code = graph.add("ArgMax", values, axis=1)
        graph.add("Where", known, both, np.nan, name=PROBABILITIES)
        # No label is right for an unknown window, and so none is given: the operator fails.
        codes = graph.add("Where", known, code, np.array(n_classes))
        found = graph.add("Gather", self.labels, codes, name=NO_LABEL, axis=0)
        graph.add("Squeeze", found, np.array([1]), name=LABEL)
        axis = self.rows.axis
        return [
            Port(LABEL, self.labels.dtype, (axis,)),
            Port(PROBABILITIES, np.float64, (axis, n_classes)),
        ]


def predict_in(graph: Graph, model: Any, rows: Rows, where: str) -> Forecasts | Classes:
    """Add what a fitted model predicts of rows to a graph.

    Parameters
    ----------
    graph : Graph
        Where it is added.
    model : fitted estimator
        As in :func:`to_onnx`.
    rows : Rows
        Its input.
    where : str
        How a message names the model.
    """
    from sklearn.compose import TransformedTargetRegressor  # late: slow to import
    from sklearn.pipeline import Pipeline

    kind = type(model)
    if kind is Pipeline:
        *transformers, (name, last) = model.steps
        for step, transformer in transformers:
            rows = transform_in(graph, transformer, rows, f"{where}[{step!r}]")
        return predict_in(graph, last, rows, f"{where}[{name!r}]")
    if kind is TransformedTargetRegressor:
        check_is_fitted(model, "regressor_")
        inner = f"{where}.regressor_"
        made = predict_in(graph, model.regressor_, rows, inner)
        if isinstance(made, Classes):
            raise _refused(inner, "an LSTMForecaster", model.regressor_)
        return _restored(graph, model.transformer_, made, f"{where}.transformer_")
    if kind is LSTMForecaster:
        return _forecasts(graph, model, rows, where)
    if kind is LSTMClassifier:
        values = _outputs(graph, model, rows, where)
        return Classes(values, rows, _labels(model.classes_, where))
    raise _refused(
        where,
        "an LSTMForecaster, an LSTMClassifier, or a Pipeline or TransformedTargetRegressor "
        "around one",
        model,
    )


def transform_in(graph: Graph, step: Any, rows: Rows, where: str) -> Rows:
    """Add what a fitted transformer makes of rows to a graph, as :func:`predict_in` does."""
    from sklearn.pipeline import Pipeline  # late: slow to import
    from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler

    kind, x = type(step), rows.name
    if _does_nothing(step):
        return rows
    if kind is Pipeline:
        for name, inner in step.steps:
            rows = transform_in(graph, inner, rows, f"{where}[{name!r}]")
        return rows
    if kind not in (FunctionTransformer, MinMaxScaler, StandardScaler, LookbackWindower):
        raise _refused(
            where,
            "a LookbackWindower, MinMaxScaler, StandardScaler, FunctionTransformer, or a "
            "Pipeline of these",
            step,
        )
    check_is_fitted(step, "n_features_in_")
    if rows.shape != (step.n_features_in_,):
        raise ModelFileError(
            f"{where} must take what comes before it, of shape {rows.shape} for each row, but was "
            f"fitted on {step.n_features_in_} columns"
        )
    if kind is LookbackWindower:
        return _windows(graph, step, rows, where)
    n_columns = rows.shape[0]
    if kind is FunctionTransformer:
        x = _of_function(graph, x, step.func, step.kw_args, f"func of {where}")
    elif kind is MinMaxScaler:
        x = graph.add("Mul", x, _constants(step, "scale_", n_columns, where))
        x = graph.add("Add", x, _constants(step, "min_", n_columns, where))
        if step.clip:
            x = _clipped(graph, x, *map(float, step.feature_range))
    else:
        if step.with_mean:
            x = graph.add("Sub", x, _constants(step, "mean_", n_columns, where))
        if step.with_std:
            x = graph.add("Div", x, _constants(step, "scale_", n_columns, where))
    return rows._replace(name=x)


def _restored(graph: Graph, transformer: Any, made: Forecasts, where: str) -> Forecasts:
    """Add the inverse of a fitted transformer of the target."""
    from sklearn.pipeline import Pipeline  # late: slow to import
    from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler

    kind, x = type(transformer), made.values
    if _does_nothing(transformer):
        return made
    if kind is Pipeline:
        for name, step in reversed(transformer.steps):
            made = _restored(graph, step, made, f"{where}[{name!r}]")
        return made
    if kind not in (FunctionTransformer, MinMaxScaler, StandardScaler):
        raise _refused(
            where,
            "a MinMaxScaler, StandardScaler, FunctionTransformer, or a Pipeline of these",
            transformer,
        )
    check_is_fitted(transformer, "n_features_in_")
    if kind is FunctionTransformer:
        function, what = transformer.inverse_func, f"inverse_func of {where}"
        if made.n_quantiles > 1 and not _is_identity(function) and function not in RISING:
            raise ModelFileError(
                f"{what} must be one that only rises, for several quantiles: "
                f"{_names(RISING)}; got {_name(function)}"
            )
        x = _of_function(graph, x, function, transformer.inv_kw_args, what)
    elif kind is MinMaxScaler:
        x = graph.add("Sub", x, _constants(transformer, "min_", made.n_targets, where))
        x = graph.add("Div", x, _constants(transformer, "scale_", made.n_targets, where))
    else:
        if transformer.with_std:
            x = graph.add("Mul", x, _constants(transformer, "scale_", made.n_targets, where))
        if transformer.with_mean:
            x = graph.add("Add", x, _constants(transformer, "mean_", made.n_targets, where))
    return made._replace(values=x)


def _windows(graph: Graph, windower: LookbackWindower, rows: Rows, where: str) -> Rows:
    check_is_fitted(windower, "head_")
    if windower.group is not None:
        raise ModelFileError(
            f"group of {where} must be None for ONNX, since the rows of a file are one series, "
            f"got {windower.group!r}"
        )
    if windower.fill_missing is not None:
        raise ModelFileError(
            f"fill_missing of {where} must be None for ONNX, since the last known value may "
            f"stand before the rows that a file is given, got {windower.fill_missing!r}"
        )
    look_back = len(windower.head_)
    windows = join_rows(graph, rows.name, look_back, rows.shape)
    return Rows(windows, (look_back * rows.shape[0],), rows.look_back + look_back - 1)


def _forecasts(graph: Graph, forecaster: LSTMForecaster, rows: Rows, where: str) -> Forecasts:
    values, known = _outputs(graph, forecaster, rows, where)
    values = graph.add("Where", known, values, np.nan)
    quantiles, n_outputs = forecaster.quantiles_, forecaster.n_outputs_
    if len(quantiles) < 2:
        return Forecasts(values, rows, n_outputs)
    n_quantiles, n_targets = len(quantiles), n_outputs // len(quantiles)
    values = graph.add("Reshape", values, np.array([0, n_quantiles, n_targets]))
    values = graph.add(
        "TopK", values, np.array([n_quantiles]), outputs=(True, True), axis=1, largest=0
    )
    chosen = forecaster._place
    place = place_of_median(quantiles) if chosen is None else chosen
    return Forecasts(values, rows, n_targets, n_quantiles, place)


def _outputs(
    graph: Graph, estimator: LSTMForecaster | LSTMClassifier, rows: Rows, where: str
) -> Outputs:
    """Add the network of an estimator."""
    check_is_fitted(estimator, "weights_")
    shape, network = estimator.window_shape_, estimator.network_
    if network.stateful:
        raise ModelFileError(
            f"stateful of {where} must be False for ONNX, got True: a file has no state that "
            "goes on from row to row; save_model and stream() keep it"
        )
    if network.hidden_activation not in RECURRENT_ACTIVATIONS:
        raise ModelFileError(
            f"hidden_activation of {where} must be one of {tuple(RECURRENT_ACTIVATIONS)} for "
            f"ONNX, got {network.hidden_activation!r}, which no runtime computes as here"
        )
    if not all(np.isfinite(part).all() for part in estimator.weights_):
        raise ModelFileError(f"weights_ of {where} must be finite numbers, got NaN or infinity")
    if rows.shape != shape and rows.shape != (math.prod(shape),):
        raise ModelFileError(
            f"{where} must take what comes before it, of shape {rows.shape} for each row, but was "
            f"fitted on windows of shape {shape}"
        )
    # Windows that were passed as they are may be none.
    windows = join_rows(graph, rows.name, 1, rows.shape) if rows.look_back == 1 else rows.name
    names = getattr(estimator, "feature_names_in_", None)
    if names is not None and estimator._reads_steps():
        order = step_layout(SimpleNamespace(columns=names)).order
        windows = windows if order is None else graph.add("Gather", windows, order, axis=1)
    return outputs_of(
        graph, windows, shape, network, estimator.weights_, estimator.window_scaling_
    )


def _labels(classes: NDArray, where: str) -> NDArray:
    """Return labels in a type that ONNX has."""
    labels = np.asarray(classes)
    if labels.dtype.kind in "bf":
        return labels if labels.dtype.kind == "b" else labels.astype(np.float64)
    if labels.dtype.kind in "iu" and labels.max() <= np.iinfo(np.int64).max:
        return labels.astype(np.int64)
    if labels.dtype.kind in "OU" and all(isinstance(label, str) for label in labels):
        return labels.astype(object)
    raise ModelFileError(
        f"classes_ of {where} must be numbers of at most 64 bits or text for ONNX, got "
        f"{labels[:3]} of {labels.dtype}"
    )


def _of_function(graph: Graph, x: str, function: Any, kw_args: Any, what: str) -> str:
    if kw_args:
        raise ModelFileError(f"{what} must have no further arguments for ONNX, got {kw_args}")
    if _is_identity(function):
        return x
    if not isinstance(function, np.ufunc) or function not in FUNCTIONS:
        raise ModelFileError(
            f"{what} must be None or one of {_names(FUNCTIONS)} for ONNX, got {_name(function)}"
        )
    return FUNCTIONS[function](graph, x)


def _clipped(graph: Graph, x: str, low: float, high: float) -> str:
    """Clip values, but neither missing nor infinite ones, for which there is no forecast."""
    above, below = (
        graph.add("Where", graph.add("Greater", x, high), high, x),
        graph.add("Less", x, low),
    )
    clipped = graph.add("Where", below, low, above)
    return graph.add("Where", graph.add("IsInf", x), x, clipped)


def _constants(part: Any, attribute: str, n_columns: int, where: str) -> NDArray[np.float64]:
    values = np.asarray(getattr(part, attribute), dtype=np.float64)
    if values.shape != (n_columns,):
        raise ModelFileError(
            f"{attribute} of {where} must be numbers for {n_columns} columns, got shape "
            f"{values.shape}"
        )
    return values


def _leaves(model: Any) -> Iterator[Any]:
    """Yield the parts of a model that work on X, in their order."""
    from sklearn.compose import TransformedTargetRegressor  # late: slow to import
    from sklearn.pipeline import Pipeline

    if type(model) is Pipeline:
        for _, step in model.steps:
            yield from _leaves(step)
    elif type(model) is TransformedTargetRegressor:
        yield from _leaves(getattr(model, "regressor_", None))
    elif not _does_nothing(model):
        yield model


def shape_of_input(first: Any) -> tuple[int, ...]:
    """Return the shape of a row of X for the part that takes X; any if it is not fitted."""
    n_columns = getattr(first, "n_features_in_", 0)
    shape = getattr(first, "window_shape_", (n_columns,))
    # A network that was fitted on three dimensions counts time steps.
    return (n_columns,) if math.prod(shape) == n_columns else shape


def _does_nothing(step: Any) -> bool:
    return step is None or (isinstance(step, str) and step == "passthrough")


def _is_identity(function: Any) -> bool:
    return function is None or function is np.asarray


def _names(functions: Any) -> str:
    return ", ".join(map(_name, functions))


def _name(function: Any) -> str:
    if isinstance(function, np.ufunc):
        return f"np.{function.__name__}"
    return "None" if function is None else repr(function)


def _refused(where: str, wanted: str, got: Any) -> ModelFileError:
    best = f"; pass {where}.best_estimator_" if hasattr(got, "best_estimator_") else ""
    kind = repr(got) if isinstance(got, str) else type(got).__name__
    return ModelFileError(f"{where} must be {wanted}, for ONNX, got {kind}{best}")
