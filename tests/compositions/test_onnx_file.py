"""A file for ONNX runtimes predicts what the model predicts, or is not written."""

import re
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.decomposition import PCA
from sklearn.ensemble import VotingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler

from skl_lstm import (
    KnownRowsRegressor,
    LookbackWindower,
    LSTMClassifier,
    LSTMForecaster,
    ModelFileError,
    make_supervised,
    to_onnx,
)
from skl_lstm.compositions.onnx_file import to_bytes
from skl_lstm.compositions.quantiles import by_quantile
from skl_lstm.files.onnx_functions import FUNCTIONS
from skl_lstm.files.onnx_graph import Graph, Port
from skl_lstm.files.onnx_network import RECURRENT_ACTIVATIONS
from skl_lstm.network.network import HIDDEN_ACTIVATIONS

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
ReferenceEvaluator = pytest.importorskip("onnx.reference").ReferenceEvaluator

# Scalers are left out where they are not the question.
pytestmark = pytest.mark.filterwarnings("ignore::skl_lstm.SeriesWarning")

LOOK_BACK = 6

# Errors are asserted here, and need not be logged.
QUIET = onnxruntime.SessionOptions()
QUIET.log_severity_level = 4


def forecaster(**parameters):
    return LSTMForecaster(**{"units": 3, "epochs": 1, "random_state": 0, **parameters})


def pipeline(*before, **parameters):
    return make_pipeline(*before, LookbackWindower(LOOK_BACK), forecaster(**parameters))


def scaled(model, transformer=None):
    return TransformedTargetRegressor(model, transformer=transformer or MinMaxScaler())


def session_of(model):
    return onnxruntime.InferenceSession(to_bytes(model), QUIET)


def run(model, rows):
    """Return the outputs of the model's file, by their names."""
    session = session_of(model)
    names = [output.name for output in session.get_outputs()]
    rows = np.asarray(rows, dtype=np.float64)
    return dict(zip(names, session.run(names, {"rows": rows}), strict=True))


def assert_close(found, expected):
    """Compare to 1e-5 of each value, or to 1e-6 of the largest where values cross zero."""
    size = np.nanmax(np.abs(expected), initial=0.0)
    assert_allclose(found, np.reshape(expected, found.shape), rtol=1e-5, atol=1e-6 * size)


def assert_same_forecasts(model, X, n_before=LOOK_BACK - 1):
    """Compare the file's forecasts with those of the model."""
    found = run(model, X)["forecast"]
    assert len(found) == len(X) - n_before
    assert_close(found, model.predict(X)[n_before:])
    return found


@pytest.fixture(scope="module")
def passengers(airline):
    """The airline series as (X, y), in passengers."""
    X, y = airline
    return X * 1000, y * 1000


@pytest.fixture(scope="module")
def two_columns(airline):
    """The airline series, and the month of each value."""
    X, _ = airline
    months = np.arange(len(X)) % 12
    return make_supervised(
        pd.DataFrame({"month": months.astype(float), "n": X.iloc[:, 0].to_numpy()}), target="n"
    )


@pytest.mark.parametrize(
    "model",
    [
        pipeline(),
        pipeline(MinMaxScaler()),
        pipeline(MinMaxScaler((-1, 1), clip=True)),
        pipeline(StandardScaler()),
        pipeline(StandardScaler(with_mean=False)),
        pipeline(StandardScaler(with_std=False)),
        pipeline("passthrough", MinMaxScaler()),
        pipeline(make_pipeline(FunctionTransformer(np.log1p), StandardScaler())),
        pipeline(FunctionTransformer(np.asarray), FunctionTransformer(np.sqrt)),
        make_pipeline(LookbackWindower(LOOK_BACK), StandardScaler(), forecaster()),
        make_pipeline(MinMaxScaler(), pipeline()),
        scaled(pipeline(MinMaxScaler())),
        scaled(pipeline(MinMaxScaler()), StandardScaler()),
        scaled(
            pipeline(MinMaxScaler()),
            make_pipeline(FunctionTransformer(np.log1p, np.expm1), "passthrough", MinMaxScaler()),
        ),
        TransformedTargetRegressor(
            pipeline(FunctionTransformer(np.log)), func=np.log, inverse_func=np.exp
        ),
        make_pipeline(MinMaxScaler(), scaled(scaled(pipeline()), StandardScaler())),
    ],
    ids=str,
)
def test_a_composed_model_forecasts_the_same(model, passengers):
    X, y = passengers
    model = clone(model).fit(X[:100], y[:100])
    assert_same_forecasts(model, X)
    assert_same_forecasts(model, X[-LOOK_BACK:])


@pytest.mark.parametrize("window_scaling", ["last", "mean", "standard"])
def test_windows_are_normalized_and_forecasts_put_back(window_scaling, passengers):
    X, y = passengers
    model = pipeline(window_scaling=window_scaling).fit(X, y)
    assert_same_forecasts(model, X)
    assert_same_forecasts(model, np.full((20, 1), 300.0))


@pytest.mark.parametrize("window_scaling", ["last", "mean", "standard"])
def test_only_the_target_of_several_columns_is_normalized(window_scaling, two_columns):
    X, y = two_columns
    model = pipeline(window_scaling=window_scaling, target="n").fit(X, y)
    assert_same_forecasts(model, X)


def test_each_output_has_the_units_of_its_column(series):
    X, y = make_supervised(np.cumsum(series, axis=0) + np.array([1e3, 1e6]), horizon=2)
    model = pipeline(window_scaling="standard", target=[1, 0]).fit(X, y)
    assert run(model, X)["forecast"].shape == (len(X) - LOOK_BACK + 1, 4)
    assert_same_forecasts(model, X)


@pytest.mark.parametrize("reshape_mode", ["timesteps", "features"])
@pytest.mark.parametrize("units", [3, (4, 2)])
def test_several_columns_steps_and_layers(reshape_mode, units, two_columns):
    X, y = make_supervised(two_columns[0], target="n", horizon=3)
    inner = pipeline(MinMaxScaler(), reshape_mode=reshape_mode, units=units, dropout=0.2)
    model = scaled(inner).fit(X, y)
    assert_same_forecasts(model, X)


def with_network(estimator, seed=0, **changes):
    """Return a fitted estimator with another network of random weights."""
    rng = np.random.default_rng(seed)
    estimator.network_ = replace(estimator.network_, **changes)
    flat = rng.normal(scale=0.5, size=estimator.network_.size).astype(np.float32)
    estimator.weights_ = estimator.network_.views(flat)
    return estimator


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("all_steps", [False, True])
@pytest.mark.parametrize("hidden_activation", RECURRENT_ACTIVATIONS)
@pytest.mark.parametrize("units", [(3,), (4, 2)])
def test_networks_of_every_kind(cell, bidirectional, all_steps, hidden_activation, units):
    X = np.random.default_rng(1).normal(size=(30, 10))
    model = with_network(
        forecaster(features_per_step=2).fit(X, X[:, 0]),
        cell=cell,
        bidirectional=bidirectional,
        all_steps=all_steps,
        hidden_activation=hidden_activation,
        units=units,
    )
    assert_same_forecasts(model, X, 0)


@pytest.mark.parametrize("hidden_activation", RECURRENT_ACTIVATIONS)
def test_large_values_pass_any_activation(hidden_activation):
    X = 100 * np.random.default_rng(1).normal(size=(30, 5))
    model = forecaster().fit(X / 100, X[:, 0] / 100)
    assert_same_forecasts(with_network(model, hidden_activation=hidden_activation), X, 0)


@pytest.mark.parametrize("output_activation", ["linear", "relu", "sigmoid", "softmax", "tanh"])
@pytest.mark.parametrize("dense_activation", ["linear", "relu", "sigmoid", "tanh"])
def test_activations_of_dense_layers(output_activation, dense_activation):
    X = np.random.default_rng(1).normal(size=(30, 5))
    model = with_network(
        forecaster().fit(X, X[:, :3]),
        dense_units=(4, 3),
        dense_activation=dense_activation,
        output_activation=output_activation,
    )
    assert_same_forecasts(model, X, 0)


@settings(max_examples=30)
@given(
    st.integers(1, 9),
    st.integers(1, 3),
    st.lists(st.integers(1, 5), min_size=1, max_size=3),
    st.integers(1, 3),
    st.integers(0, 2**32 - 1),
)
def test_networks_of_any_size(n_steps, n_features, units, n_outputs, seed):
    X = np.random.default_rng(seed).normal(size=(12, n_steps * n_features))
    y = np.resize(X, (12, n_outputs))
    model = forecaster(features_per_step=n_features).fit(X, y)
    assert_same_forecasts(with_network(model, seed, units=tuple(units)), X, 0)


def test_windows_of_three_dimensions(series):
    X = np.random.default_rng(1).normal(size=(30, 4, 2))
    model = forecaster().fit(X, X[:, 0, 0])
    assert_same_forecasts(model, X, 0)


def test_columns_stand_as_in_the_frame_that_the_model_was_fitted_on():
    names = [f"{name}_lag{lag}" for name in ("a", "b") for lag in (2, 1, 0)]
    X = pd.DataFrame(np.random.default_rng(1).normal(size=(30, 6)), columns=names)
    model = forecaster().fit(X, X["a_lag0"])
    found = run(model, X)["forecast"]
    assert_close(found, model.predict(X))
    by_step = X[[f"{name}_lag{lag}" for lag in (2, 1, 0) for name in ("a", "b")]]
    assert_close(found, forecaster().fit(by_step, X["a_lag0"]).predict(by_step))


@pytest.mark.parametrize(
    "transformer",
    [None, make_pipeline(FunctionTransformer(np.log, np.exp), StandardScaler())],
    ids=str,
)
@pytest.mark.parametrize("horizon", [1, 2])
def test_quantiles_do_not_cross(transformer, horizon, airline):
    X, y = make_supervised(airline[0], horizon=horizon)
    model = pipeline(MinMaxScaler(), loss="pinball", quantile=[0.1, 0.5, 0.8, 0.95])
    model = TransformedTargetRegressor(model, transformer=transformer).fit(X, y)
    with_network(model.regressor_[-1])
    outputs = run(model, X)
    assert_close(outputs["forecast"], model.predict(X)[LOOK_BACK - 1 :])
    assert outputs["quantiles"].shape == (len(X) - LOOK_BACK + 1, horizon, 4)
    for place, one in enumerate(by_quantile(model).values()):
        assert_close(outputs["quantiles"][..., place], one.predict(X)[LOOK_BACK - 1 :])
    assert (np.diff(outputs["quantiles"], axis=2) >= 0).all()


def test_a_single_quantile_is_the_forecast(airline):
    model = pipeline(loss="pinball", quantile=0.9).fit(*airline)
    assert list(run(model, airline[0])) == ["forecast"]
    assert_same_forecasts(model, airline[0])


LABELS = [
    np.array([3, 7]),
    np.array([-1, 4, 9]),
    np.array([False, True]),
    np.array([1.0, 2.0, 5.0]),
    np.array(["falls", "rises"]),
    np.array(["a", "bb", "ccc"], dtype=object),
]


@pytest.mark.parametrize("labels", LABELS, ids=repr)
@pytest.mark.parametrize("window_scaling", [None, "standard"])
def test_a_classifier_gives_labels_and_probabilities(labels, window_scaling, airline):
    X, _ = airline
    y = np.resize(labels, len(X))
    classifier = LSTMClassifier(units=3, epochs=1, window_scaling=window_scaling, random_state=0)
    model = make_pipeline(MinMaxScaler(), LookbackWindower(LOOK_BACK), classifier).fit(X, y)
    with_network(model[-1])
    model[-1].weights_[-1][:] -= model[-1].decision_function(model[:-1].transform(X)).mean(axis=0)
    outputs = run(model, X)
    assert list(outputs) == ["label", "probabilities"]
    assert_array_equal(outputs["label"], model.predict(X)[LOOK_BACK - 1 :])
    assert len(set(outputs["label"])) > 1
    assert_close(outputs["probabilities"], model.predict_proba(X)[LOOK_BACK - 1 :])


def test_no_label_for_a_window_without_a_known_value():
    X = np.random.default_rng(0).normal(size=(20, 3))
    model = LSTMClassifier(units=2, epochs=1, random_state=0).fit(X, X[:, 0] > 0)
    X[4], X[5, 1] = np.nan, np.nan
    session = session_of(model)
    with pytest.raises(Exception, match="label_of_a_window_with_no_known_value"):
        session.run(None, {"rows": X})
    with pytest.raises(ValueError, match="no known value"):
        model.predict(X)
    known = np.delete(X, 4, axis=0)
    label, probabilities = session.run(None, {"rows": known})
    assert_array_equal(label, model.predict(known))
    assert_close(probabilities, model.predict_proba(known))


@pytest.mark.parametrize("window_scaling", [None, "last", "mean", "standard"])
def test_missing_values_are_filled_in_each_window(window_scaling, passengers):
    X, y = passengers
    model = pipeline(window_scaling=window_scaling).fit(X, y)
    rows = X.to_numpy(copy=True)
    rows[[20, 21, 25]] = np.nan
    rows[40 : 40 + LOOK_BACK + 2] = np.nan
    found = assert_same_forecasts(model, rows)
    assert np.isnan(found).sum() == 3


@settings(max_examples=60)
@given(st.data())
def test_any_missing_values_are_filled_as_by_predict(data):
    n_lags, n_series = data.draw(st.integers(1, 20)), data.draw(st.integers(1, 2))
    X = np.random.default_rng(0).normal(size=(8, n_lags * n_series))
    scaling = data.draw(st.sampled_from([None, "last", "standard"]))
    target = None if scaling is None else 0
    model = forecaster(features_per_step=n_series, window_scaling=scaling, target=target)
    model = with_network(model.fit(X, X[:, 0]))
    missing = data.draw(st.lists(st.booleans(), min_size=X.size, max_size=X.size))
    rows = np.where(np.reshape(missing, X.shape), np.nan, X)
    assert_same_forecasts(model, rows, 0)


def test_a_window_with_a_value_that_predict_refuses_gives_nan(passengers):
    X, y = passengers
    model = pipeline(MinMaxScaler(clip=True)).fit(X, y)
    rows = X.to_numpy(copy=True)
    rows[30], rows[60] = np.inf, -np.inf
    with pytest.raises(ValueError, match="infinity"):
        model.predict(rows)
    found = run(model, rows)["forecast"][:, 0]
    unknown = [*range(30 - LOOK_BACK + 1, 31), *range(60 - LOOK_BACK + 1, 61)]
    assert_array_equal(np.flatnonzero(np.isnan(found)), unknown)
    plain = pipeline().fit(X, y)
    rows[60] = 1e39  # more than the network's float32
    found = run(plain, rows)["forecast"][:, 0]
    assert_array_equal(np.flatnonzero(np.isnan(found)), unknown)


def test_large_values_keep_their_digits(passengers):
    X, y = passengers
    level = 1e12
    model = scaled(pipeline(MinMaxScaler()))
    model.fit(X + level, y + level)
    found = run(model, X + level)["forecast"] - level
    assert_close(found, model.predict(X + level)[LOOK_BACK - 1 :] - level)


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_functions_are_those_of_numpy(function):
    graph = Graph()
    graph.add("Identity", FUNCTIONS[function](graph, "x"), name="y")
    ports = ([Port(name, np.float64, ("n",))] for name in "xy")
    session = onnxruntime.InferenceSession(graph.to_bytes(*ports, {}), QUIET)
    sizes = np.concatenate([np.geomspace(1e-18, 700, 500), [1e10, 1e100, 1e160, np.inf]])
    x = np.concatenate([-sizes, [0.0, np.nan, -1.0, 1.0, 0.5, -0.5], sizes])
    with np.errstate(all="ignore"):
        expected = function(x)
    (found,) = session.run(None, {"x": x})
    # ONNX Runtime 1.19 takes exp of anything below -709 to be 6e-309.
    assert_allclose(found, expected, rtol=1e-12, atol=np.finfo(np.float64).tiny)


def test_the_windower_needs_a_whole_window(passengers):
    X, y = passengers
    session = session_of(pipeline().fit(X, y))
    for n_rows in (LOOK_BACK - 1, 1, 0):
        with pytest.raises(Exception, match="needs_6_rows"):
            session.run(None, {"rows": X.to_numpy()[:n_rows]})
    session = session_of(forecaster().fit(X, y))
    with pytest.raises(Exception, match="needs_1_rows"):
        session.run(None, {"rows": X.to_numpy()[:0]})


def test_what_precedes_the_rows_does_not_count(passengers):
    X, y = passengers
    for padding, context in (("edge", "auto"), ("nan", "fit"), ("nan", "none")):
        windower = LookbackWindower(LOOK_BACK, padding=padding, context=context, freq="MS")
        model = make_pipeline(windower, forecaster()).fit(X[:100], y[:100])
        assert_same_forecasts(model, X)


@pytest.mark.parametrize(("one", "other"), [(3, 4), (3, 3), (1, 1)])
def test_windows_of_windows(one, other, passengers):
    X, y = passengers
    model = make_pipeline(LookbackWindower(one), LookbackWindower(other), forecaster()).fit(X, y)
    assert_same_forecasts(model, X, one + other - 2)


def test_the_parameters_that_count_are_those_of_the_fit(passengers):
    X, y = passengers
    model = pipeline(loss="pinball", quantile=[0.2, 0.5]).fit(X, y)
    expected = model.predict(X)[LOOK_BACK - 1 :]
    model.set_params(lookbackwindower__look_back=2, lstmforecaster__units=9)
    model.set_params(lstmforecaster__window_scaling="last", lstmforecaster__loss="mse")
    assert_close(run(model, X)["forecast"], expected)


def test_another_runtime_computes_the_same(passengers):
    X, y = passengers
    model = scaled(pipeline(FunctionTransformer(np.log1p), window_scaling="standard")).fit(X, y)
    file = ReferenceEvaluator(onnx.load_from_string(to_bytes(model)))
    (found,) = file.run(None, {"rows": X.to_numpy()})
    assert_close(found, model.predict(X)[LOOK_BACK - 1 :])


def test_the_file_tells_what_it_takes_and_gives(two_columns, tmp_path):
    X, y = make_supervised(two_columns[0], target="n", horizon=3)
    path = tmp_path / "model.onnx"
    to_onnx(pipeline(MinMaxScaler()).fit(X, y), path)
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert [(each.domain, each.version) for each in model.opset_import] == [("", 17)]
    facts = {each.key: each.value for each in model.metadata_props}
    assert facts == {"look_back": "6", "columns": '["n", "month"]'}
    session = onnxruntime.InferenceSession(path)
    (rows,), (forecast,) = session.get_inputs(), session.get_outputs()
    assert (rows.name, rows.type, rows.shape) == ("rows", "tensor(double)", ["n_rows", 2])
    assert (forecast.name, forecast.type) == ("forecast", "tensor(double)")
    assert forecast.shape == ["n_forecasts", 3]


def test_the_content_is_the_same_each_time(passengers):
    X, y = passengers
    model = scaled(pipeline(MinMaxScaler())).fit(X, y)
    assert to_bytes(model) == to_bytes(model) == to_bytes(clone(model).fit(X, y))


class Renamed(LSTMForecaster):
    """A subclass, whose predictions may be others."""


class Reordered(MinMaxScaler):
    """A subclass, which may scale in another way."""


def other_ufunc(x):
    return np.log(x)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            pipeline(stateful=True, batch_size=1),
            r"stateful of model\['lstmforecaster'\] must be False for ONNX, got True",
        ),
        (
            make_pipeline(PCA(1), pipeline()),
            r"model\['pca'\] must be a LookbackWindower, MinMaxScaler.*, for ONNX, got PCA$",
        ),
        (pipeline(Reordered()), r"model\['reordered'\] must be .*, got Reordered$"),
        (
            make_pipeline(LookbackWindower(2), Renamed(units=2, epochs=1)),
            r"model\['renamed'\] must be an LSTMForecaster.*, got Renamed$",
        ),
        (make_pipeline(LookbackWindower(2, padding="edge"), LinearRegression()), "got LinearReg"),
        (scaled(LinearRegression()), r"model.regressor_ must be an LSTMForecaster"),
        (
            make_pipeline(LookbackWindower(2), KnownRowsRegressor(forecaster())),
            "must be an LSTMForecaster.*, got KnownRowsRegressor$",
        ),
        (VotingRegressor([("one", pipeline())]), "got VotingRegressor$"),
        (
            scaled(pipeline(), PCA()),
            r"model.transformer_ must be a MinMaxScaler, .*, got PCA$",
        ),
        (
            scaled(pipeline(), make_pipeline(Reordered())),
            r"model.transformer_\['reordered'\] must be .*, got Reordered$",
        ),
        (
            pipeline(FunctionTransformer(other_ufunc)),
            r"func of model\['functiontransformer'\] must be None or one of np.absolute, "
            r".*np.log1p.* for ONNX, got <function other_ufunc",
        ),
        (pipeline(FunctionTransformer(np.sin)), "got np.sin$"),
        (
            pipeline(FunctionTransformer(np.log, kw_args={"where": True})),
            r"func of .* must have no further arguments .*, got \{'where': True\}",
        ),
        (
            scaled(
                pipeline(),
                FunctionTransformer(np.log, np.exp, inv_kw_args={"where": True}),
            ),
            r"inverse_func of model.transformer_ must have no further arguments",
        ),
        (
            scaled(pipeline(), FunctionTransformer(inverse_func=np.cos, check_inverse=False)),
            r"inverse_func of model.transformer_ must be .*, got np.cos$",
        ),
        (
            scaled(
                pipeline(loss="pinball", quantile=[0.1, 0.5, 0.9]),
                FunctionTransformer(np.negative, np.negative),
            ),
            r"inverse_func of model.transformer_ must be one that only rises.*exp.*; got np.neg",
        ),
        (
            make_pipeline(LookbackWindower(2, fill_missing="forward"), forecaster()),
            r"fill_missing of model\['lookbackwindower'\] must be None for ONNX, .*'forward'",
        ),
    ],
)
def test_what_does_not_go_over_is_refused(model, message, passengers, tmp_path):
    model = clone(model).fit(*passengers)
    with pytest.raises(ModelFileError, match=message):
        to_onnx(model, tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())


def test_several_series_are_refused(airline, tmp_path):
    series = airline[0].iloc[:, 0].rename("n")
    both = pd.concat({"north": series, "south": 2 * series}, names=["shop"])
    X, y = make_supervised(both, group="shop")
    model = make_pipeline(LookbackWindower(3, group="shop"), forecaster()).fit(X, y)
    with pytest.raises(
        ModelFileError, match=r"group of model\['lookbackw.*one series, got 'shop'"
    ):
        to_onnx(model, tmp_path / "model.onnx")


def test_a_search_is_refused_with_what_to_pass(passengers, tmp_path):
    grid = {"lstmforecaster__units": [2]}
    search = GridSearchCV(pipeline(), grid, cv=TimeSeriesSplit(2)).fit(*passengers)
    with pytest.raises(ModelFileError, match=r"got GridSearchCV; pass model\.best_estimator_"):
        to_onnx(search, tmp_path / "model.onnx")
    to_onnx(search.best_estimator_, tmp_path / "model.onnx")


@pytest.mark.parametrize(
    "part", [None, "model", LookbackWindower(2), make_pipeline("passthrough")]
)
def test_what_is_no_model_is_refused(part, tmp_path):
    with pytest.raises(ModelFileError, match="must be an LSTMForecaster"):
        to_onnx(part, tmp_path / "model.onnx")


@pytest.mark.parametrize(
    "model",
    [
        forecaster(),
        LSTMClassifier(),
        pipeline(),
        pipeline(MinMaxScaler()),
        pipeline(FunctionTransformer(np.log)),
        scaled(pipeline()),
    ],
)
def test_a_model_that_is_not_fitted_is_refused(model, tmp_path):
    with pytest.raises(NotFittedError):
        to_onnx(model, tmp_path / "model.onnx")


def test_a_step_that_is_not_fitted_is_refused(passengers, tmp_path):
    X, y = passengers
    fitted = pipeline(MinMaxScaler()).fit(X, y)
    for place, step in enumerate([MinMaxScaler(), LookbackWindower(LOOK_BACK), forecaster()]):
        steps = list(fitted.named_steps.values())
        steps[place] = step
        with pytest.raises(NotFittedError):
            to_onnx(make_pipeline(*steps), tmp_path / "model.onnx")


def test_steps_that_do_not_fit_each_other_are_refused(passengers, two_columns, tmp_path):
    of_one = pipeline(MinMaxScaler()).fit(*passengers)
    of_two = pipeline(MinMaxScaler()).fit(*two_columns)
    for steps in (
        (of_one[0], of_two[1], of_two[2]),
        (of_one[0], of_one[1], of_two[2]),
    ):
        with pytest.raises(ModelFileError, match="must take what comes before it, of shape"):
            to_onnx(make_pipeline(*steps), tmp_path / "model.onnx")
    model = scaled(pipeline()).fit(*passengers)
    model.transformer_ = MinMaxScaler().fit([[0.0, 1.0], [1.0, 2.0]])
    with pytest.raises(ModelFileError, match=r"min_ of model\.transformer_ must be numbers for 1"):
        to_onnx(model, tmp_path / "model.onnx")


@pytest.mark.parametrize("activation", sorted({*HIDDEN_ACTIVATIONS} - {*RECURRENT_ACTIVATIONS}))
def test_an_activation_that_runtimes_do_not_compute_as_here_is_refused(
    activation, passengers, tmp_path
):
    model = pipeline().fit(*passengers)
    with_network(model[-1], hidden_activation=activation)
    message = (
        rf"hidden_activation of model\['lstmforecaster'\] must be .*, got '{activation}', which"
    )
    with pytest.raises(ModelFileError, match=message):
        to_onnx(model, tmp_path / "model.onnx")


def test_a_network_that_diverged_is_refused(passengers, tmp_path):
    model = pipeline().fit(*passengers)
    model[-1].weights_[0][0, 0] = np.nan
    with pytest.raises(ModelFileError, match=r"weights_ of .* must be finite numbers, got NaN"):
        to_onnx(model, tmp_path / "model.onnx")


@pytest.mark.parametrize(
    "labels", [np.array([1, 2**63 + 1], dtype=np.uint64), np.array([1, 2], dtype=object)]
)
def test_labels_that_onnx_does_not_have_are_refused(labels, tmp_path):
    X = np.random.default_rng(0).normal(size=(20, 3))
    model = LSTMClassifier(units=2, epochs=1).fit(X, X[:, 0] > 0)
    model.classes_ = labels
    with pytest.raises(ModelFileError, match="classes_ of model must be numbers of at most 64"):
        to_onnx(model, tmp_path / "model.onnx")


def test_a_target_transformed_around_a_classifier_is_refused(tmp_path):
    X = np.random.default_rng(0).normal(size=(20, 3))
    classifier = LSTMClassifier(units=2, epochs=1)
    model = TransformedTargetRegressor(classifier, check_inverse=False).fit(X, 1.0 * (X[:, 0] > 0))
    with pytest.raises(ModelFileError, match=r"model\.regressor_ must be an LSTMForecaster"):
        to_onnx(model, tmp_path / "model.onnx")


def test_an_existing_file_stays_if_the_model_is_refused(passengers, tmp_path):
    path = tmp_path / "model.onnx"
    path.write_text("before")
    with pytest.raises(ModelFileError):
        to_onnx(pipeline(stateful=True, batch_size=1).fit(*passengers), path)
    assert path.read_text() == "before"
    with pytest.raises(FileNotFoundError):
        to_onnx(pipeline().fit(*passengers), tmp_path / "none" / "model.onnx")


def test_without_onnx_the_error_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(
        ImportError, match=re.escape('to_onnx needs onnx: pip install "skl-lstm[onnx]"')
    ):
        to_onnx(LSTMForecaster(), tmp_path / "model.onnx")
