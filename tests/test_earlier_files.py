"""What earlier versions of the package wrote loads, whatever module a class stood in then."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

import skl_lstm
from skl_lstm import load_model

FILES = Path(__file__).parent / "files" / "model_files"

# Written when all modules lay in one folder, as skl_lstm._forecaster and the like.
FLAT = FILES / "flat_layout"
EXPECTED = json.loads(FLAT.with_suffix(".json").read_text())

T = np.arange(24.0)
SERIES = np.column_stack([np.sin(T), np.cos(T / 2)])
ROWS = np.column_stack([np.sin(T), np.cos(T / 2), np.sin(T + 1), np.cos(T), np.sin(T / 3), T / 24])


@pytest.fixture(scope="module")
def pickled():
    return pickle.loads(FLAT.with_suffix(".pickle").read_bytes())


TARGETS = {"forecaster": SERIES, "classifier": np.array(["falls", "rests", "rises"] * 8)}


def assert_same(predicted, name):
    if predicted.dtype.kind == "f":
        assert_allclose(predicted, EXPECTED[name], atol=1e-6)
    else:
        assert predicted.tolist() == EXPECTED[name]


@pytest.mark.filterwarnings("ignore:X does not have valid feature names:UserWarning")
@pytest.mark.parametrize("name", ["forecaster", "classifier"])
def test_a_pickled_estimator_predicts_and_trains_on(name, pickled):
    model = pickled[name]
    assert_same(model.predict(ROWS), name)
    assert clone(model).get_params() == model.get_params()
    n_iter = model.n_iter_
    assert model.partial_fit(ROWS, TARGETS[name]).n_iter_ == n_iter + 1


def test_a_pickled_windower_transforms(pickled):
    windows = pickled["windower"].transform(SERIES[:1])
    assert_array_equal(windows, [[*SERIES[-2], *SERIES[-1], *SERIES[0]]])


def test_a_pickled_stream_goes_on_where_it_stood(pickled):
    assert_same(np.array([pickled["stream"].predict_next(row) for row in ROWS[5:8]]), "stream")


def test_a_skops_file_loads():
    pytest.importorskip("skops")
    model = load_model(FLAT.with_suffix(".skops"))
    assert_same(model.predict(SERIES), "pipeline")


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("_forecasting", "forecast"),
        ("_intervals", "forecast_interval"),
        ("_backtesting", "backtest"),
        ("_skops", "load_model"),
        ("_windowing", "make_supervised"),
        ("_files", "ModelFileError"),
        ("_plotting", "ForecastDisplay"),
    ],
)
def test_what_a_pickle_names_by_its_former_module_is_found(module, name):
    content = f"cskl_lstm.{module}\n{name}\n.".encode()
    assert pickle.loads(content) is getattr(skl_lstm, name)
