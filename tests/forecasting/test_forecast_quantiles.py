"""A forecast has all quantiles of a network, for the rows that it predicts at once."""

import numpy as np
import pandas as pd
import pytest
from models import linear, lstm
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skl_lstm import (
    LookbackWindower,
    SeriesScaledRegressor,
    forecast,
    forecast_interval,
    load_airline_passengers,
    make_supervised,
)

QUANTILES = [0.1, 0.5, 0.9]
SERIES = load_airline_passengers()


def network(**parameters):
    learned = {"loss": "pinball", "quantile": QUANTILES, "window_scaling": "last"}
    return lstm(**{**learned, **parameters})


def piped(look_back=12, group=None, **parameters):
    return make_pipeline(LookbackWindower(look_back, group=group), network(**parameters))


@pytest.fixture(scope="module")
def half_a_year():
    return piped().fit(*make_supervised(SERIES, horizon=6))


@pytest.mark.parametrize("steps", [1, 4, 6])
def test_they_are_those_of_the_last_row(half_a_year, steps):
    ahead = forecast(half_a_year, SERIES, steps, quantiles=True)
    X = SERIES.to_frame()
    rows = half_a_year[-1].predict_quantiles(half_a_year[0].transform(X))[-1]
    assert_array_equal(ahead, rows[:steps])
    assert list(ahead.columns) == QUANTILES
    assert ahead.columns.name == "quantile"
    assert ahead.index[0] == pd.Timestamp("1961-01-01")
    median = forecast(half_a_year, SERIES, steps)
    pd.testing.assert_series_equal(ahead[0.5], median, check_names=False)


def test_more_steps_are_refused(half_a_year):
    with pytest.raises(ValueError) as refused:
        forecast(half_a_year, SERIES, 7, quantiles=True)
    assert str(refused.value) == (
        "steps must be at most 6 with quantiles=True, the number of rows that the model predicts "
        "at once, because the quantiles of further rows do not follow from feeding quantiles "
        "back, got 7; fit the model on make_supervised(…, horizon=7), or use forecast_interval"
    )
    assert len(forecast(half_a_year, SERIES, 7)) == 7


def test_intervals_are_around_the_median(half_a_year):
    ahead = forecast_interval(half_a_year, SERIES, 3)
    assert_allclose(ahead["forecast"], forecast(half_a_year, SERIES, 3))


def test_what_is_asked_for_is_yes_or_no(half_a_year):
    message = r"^quantiles must be one of \(True, False\), got \[0.1\]$"
    with pytest.raises(ValueError, match=message):
        forecast(half_a_year, SERIES, 1, quantiles=[0.1])


def test_other_models_have_none():
    model = linear().fit(*make_supervised(SERIES))
    with pytest.raises(
        ValueError, match=r"^model must be an LSTMForecaster fitted with loss='pin"
    ):
        forecast(model, SERIES, 1, quantiles=True)


@pytest.mark.parametrize("falls", [False, True])
def test_a_target_that_is_turned_around_is_turned_back(falls):
    def shown(y):
        return 1 - y / 600 if falls else y / 600

    def restored(y):
        return 600 * (1 - y if falls else y)

    inner = make_pipeline(MinMaxScaler(), LookbackWindower(12), network(window_scaling=None))
    model = TransformedTargetRegressor(inner, func=shown, inverse_func=restored)
    model.fit(*make_supervised(SERIES, horizon=2))
    ahead = forecast(model, SERIES, 2, quantiles=True)
    assert_allclose(ahead[0.5], forecast(model, SERIES, 2))
    inner = model.regressor_
    rows = inner[-1].predict_quantiles(inner[:-1].transform(SERIES.to_frame()))[-1]
    assert_allclose(ahead, restored(rows[:, ::-1] if falls else rows))


def test_several_targets_have_two_levels_of_columns():
    frame = pd.DataFrame({"a": SERIES, "b": 100.0 + SERIES[::-1].to_numpy()})
    X, y = make_supervised(frame, horizon=3)
    model = piped().fit(X, y)
    ahead = forecast(model, frame, 3, quantiles=True)
    assert ahead.columns.names == ["target", "quantile"]
    assert list(ahead.columns) == [(name, q) for name in "ab" for q in QUANTILES]
    median = ahead.xs(0.5, axis="columns", level="quantile")
    assert_array_equal(median, forecast(model, frame, 3))
    rows = model[-1].predict_quantiles(model[0].transform(frame))[-1]
    assert_array_equal(ahead.to_numpy().reshape(6, 3), rows)


def test_values_known_ahead_are_passed_on():
    rng = np.random.default_rng(0)
    price = pd.Series(rng.random(80), pd.date_range("2024-01-01", periods=80), name="price")
    shop = price.to_frame().assign(sold=10 - 5 * price)[["sold", "price"]]
    names = {"target": "sold", "known": ["price"]}
    model = piped(3, target="sold").fit(*make_supervised(shop[:70], **names, horizon=2))
    low, high = (
        forecast(model, shop[:70], 2, future=shop[70:72][["price"]] * 0 + value, quantiles=True)
        for value in (0.0, 1.0)
    )
    assert low.shape == (2, 3)
    assert not np.allclose(low, high)


def test_each_of_several_series_has_them():
    late = SERIES[:-5] * 1000
    both = pd.concat({"x": SERIES, "z": late}, names=["shop", "month"]).to_frame("sold")
    X, y = make_supervised(both, group="shop", horizon=3)
    inner = piped(6, group="shop")
    for model in (inner, SeriesScaledRegressor(inner, group="shop")):
        ahead = forecast(model.fit(X, y), both, 3, quantiles=True)
        assert ahead.index.names == ["shop", "month"]
        assert list(ahead.columns) == QUANTILES
        assert ahead.loc["z"].index[0] == pd.Timestamp("1960-08-01")
        pd.testing.assert_series_equal(ahead[0.5], forecast(model, both, 3), check_names=False)
        assert (np.diff(ahead) >= 0).all()
    with pytest.raises(ValueError, match=r"^steps must be at most 3 with quantiles=True"):
        forecast(model, both, 4, quantiles=True)


def test_a_table_of_polars_has_names_of_text():
    polars = pytest.importorskip("polars")
    X, y = make_supervised(SERIES.to_frame(), horizon=2)
    model = piped().fit(X, y)
    table = polars.DataFrame({"passengers": SERIES.to_numpy()})
    ahead = forecast(model, table, 2, quantiles=True)
    assert ahead.columns == ["0.1", "0.5", "0.9"]
    assert_array_equal(ahead, forecast(model, SERIES.to_frame(), 2, quantiles=True))


def test_a_stateful_network_is_asked_with_its_state():
    model = piped(3, window_scaling=None, stateful=True, batch_size=1, epochs=2)
    scaled = SERIES / 600
    model.fit(*make_supervised(scaled, horizon=2))
    ahead = forecast(model, scaled, 2, quantiles=True)
    assert_array_equal(ahead[0.5], forecast(model, scaled, 2))
