"""Each quantile that a network learned comes through what is composed around it."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import VotingRegressor
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler

from skl_lstm import (
    KnownRowsRegressor,
    LookbackWindower,
    LSTMForecaster,
    SeriesScaledRegressor,
    make_supervised,
)
from skl_lstm.compositions.quantiles import ascending, by_quantile

QUANTILES = [0.1, 0.5, 0.9]
SERIES = pd.Series(np.sin(np.arange(60.0)), pd.RangeIndex(60), name="v")
X, Y = make_supervised(SERIES, horizon=2)


def network(**parameters):
    settings = {"units": 3, "epochs": 2, "loss": "pinball", "random_state": 0}
    return LSTMForecaster(**{**settings, "quantile": QUANTILES, **parameters})


def piped(last=None, **windower):
    return make_pipeline(LookbackWindower(3, **windower), last or network())


def learned(model, X):
    """Quantiles of the network itself, one after the other."""
    return np.moveaxis(model[-1].predict_quantiles(model[:-1].transform(X)), -1, 0)


def predicted(model, X):
    return np.array([each.predict(X) for each in by_quantile(model).values()])


def test_a_pipeline_predicts_each_of_them():
    model = piped().fit(X, Y)
    assert list(by_quantile(model)) == QUANTILES
    assert_array_equal(predicted(model, X), learned(model, X))
    assert_array_equal(by_quantile(model)[0.5].predict(X), model.predict(X))
    assert by_quantile(model)[0.1][0] is model[0]


def test_the_network_alone_predicts_each_of_them():
    model = network().fit(X, Y)
    assert_array_equal(predicted(model, X), np.moveaxis(model.predict_quantiles(X), -1, 0))


def test_the_target_is_restored():
    model = TransformedTargetRegressor(piped(), transformer=MinMaxScaler()).fit(X, Y)
    inside = learned(model.regressor_, X)
    expected = [model.transformer_.inverse_transform(each) for each in inside]
    assert_allclose(predicted(model, X), expected)


def test_rows_without_a_window_are_unknown():
    scaled = TransformedTargetRegressor(network(), transformer=MinMaxScaler())
    model = piped(KnownRowsRegressor(scaled, horizon=2)).fit(X, Y)
    assert_array_equal(by_quantile(model)[0.5].predict(X), model.predict(X))
    assert (np.diff(predicted(model, X), axis=0)[:, 2:] >= 0).all()


def test_each_series_has_its_scale():
    both = pd.concat({"a": SERIES, "b": 1000 * SERIES + 7}, names=["shop", "t"]).to_frame()
    X, y = make_supervised(both, group="shop")
    model = SeriesScaledRegressor(piped(group="shop"), group="shop").fit(X, y)
    quantiles = predicted(model, X)
    small, large = quantiles.reshape(3, 2, -1).transpose(1, 0, 2)
    assert_allclose(large, 1000 * small + 7, rtol=1e-4, atol=1e-2)


def test_a_search_predicts_those_of_its_best():
    grid = {"lstmforecaster__quantile": [QUANTILES, [0.3, 0.5, 0.7]]}
    search = GridSearchCV(piped(), grid, cv=TimeSeriesSplit(2)).fit(X, Y)
    best = search.best_estimator_
    assert list(by_quantile(search)) == list(best[-1].quantiles_)
    assert_array_equal(predicted(search, X), learned(best, X))


def test_a_network_of_one_quantile_has_one():
    for quantile in (0.5, 0.9):
        model = piped(network(quantile=quantile)).fit(X, Y)
        assert list(by_quantile(model)) == [quantile]
        assert_array_equal(predicted(model, X)[0], model.predict(X))


def test_a_single_quantile_that_may_be_turned_around_is_refused():
    around = TransformedTargetRegressor(
        piped(network(quantile=0.9)), func=np.negative, inverse_func=np.negative
    )
    with pytest.raises(ValueError) as refused:
        by_quantile(around.fit(X, Y))
    assert str(refused.value) == (
        "quantile must hold several numbers for quantiles=True if the target is transformed, "
        "since only these show whether its quantiles are turned around, got [0.9]; without "
        "quantiles=True the forecast is what predict returns"
    )
    median = around.set_params(regressor__lstmforecaster__quantile=0.5).fit(X, Y)
    assert list(by_quantile(median)) == [0.5]


@pytest.mark.parametrize(
    "model",
    [
        piped(network(loss="mse", quantile=0.5)),
        piped(LinearRegression()),
        VotingRegressor([("a", piped())]),
        piped(FunctionTransformer()),
    ],
    ids=["mean", "linear", "vote", "no regressor"],
)
def test_models_without_any_are_named(model):
    X, y = make_supervised(SERIES)
    if isinstance(model, VotingRegressor) or model[-1].__class__ is not LinearRegression:
        model = model.fit(X, y)
    with pytest.raises(ValueError) as refused:
        by_quantile(model)
    assert str(refused.value) == (
        "model must be an LSTMForecaster fitted with loss='pinball' for quantiles=True, or a "
        "Pipeline, TransformedTargetRegressor, SeriesScaledRegressor, KnownRowsRegressor or "
        f"search around one, got {type(model).__name__}; forecast_interval takes any model"
    )


def test_a_map_that_falls_turns_them_around():
    rising = np.array([[[1.0, 2.0, 3.0], [0.0, 0.0, 1.0]]])
    assert_array_equal(ascending(rising, QUANTILES), rising)
    assert_array_equal(ascending(-rising, QUANTILES), -rising[..., ::-1])
    one_falls = rising * np.array([[[1.0], [-1.0]]])
    assert_array_equal(ascending(one_falls, QUANTILES)[0, 1], [-1.0, 0.0, 0.0])
    noise = np.array([1e6, 1e6 - 1e-6, 2e6])
    assert_array_equal(ascending(noise, [0.2, 0.5, 0.9]), np.sort(noise))


def test_a_map_that_falls_needs_the_other_quantile_too():
    with pytest.raises(ValueError) as refused:
        ascending(np.array([[3.0, 2.0, 1.0]]), [0.1, 0.5, 0.8])
    assert str(refused.value) == (
        "quantile must hold 1 - q for each q if the target is restored by a function that falls, "
        "which turns the one into the other, got [0.1, 0.5, 0.8]"
    )


def test_a_map_that_mixes_them_up_is_refused():
    with pytest.raises(ValueError) as refused:
        ascending(np.array([[1.0, 3.0, 2.0]]), QUANTILES)
    assert str(refused.value) == (
        "model must restore each target by itself, by a function that only rises or only falls, "
        "for quantiles=True, but what is around its network mixes up the quantiles"
    )
