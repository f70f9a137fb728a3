"""One model of many series: trained on the windows of all of them, as if laid out by hand."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from skl_lstm import (
    KnownRowsRegressor,
    LookbackWindower,
    LSTMClassifier,
    LSTMForecaster,
    PanelTimeSeriesSplit,
    make_supervised,
)

LOOK_BACK = 6


def sales(n_shops=4, n_days=40, seed=0):
    """Shops of unequal length that all end on the same day."""
    rng = np.random.default_rng(seed)
    days = pd.date_range("2024-01-01", periods=n_days, name="day")
    frames = {
        f"s{i}": pd.DataFrame(
            {"sold": rng.normal(10 * (i + 1), 1.0, n_days), "price": rng.random(n_days)},
            index=days,
        )[3 * i :]
        for i in range(n_shops)
    }
    return pd.concat(frames, names=["shop", "day"]).sort_index(level="day", sort_remaining=True)


def windower(look_back=LOOK_BACK):
    return LookbackWindower(look_back, group="shop")


def by_hand(X, y):
    """The complete windows of each series, in the order of the rows."""
    rows, targets = [], []
    shops, days = (X.index.get_level_values(level) for level in ("shop", "day"))
    for i in range(len(X)):
        own = X[(shops == shops[i]) & (days <= days[i])].to_numpy()[-LOOK_BACK:]
        if len(own) == LOOK_BACK:
            rows.append(own.ravel())
            targets.append(np.asarray(y)[i])
    return np.array(rows), np.array(targets)


@pytest.mark.parametrize("engine", ["native", pytest.param("keras", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"window_scaling": "standard", "target": "sold"},
        {"window_scaling": "last", "target": ["sold", "price"], "mirror": True},
        {"reshape_mode": "features"},
    ],
    ids=str,
)
def test_weights_are_those_of_windows_laid_out_by_hand(engine, parameters):
    X, y = make_supervised(sales(), group="shop", target=parameters.get("target", "sold"))
    made = LSTMForecaster(units=5, epochs=2, random_state=0, engine=engine, **parameters)
    model = make_pipeline(windower(), made).fit(X, y)
    windows, targets = by_hand(X, y)
    if "target" in parameters:
        columns = list(X.columns)
        target = parameters["target"]
        names = [target] if isinstance(target, str) else target
        parameters = {**parameters, "target": [columns.index(name) for name in names]}
    same = LSTMForecaster(
        units=5, epochs=2, random_state=0, engine=engine, features_per_step=2, **parameters
    ).fit(windows, targets)
    # With "last", incomplete windows take part in the level that is subtracted before rounding.
    tolerance = 1e-5 if parameters.get("window_scaling") == "last" else 0.0
    for one, other in zip(model[-1].weights_, same.weights_, strict=True):
        assert_allclose(one, other, rtol=0, atol=tolerance)
    complete = model[0].transform(X).complete()
    assert_allclose(model.predict(X)[complete], same.predict(windows), rtol=tolerance)


def test_any_regressor_takes_the_windows():
    X, y = make_supervised(sales(), group="shop", target="sold")
    model = make_pipeline(windower(), HistGradientBoostingRegressor(random_state=0))
    windows, _ = by_hand(X, y)
    predictions = model.fit(X, y).predict(X)
    complete = model[0].transform(X).complete()
    assert len(predictions) == len(X)
    windows_of_all = np.asarray(model[0].transform(X))
    assert_array_equal(windows_of_all[complete], windows)
    assert_array_equal(predictions, model[-1].predict(windows_of_all))


def test_a_column_and_a_level_of_the_index_give_the_same():
    X, y = make_supervised(sales(), group="shop", target="sold")
    predictions = []
    for rows in (X, X.reset_index("shop")):
        pipeline = Pipeline(
            [
                ("window", windower()),
                ("lstm", LSTMForecaster(units=4, epochs=2, random_state=0)),
            ]
        )
        model = TransformedTargetRegressor(pipeline, transformer=StandardScaler())
        search = GridSearchCV(
            model, {"regressor__window__look_back": [4, 6]}, cv=PanelTimeSeriesSplit(2)
        )
        predictions.append(search.fit(rows, y).predict(rows))
    assert_array_equal(*predictions)


@pytest.mark.parametrize(
    ("order", "by_number"), [("by day", False), ("by shop", False), ("by shop", True)]
)
def test_the_rows_to_validate_on_are_the_last_in_time_of_all_series(order, by_number):
    table = sales()
    table = table if order == "by day" else table.sort_index()
    X, y = make_supervised(table, group="shop", target="sold")
    settings = {"units": 3, "epochs": 3, "random_state": 0, "shuffle": False}
    days = X.index.get_level_values("day")
    complete = windower().fit(X).transform(X).complete()
    n_train = int(complete.sum() * 0.75)
    held_out = int(complete.sum()) - n_train if by_number else 0.25
    model = make_pipeline(
        windower(),
        LSTMForecaster(validation_split=held_out, **settings),
    ).fit(X, y)
    cut = np.sort(days[complete])[n_train]
    windows, targets = by_hand(X, y)
    early = (days < cut)[complete]
    same = LSTMForecaster(features_per_step=2, **settings).fit(windows[early], targets[early])
    for one, other in zip(model[-1].weights_, same.weights_, strict=True):
        assert_array_equal(one, other)
    errors = same.predict(windows[~early]) - targets[~early]
    assert model[-1].history_["val_loss"][-1] == pytest.approx(np.mean(errors**2), rel=1e-5)


def test_validation_finds_the_times_behind_a_scaler_in_y():
    X, y = make_supervised(sales().sort_index(), group="shop", target="sold")
    forecaster = LSTMForecaster(units=3, epochs=2, random_state=0, validation_split=0.25)
    lazily = make_pipeline(windower(), forecaster).fit(X, y)
    windows = np.asarray(lazily[0].transform(X))
    laid_out = LSTMForecaster(**forecaster.get_params() | {"features_per_step": 2}).fit(windows, y)
    for one, other in zip(lazily[-1].weights_, laid_out.weights_, strict=True):
        assert_array_equal(one, other)


def test_validation_needs_an_earlier_row_to_train_on():
    X, y = make_supervised(sales(), group="shop", target="sold")
    last = X.index.get_level_values("day").max()
    same_day = np.flatnonzero(X.index.get_level_values("day") == last)
    windows = windower(2).fit(X).transform(X)[same_day]
    model = LSTMForecaster(validation_split=0.5, epochs=1)
    with pytest.raises(ValueError, match="leaves no rows to train on that are earlier"):
        model.fit(windows, y.iloc[same_day])


def test_a_stateful_network_refuses_several_series():
    X, y = make_supervised(sales(), group="shop", target="sold")
    model = make_pipeline(windower(3), LSTMForecaster(stateful=True, epochs=1))
    with pytest.raises(ValueError, match="stateful must be False for windows of several series"):
        model.fit(X, y)
    one = LSTMForecaster(stateful=True, epochs=1, features_per_step=2, batch_size=1)
    one.fit(np.arange(54.0).reshape(9, 6) / 54, np.arange(9.0))
    with pytest.raises(ValueError, match="stateful must be False for windows of several series"):
        one.predict(windower(3).fit_transform(X))


def test_known_rows_leaves_out_the_last_rows_of_each_series():
    X, y = make_supervised(sales(n_days=12), group="shop", target="sold", horizon=3)

    class Recorder(HistGradientBoostingRegressor):
        def fit(self, X, y, sample_weight=None):
            self.seen_ = np.asarray(X)
            return super().fit(X, np.asarray(y)[:, 0])

    model = make_pipeline(windower(2), KnownRowsRegressor(Recorder(), horizon=3))
    model.fit(X, y)
    days = X.index.get_level_values("day")
    kept = days < np.sort(days.unique())[-2]
    assert_array_equal(model[-1].regressor_.seen_, np.asarray(model[0].transform(X))[kept])


def test_known_rows_needs_the_windows_themselves_for_overlapping_targets():
    X, y = make_supervised(sales(), group="shop", target="sold", horizon=3)
    model = make_pipeline(windower(2), MinMaxScaler(), KnownRowsRegressor(horizon=3))
    with pytest.raises(ValueError, match="X must be windows as LookbackWindower makes them"):
        model.fit(X, y)


def test_a_classifier_takes_many_series():
    X, _ = make_supervised(sales(), group="shop", target="sold")
    y = np.where(X["price"] > 0.5, "dear", "cheap")
    model = make_pipeline(
        windower(3),
        LSTMClassifier(units=4, epochs=60, learning_rate=0.02, random_state=0),
    )
    assert model.fit(X, y).score(X, y) > 0.8


def test_a_series_is_forecast_from_what_it_has():
    X, y = make_supervised(sales(), group="shop", target="sold")
    model = make_pipeline(
        windower(),
        LSTMForecaster(units=4, epochs=1, random_state=0),
    ).fit(X, y)
    new = X.iloc[:1].rename(index={X.index[0][0]: "new"}, level="shop")
    row = new.to_numpy()
    assert_allclose(model.predict(new), model[-1].predict(np.tile(row, LOOK_BACK)))


def test_training_goes_on_with_more_series():
    X, y = make_supervised(sales(), group="shop", target="sold")
    fitted = windower().fit(X)
    model = LSTMForecaster(units=4, random_state=0)
    shops = X.index.get_level_values("shop")
    for shop in ("s0", "s1"):
        model.partial_fit(fitted.transform(X[shops == shop]), y[shops == shop])
    assert len(model.history_["loss"]) == 2


@pytest.mark.parametrize("engine", ["native", pytest.param("keras", marks=pytest.mark.slow)])
def test_an_epoch_may_take_a_sample_of_the_windows(engine):
    X, y = make_supervised(sales(), group="shop", target="sold")
    windows = windower().fit_transform(X)
    settings = {"units": 3, "epochs": 2, "random_state": 0, "engine": engine, "batch_size": 8}
    sampled = LSTMForecaster(windows_per_epoch=20, **settings).fit(windows, y)
    whole = LSTMForecaster(**settings).fit(windows, y)
    for model, n_rows in ((sampled, 20), (whole, windows.complete().sum())):
        assert len(model.history_["loss"]) == 2
        assert model._state().optimizer["iteration"] == 2 * np.ceil(n_rows / 8)
    native = LSTMForecaster(windows_per_epoch=20, **(settings | {"engine": "native"})).fit(
        windows, y
    )
    for one, other in zip(sampled.weights_, native.weights_, strict=True):
        assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"windows_per_epoch": 0}, "windows_per_epoch must be a positive integer, got 0"),
        ({"windows_per_epoch": 9, "stateful": True}, "windows_per_epoch must be None if stateful"),
    ],
)
def test_a_sample_that_cannot_be_taken_is_refused(parameters, message):
    with pytest.raises(ValueError, match=message):
        LSTMForecaster(**parameters).fit([[1.0], [2.0]], [1.0, 2.0])


@pytest.mark.parametrize("times", ["dates", "numbers"])
def test_behind_a_scaler_the_times_of_y_tell_what_is_validated(times):
    table = sales().sort_index()
    if times == "numbers":
        days = table.index.levels[1]
        table.index = table.index.set_levels(np.arange(len(days)), level="day")
    X, y = make_supervised(table, group="shop", target="sold")
    settings = {"units": 3, "epochs": 2, "random_state": 0, "validation_split": 0.25}
    model = make_pipeline(
        windower(), StandardScaler(), LSTMForecaster(features_per_step=2, **settings)
    ).fit(X, y)
    days = X.index.get_level_values("day")
    complete = model[0].transform(X).complete()
    late = days >= np.sort(days[complete])[int(complete.sum() * 0.75)]
    errors = model.predict(X)[late & complete] - y[late & complete]
    assert model[-1].history_["val_loss"][-1] == pytest.approx(np.mean(errors**2), rel=1e-4)


def test_behind_a_scaler_a_stateful_network_refuses_several_series_too():
    X, y = make_supervised(sales(), group="shop", target="sold")
    stateful = LSTMForecaster(stateful=True, epochs=1, batch_size=1, features_per_step=2)
    with pytest.raises(ValueError, match="stateful must be False for windows of several series"):
        make_pipeline(windower(3), StandardScaler(), stateful).fit(X, y)


def test_the_rows_to_train_on_need_a_weight_in_any_order():
    X, y = make_supervised(sales().sort_index(), group="shop", target="sold")
    windows = windower().fit_transform(X)
    days = X.index.get_level_values("day")
    model = LSTMForecaster(units=2, epochs=1, validation_split=0.3)
    with pytest.raises(ValueError, match="sample_weight must be nonzero"):
        model.fit(windows, y, sample_weight=days >= days.max())
    model.fit(windows, y, sample_weight=X.index.get_level_values("shop") != "s0")


def test_an_index_that_may_hold_two_times_is_refused():
    X, y = make_supervised(sales(), group="shop", target="sold")
    windows = np.asarray(windower().fit_transform(X))
    y.index = pd.MultiIndex.from_arrays([y.index.get_level_values("day")] * 2, names=["a", "b"])
    with pytest.raises(ValueError, match="y must have one level of times in its index"):
        LSTMForecaster(features_per_step=2, validation_split=0.2).fit(windows, y)
