"""skl2onnx converts models that hold estimators of this package."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import VotingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, RobustScaler

from skl_lstm import (
    LookbackWindower,
    LSTMClassifier,
    LSTMForecaster,
    ModelFileError,
    register_onnx_converters,
)
from skl_lstm.compositions.onnx_file import to_bytes

onnxruntime = pytest.importorskip("onnxruntime")
skl2onnx = pytest.importorskip("skl2onnx")
types = pytest.importorskip("skl2onnx.common.data_types")

# Scalers are left out where they are not the question.
pytestmark = pytest.mark.filterwarnings("ignore::skl_lstm.SeriesWarning")

LOOK_BACK = 6
QUIET = onnxruntime.SessionOptions()
QUIET.log_severity_level = 4  # errors are asserted here


@pytest.fixture(autouse=True, scope="module")
def registered():
    register_onnx_converters()


@pytest.fixture
def passengers(airline):
    return airline[0].to_numpy(copy=True), airline[1].to_numpy()


def forecaster(**parameters):
    return LSTMForecaster(**{"units": (3, 2), "epochs": 1, "random_state": 0, **parameters})


def pipeline(*before, **parameters):
    return make_pipeline(*before, LookbackWindower(LOOK_BACK), forecaster(**parameters))


def session_of(model, X, precision=np.float64, **options):
    kind = types.DoubleTensorType if precision == np.float64 else types.FloatTensorType
    inputs = [("X", kind([None, *X.shape[1:]]))]
    converted = skl2onnx.convert_sklearn(model, initial_types=inputs, **options)
    return onnxruntime.InferenceSession(converted.SerializeToString(), QUIET)


def run(model, X, precision=np.float64, **options):
    return session_of(model, X, precision, **options).run(None, {"X": X.astype(precision)})


def assert_close(found, expected):
    size = np.nanmax(np.abs(expected))
    assert_allclose(found, np.reshape(expected, found.shape), rtol=1e-5, atol=1e-6 * size)


@pytest.mark.parametrize("precision", [np.float64, np.float32])
@pytest.mark.parametrize("target_opset", [17, None])
@pytest.mark.parametrize("window_scaling", [None, "standard"])
def test_a_pipeline_with_a_scaler_of_skl2onnx(window_scaling, target_opset, precision, passengers):
    X, y = passengers
    model = pipeline(RobustScaler(), window_scaling=window_scaling).fit(X, y)
    (found,) = run(model, X, precision, target_opset=target_opset)
    assert found.dtype == precision
    assert_close(found, model.predict(X))


@pytest.mark.parametrize("window_scaling", [None, "last"])
@pytest.mark.parametrize("hidden_activation", ["tanh", "leaky_relu"])
def test_the_numbers_are_those_of_a_file_of_to_onnx(window_scaling, hidden_activation, passengers):
    X, y = passengers
    model = pipeline(MinMaxScaler(), window_scaling=window_scaling).fit(X, y)
    model[-1].network_ = replace(model[-1].network_, hidden_activation=hidden_activation)
    X[[20, 21, 40]] = np.nan
    (expected,) = onnxruntime.InferenceSession(to_bytes(model)).run(None, {"rows": X})
    (found,) = run(model, X)
    assert_allclose(found[LOOK_BACK - 1 :], expected, rtol=1e-12)


def test_several_columns_through_other_transformers(passengers):
    X, y = passengers
    X = np.column_stack([X, X**2])
    X[[5, 30], [0, 1]] = np.nan
    columns = ColumnTransformer(
        [("scaled", RobustScaler(), [0]), ("as it is", "passthrough", [1])]
    )
    model = pipeline(columns).fit(X, y)
    (found,) = run(model, X)
    assert_close(found, model.predict(X))


LABELS = [[3, 7], [-1, 4, 9], [True, False], ["a", "b", "c"], [1.0, 2.0]]


@pytest.mark.parametrize("labels", LABELS, ids=repr)
def test_a_classifier(labels, passengers):
    X, _ = passengers
    classifier = LSTMClassifier(units=3, epochs=1, random_state=0)
    model = make_pipeline(RobustScaler(), LookbackWindower(LOOK_BACK), classifier)
    model.fit(X, np.resize(labels, len(X)))
    label, probabilities = run(model, X, options={"zipmap": False})
    assert_array_equal(label, model.predict(X))
    assert_close(probabilities, model.predict_proba(X))


@pytest.mark.parametrize("labels", LABELS[:4], ids=repr)
def test_the_probabilities_of_a_classifier_by_label(labels, passengers):
    X, _ = passengers
    X = np.hstack([X, X**2])
    classifier = LSTMClassifier(units=3, epochs=1, random_state=0)
    classifier.fit(X, np.resize(labels, len(X)))
    label, probabilities = run(classifier, X, np.float32)
    assert_array_equal(label, classifier.predict(X))
    assert list(probabilities[0]) == sorted(labels)
    assert_close(
        np.array([list(each.values()) for each in probabilities]), classifier.predict_proba(X)
    )


def test_two_networks_in_one_model(passengers):
    X, y = passengers
    models = [("one", forecaster()), ("other", forecaster(units=4, random_state=1))]
    model = VotingRegressor(models).fit(X, y)
    (found,) = run(model, X)
    assert_close(found, model.predict(X))


def test_the_median_of_quantiles_and_windows_of_three_dimensions():
    X = np.random.default_rng(0).normal(size=(30, 4, 2))
    model = forecaster(loss="pinball", quantile=[0.1, 0.5, 0.9]).fit(X, X[:, 0])
    (found,) = run(model, X)
    assert_close(found, model.predict(X))


@pytest.mark.parametrize("n_rows", [1, 4, LOOK_BACK, 40])
@pytest.mark.parametrize("padding", ["nan", "edge"])
def test_parts_that_look_back_differently_meet_row_by_row(padding, n_rows, passengers):
    X, y = passengers
    windowers = [
        LookbackWindower(look_back, padding=padding, context="none")
        for look_back in (1, 3, LOOK_BACK)
    ]
    parts = [(str(each), make_pipeline(each, forecaster())) for each in windowers]
    model = VotingRegressor(parts).fit(X, y)
    (found,) = run(model, X[:n_rows])
    assert_close(found, model.predict(X[:n_rows]))


def test_what_a_file_refuses_is_refused(passengers):
    X, y = passengers
    stateful = forecaster(stateful=True, batch_size=1).fit(X, y)
    with pytest.raises(ModelFileError, match="stateful of LSTMForecaster must be False for ONNX"):
        run(stateful, X)
    filling = LookbackWindower(LOOK_BACK, fill_missing="forward").fit(X)
    with pytest.raises(ModelFileError, match="fill_missing of LookbackWindower must be None"):
        run(filling, X)
    with pytest.raises(NotFittedError):
        run(forecaster(), X)


def test_several_inputs_are_refused(passengers):
    X, y = passengers
    model = forecaster().fit(np.hstack([X, X]), y)
    one = types.DoubleTensorType([None, 1])
    with pytest.raises(RuntimeError, match="at most 1 input"):
        skl2onnx.convert_sklearn(model, initial_types=[("a", one), ("b", one)])


def test_operators_before_those_that_are_written_are_refused(passengers):
    X, y = passengers
    with pytest.raises(RuntimeError, match="opset"):
        run(forecaster().fit(X, y), X, target_opset=15)


def test_without_skl2onnx_the_error_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "skl2onnx", None)
    with pytest.raises(ImportError, match=r"needs skl2onnx: pip install skl2onnx$"):
        register_onnx_converters()
