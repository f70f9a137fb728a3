"""A stateful network reads each row once, and forecasts what it forecasts from all rows again."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models import SPLITS, lstm, piped
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, OneHotEncoder

from skl_lstm import (
    LookbackWindower,
    backtest,
    forecast,
    forecast_interval,
    load_airline_passengers,
    make_supervised,
)
from skl_lstm.forecasting.walk import walk_forward
from skl_lstm.network.forward import Stream

pytestmark = pytest.mark.filterwarnings("ignore::skl_lstm.SeriesWarning")

STATEFUL = {"stateful": True, "batch_size": 1, "epochs": 2}
SERIES = load_airline_passengers().astype(float)[:100]


def scaled(*steps):
    """A network behind some steps, whose outputs count: they are of about 1."""
    model = make_pipeline(*steps, lstm(**STATEFUL))
    return TransformedTargetRegressor(model, transformer=MinMaxScaler())


def windowed(look_back=3, **parameters):
    return scaled(MinMaxScaler(), LookbackWindower(look_back, **parameters))


def differences(X):
    X = np.asarray(X)
    return np.diff(X, axis=0, prepend=X[:1])


def from_all_rows(model, history, times, horizon=1):
    """Predict the whole history, append what follows its last row, and begin again."""
    rows, targets = history, history.columns
    for done in range(0, len(times), horizon):
        X = rows if hasattr(model, "feature_names_in_") else rows.to_numpy()
        block = np.reshape(model.predict(X)[-1], (horizon, len(targets)))
        block = pd.DataFrame(block, times[done : done + horizon], targets)
        rows = pd.concat([rows, block])
    return rows.iloc[len(history) :].squeeze(axis=1).to_numpy()


@pytest.fixture
def n_read(monkeypatch):
    """Count the windows that networks read from now on, in its only item."""
    counted, read = [0], Stream.next

    def count(self, windows):
        counted[0] += len(windows)
        return read(self, windows)

    monkeypatch.setattr(Stream, "next", count)
    return counted


MODELS = {
    "pipeline": piped(3, **STATEFUL),
    "target": windowed(),
    "no windows": scaled(MinMaxScaler()),
    "two layers": scaled(MinMaxScaler(), LookbackWindower(3)).set_params(
        regressor__lstmforecaster__units=(4, 3)
    ),
    "edge": windowed(5, padding="edge"),
    "windows of windows": scaled(MinMaxScaler(), LookbackWindower(3), LookbackWindower(4)),
    "windows first": scaled(LookbackWindower(3), MinMaxScaler()),
    "forward": windowed(fill_missing="forward"),
    "search": GridSearchCV(
        windowed(), {"regressor__lookbackwindower__look_back": [3, 5]}, cv=SPLITS
    ),
    "function": scaled(MinMaxScaler(), FunctionTransformer(differences), LookbackWindower(3)),
}


@pytest.mark.parametrize("horizon", [1, 3])
@pytest.mark.parametrize("name", MODELS)
def test_the_state_is_that_of_all_rows_read_again(name, horizon):
    model = clone(MODELS[name]).fit(*make_supervised(SERIES, horizon=horizon))
    ahead = forecast(model, SERIES, 12)
    assert_array_equal(ahead, from_all_rows(model, SERIES.to_frame(), ahead.index, horizon))


@pytest.mark.parametrize("context", ["auto", "fit", "none"])
@pytest.mark.parametrize("rows", [(0, 99), (0, 30), (30, 100), (92, 100), (92, 99), (40, 50)])
@pytest.mark.parametrize("order", ["scaler first", "windower first"])
def test_it_does_not_matter_where_a_history_begins_and_ends(order, rows, context):
    steps = [MinMaxScaler(), LookbackWindower(5, context=context)]
    model = scaled(*(steps if order == "scaler first" else steps[::-1]))
    # One step of the network for each row, so that it remembers the first ones.
    model.set_params(regressor__lstmforecaster__reshape_mode="features")
    for whole in (SERIES, SERIES.to_numpy()):
        model = clone(model).fit(*make_supervised(whole))
        history = whole[slice(*rows)]
        ahead = forecast(model, history, 20)
        times = getattr(ahead, "index", range(len(history), len(history) + 20))
        index = getattr(history, "index", range(len(history)))
        frame = pd.DataFrame(np.asarray(history), index, ["passengers"])
        assert_array_equal(ahead, from_all_rows(model, frame, times))


@pytest.mark.parametrize("fill_missing", [None, "forward"])
@pytest.mark.parametrize("missing", [[20], [95, 97], [94, 95, 96, 97, 98]])
def test_gaps_count_as_in_all_rows(missing, fill_missing):
    model = windowed(fill_missing=fill_missing).fit(*make_supervised(SERIES))
    history = SERIES.copy()
    history.iloc[missing] = np.nan
    ahead = forecast(model, history, 8)
    assert_array_equal(ahead, from_all_rows(model, history.to_frame(), ahead.index))


@pytest.mark.parametrize("order", ["scaler first", "windower first"])
@pytest.mark.parametrize("missing", [20, 98])
def test_missing_rows_count_as_in_all_rows(missing, order):
    steps = [MinMaxScaler(), LookbackWindower(3)]
    model = scaled(*(steps if order == "scaler first" else steps[::-1]))
    model.fit(*make_supervised(SERIES))
    history = SERIES.drop(SERIES.index[missing])
    ahead = forecast(model, history, 8, freq="MS")
    assert_array_equal(ahead, from_all_rows(model, history.to_frame(), ahead.index))


@given(
    look_back=st.integers(1, 5),
    horizon=st.integers(1, 4),
    steps=st.integers(1, 9),
    begin=st.integers(0, 20),
    gap=st.none() | st.integers(-20, -2),
)
@settings(max_examples=15, deadline=None)
def test_it_holds_for_any_windows_blocks_and_histories(look_back, horizon, steps, begin, gap):
    series = SERIES[:50]
    model = windowed(look_back).fit(*make_supervised(series, horizon=horizon))
    history = series.iloc[begin:].copy()
    if gap is not None:
        history.iloc[gap] = np.nan
    n_blocks = -(-steps // horizon)
    times = pd.date_range(history.index[-1], periods=n_blocks * horizon + 1, freq="MS")[1:]
    expected = from_all_rows(model, history.to_frame(), times, horizon)[:steps]
    assert_array_equal(forecast(model, history, steps), expected)


@pytest.mark.parametrize("horizon", [1, 3])
def test_columns_known_ahead_are_read_at_their_own_time(horizon):
    rng = np.random.default_rng(0)
    days = pd.date_range("2024-01-01", periods=120, name="day")
    shop = pd.DataFrame({"price": rng.normal(5, 1, 120), "day": days.day_name()}, days)
    shop["sold"] = 30 - 2 * shop["price"] + np.sin(np.arange(120))
    names = {"target": "sold", "known": ["price", "day"]}
    columns = ColumnTransformer(
        [
            ("day", OneHotEncoder(sparse_output=False), ["day"]),
            ("past", LookbackWindower(4), ["sold", "price"]),
        ]
    )
    model = scaled(columns).set_params(regressor__lstmforecaster__reshape_mode="features")
    model.fit(*make_supervised(shop[:100], horizon=horizon, **names))
    ahead = forecast(model, shop[:100], 9, future=shop[100:], **names)
    told, _ = make_supervised(shop, horizon=horizon, **names)
    rows = told.iloc[: 99 + 9 + 1].copy()
    rows.iloc[100:, rows.columns.get_loc("sold")] = np.nan
    for done in range(0, 9, horizon):
        block = np.reshape(model.predict(rows[: 100 + done])[-1], -1)
        rows.iloc[100 + done : 100 + done + horizon, rows.columns.get_loc("sold")] = block
    assert_array_equal(ahead, rows["sold"][100:])


@pytest.mark.parametrize("horizon", [1, 3])
@pytest.mark.parametrize("first", [20, 88])
def test_each_origin_has_a_state_of_its_own(first, horizon):
    model = windowed().fit(*make_supervised(SERIES[:80], horizon=horizon))
    rows, origins = SERIES.to_frame(), np.array([first + 4, first, first + 1])
    paths = walk_forward(model, rows, origins, 7, list(rows))
    times = pd.date_range("1957-05-01", periods=9, freq="MS")
    for path, origin in zip(paths, origins, strict=True):
        expected = from_all_rows(model, rows[: origin + 1], times, horizon)
        assert_array_equal(path[:, 0], expected[:7])


def test_a_history_is_read_once(n_read):
    model = windowed(12).fit(*make_supervised(SERIES))
    n_read[0] = 0  # a fit reads its rows for the state in which they end
    forecast(model, SERIES, 1)
    for_one = n_read[0]
    forecast(model, SERIES, 31)
    assert n_read[0] == for_one + for_one + 30
    assert (
        for_one < 100 + 2 * 24
    )  # to see how many rows it predicts, and whether it repeats its own


def test_the_origins_of_an_interval_share_one_reading(n_read):
    model = windowed(3).fit(*make_supervised(SERIES))
    forecast(model, SERIES, 4)
    for_one = n_read[0]
    forecast_interval(model, SERIES, 4, coverage=0.8, calibration=12, refits=1)
    assert n_read[0] < for_one + for_one + 100 + 12 * 3


@pytest.mark.parametrize("name", ["target", "forward", "function"])
def test_no_forecast_changes_with_what_follows_its_origin(name):
    rows = SERIES.to_numpy().copy()
    expected = backtest(MODELS[name], *make_supervised(rows), cv=SPLITS, steps=5).frame
    changed = rows.copy()
    changed[expected["time"][0] :] += 1000.0
    found = backtest(MODELS[name], *make_supervised(changed), cv=SPLITS, steps=5).frame
    assert_array_equal(found["forecast"][:5], expected["forecast"][:5])
    model = clone(MODELS[name]).fit(*make_supervised(rows[:60]))
    paths = (
        walk_forward(model, pd.DataFrame(each), [62, 70], 5, [0])
        for each in (rows, np.where(np.arange(100) > 70, -9.0, rows))
    )
    assert_array_equal(*paths)


@pytest.mark.slow
def test_a_network_that_keras_trained_goes_on_from_its_state(n_read):
    model = windowed().set_params(
        regressor__lstmforecaster__cell="gru", regressor__lstmforecaster__engine="keras"
    )
    model.fit(*make_supervised(SERIES))
    n_read[0] = 0
    ahead = forecast(model, SERIES, 8)
    assert n_read[0] < 2 * 100
    assert_array_equal(ahead, from_all_rows(model, SERIES.to_frame(), ahead.index))
