"""Many steps ahead are what a loop of one-step predictions gives."""

import warnings

import numpy as np
import pandas as pd
import pytest
from models import SPLITS, linear, lstm, piped, windows
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, clone
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import HistGradientBoostingRegressor, IsolationForest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, OneHotEncoder, StandardScaler

from skl_lstm import (
    LookbackWindower,
    forecast,
    load_airline_passengers,
    make_supervised,
)


def in_units_of_the_data(regressor):
    return TransformedTargetRegressor(regressor=regressor, transformer=MinMaxScaler())


def differences(X):
    X = np.asarray(X)
    return np.diff(X, axis=0, prepend=X[:1])


def loop(model, history, steps, future=None):
    """Predict the whole history, append what follows its last row, and begin again."""
    frame = history.to_frame() if isinstance(history, pd.Series) else history
    frame = frame.astype(float).reset_index(drop=True)
    known = [] if future is None else list(future.columns)
    targets = [name for name in frame.columns if name not in known]
    ahead = []
    while len(ahead) < steps:
        X = frame if hasattr(model, "feature_names_in_") else frame.to_numpy()
        for values in np.reshape(model.predict(X)[-1], (-1, len(targets)))[: steps - len(ahead)]:
            row = dict(zip(targets, values, strict=True))
            if known:
                row |= future.iloc[len(ahead)].to_dict()
            frame = pd.concat([frame, pd.DataFrame([row])[frame.columns]], ignore_index=True)
            ahead.append(values)
    return np.array(ahead).squeeze()


MODELS = {
    "pipeline": piped(),
    "target transformed": in_units_of_the_data(piped()),
    "grid search": GridSearchCV(
        in_units_of_the_data(piped()),
        {"regressor__lookbackwindower__look_back": [3, 12]},
        cv=SPLITS,
    ),
    "random search": RandomizedSearchCV(
        in_units_of_the_data(piped()),
        {"regressor__lookbackwindower__look_back": [3, 12]},
        n_iter=1,
        cv=SPLITS,
        random_state=0,
    ),
    "trees": make_pipeline(LookbackWindower(12), HistGradientBoostingRegressor(max_iter=10)),
    "logarithms": TransformedTargetRegressor(
        make_pipeline(FunctionTransformer(np.log), linear()), func=np.log, inverse_func=np.exp
    ),
    "union of windows": make_pipeline(
        FeatureUnion([("short", windows(2)), ("long", windows(13))]), LinearRegression()
    ),
    "windows of windows": make_pipeline(windows(3), windows(4), LinearRegression()),
    "stateful": in_units_of_the_data(piped(3, stateful=True, batch_size=1)),
    "differences": make_pipeline(FunctionTransformer(differences), windows(3), LinearRegression()),
}


@pytest.mark.parametrize("name", MODELS)
def test_a_forecast_is_a_loop_of_predictions_over_the_growing_history(name):
    series = load_airline_passengers()[:100]
    model = clone(MODELS[name]).fit(*make_supervised(series))
    assert_allclose(forecast(model, series, 12), loop(model, series, 12), rtol=1e-6)


@pytest.mark.parametrize("context", ["auto", "fit", "none"])
@pytest.mark.parametrize("start", [0, 40, 80])
def test_context_and_beginning_of_a_history_do_not_matter(start, context):
    series = load_airline_passengers()[:100]
    model = piped(12).set_params(lookbackwindower__context=context)
    model.fit(*make_supervised(series))
    ahead = forecast(model, series[start:], 12)
    assert_allclose(ahead, loop(model, series[start:], 12), rtol=1e-6)
    assert_allclose(ahead, forecast(model, series, 12), rtol=1e-6)


def test_rows_that_repeat_the_beginning_of_the_training_rows_do_not_matter():
    wave = pd.Series(np.tile([1.0, 3.0, 2.0, 5.0], 10))
    model = linear(4).fit(*make_supervised(wave))
    ahead = forecast(model, wave, 8)
    assert_allclose(ahead, forecast(model.set_params(lookbackwindower__context="none"), wave, 8))
    assert_allclose(ahead, wave[:8], atol=0.3)


@pytest.mark.parametrize("steps", [2, 3, 7])
def test_a_direct_model_goes_on_in_blocks_and_the_last_is_cut(steps):
    series = load_airline_passengers()
    model = in_units_of_the_data(piped(units=8)).fit(*make_supervised(series, horizon=3))
    ahead = forecast(model, series, steps)
    assert_allclose(ahead, loop(model, series, steps), rtol=1e-6)
    assert len(ahead) == steps


@pytest.fixture
def sales():
    """Units sold and visitors, which follow the price and the weekday."""
    t = np.arange(120)
    rng = np.random.default_rng(0)
    price = 5 + rng.normal(size=120)
    frame = pd.DataFrame({"price": price, "weekday": t % 7})
    frame["sold"] = 30 + 5 * np.sin(t * 2 * np.pi / 7) - 2 * np.roll(price, 1)
    frame["visitors"] = 2 * frame["sold"].shift(1, fill_value=30.0) + rng.normal(size=120)
    return frame.set_axis(pd.date_range("2024-01-01", periods=120, freq="D", name="day"))


@pytest.mark.parametrize("horizon", [1, 3])
def test_several_columns_come_back_as_a_frame(horizon, sales):
    both = sales[["sold", "visitors"]]
    model = in_units_of_the_data(piped(7, features_per_step=2))
    model.fit(*make_supervised(both, horizon))
    ahead = forecast(model, both, 7)
    assert_allclose(ahead, loop(model, both, 7), rtol=1e-6)
    assert list(ahead.columns) == ["sold", "visitors"]
    assert_array_equal(ahead.index, pd.date_range("2024-04-30", periods=7, freq="D"))


@pytest.mark.parametrize("horizon", [1, 3])
@pytest.mark.parametrize("targets", [["sold"], ["visitors", "sold"]])
def test_what_is_known_ahead_comes_from_future(targets, horizon, sales):
    history = sales[["weekday", *targets, "price"]][:100]
    X = history.iloc[:-horizon]
    y = make_supervised(history[targets], horizon)[1]
    model = in_units_of_the_data(piped(7, features_per_step=history.shape[1])).fit(X, y)
    future = sales.loc["2024-04-10":"2024-04-19", ["price", "weekday"]]
    ahead = forecast(model, history, 10, future=future)
    assert_allclose(ahead, loop(model, history, 10, future), rtol=1e-6)
    assert (ahead.name == "sold") if len(targets) == 1 else (list(ahead.columns) == targets)
    numbered = forecast(model, history, 10, future=future.reset_index(drop=True))
    assert_array_equal(numbered, ahead)
    cheaper = forecast(model, history, 10, future=future.assign(price=0.0))
    assert_array_equal(cheaper[:horizon], ahead[:horizon])
    assert not np.allclose(cheaper[horizon:], ahead[horizon:])


def test_columns_known_ahead_keep_their_kind(sales):
    sales["weekday"] = sales.index.day_name().astype("category")
    history = sales[["weekday", "sold"]]
    columns = ColumnTransformer(
        [("day", OneHotEncoder(), ["weekday"]), ("past", LookbackWindower(7), ["sold"])]
    )
    model = make_pipeline(columns, HistGradientBoostingRegressor(max_iter=10))
    model.fit(history[:-1], history["sold"].to_numpy()[1:])
    days = pd.date_range("2024-04-30", periods=3, freq="D")
    future = pd.DataFrame(
        {"weekday": days.day_name().astype(history["weekday"].dtype)}, index=days
    )
    assert forecast(model, history, 3, future=future).notna().all()


def test_the_last_row_of_future_changes_nothing(sales):
    history = sales[["sold", "price"]][:100]
    model = linear(7).fit(history[:-1], history["sold"][1:])
    future = sales[["price"]][100:105]
    ahead = forecast(model, history, 5, future=future)
    future.iloc[-1] = 99.0
    assert_array_equal(forecast(model, history, 5, future=future), ahead)


def test_the_history_and_the_model_stay_as_they_were(sales):
    history = sales[["sold"]]
    model = in_units_of_the_data(piped(3)).fit(*make_supervised(history))
    before = history.copy()
    ahead = forecast(model, history, 5)
    pd.testing.assert_frame_equal(history, before)
    assert_array_equal(forecast(model, history, 5), ahead)


@pytest.mark.parametrize("start", [0, 100])
def test_only_the_rows_that_the_window_needs_are_handed_over(start, monkeypatch):
    series = load_airline_passengers()
    model = in_units_of_the_data(piped(12)).fit(*make_supervised(series))
    handed, transform = [], LookbackWindower.transform
    monkeypatch.setattr(
        LookbackWindower, "transform", lambda self, X: handed.append(len(X)) or transform(self, X)
    )
    forecast(model, series[start:], 5)
    assert handed == [12] * 5


@pytest.mark.parametrize("names", ["frame", "array"])
def test_names_reach_the_model_just_where_it_was_fitted_with_names(names):
    series = load_airline_passengers()
    X, y = make_supervised(series if names == "frame" else series.to_numpy())
    model = make_pipeline(StandardScaler(), linear()).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(forecast(model, series, 2)) == 2


@pytest.mark.parametrize("steps", [0, 2.5, -1, True, "3", None])
def test_steps_must_be_a_positive_integer(steps, linear_30):
    with pytest.raises(ValueError, match=r"^steps must be a positive integer, got "):
        forecast(linear_30, np.arange(30.0), steps)


def test_a_history_that_windows_of_windows_overreach_is_taken_as_it_is():
    series = load_airline_passengers()
    model = MODELS["windows of windows"].fit(*make_supervised(series))
    assert_allclose(forecast(model, series[-4:], 6), loop(model, series[-4:], 6), rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f[:-1], "^future must have steps=5 rows, got 4$"),
        (
            lambda f: f[["price"]],
            r"^future must hold all columns but those that the model predicts: it lacks "
            r"\['weekday', 'sold'\], but the model has 1 outputs$",
        ),
        (lambda f: None, r"it lacks \['weekday', 'sold', 'price'\]"),
        (
            lambda f: f.assign(rain=0.0),
            r"^future must hold columns of history, \['weekday', 'sold', 'price'\], got "
            r"\['rain'\]$",
        ),
        (
            lambda f: f.assign(sold=0.0),
            r"^future must leave out what is to be forecast, got all of "
            r"\['weekday', 'sold', 'price'\]$",
        ),
        (
            lambda f: f.shift(1, freq="D"),
            "^future must be indexed from 2024-04-10 00:00:00 to 2024-04-14 00:00:00, as the "
            "forecast is, got 2024-04-11 00:00:00 to 2024-04-15 00:00:00$",
        ),
        (
            lambda f: f[["price", "weekday", "price"]],
            r"^future must have columns of different names, got \['price', 'weekday', 'price'\]$",
        ),
        (
            lambda f: f.assign(price="cheap"),
            "^future must hold numbers in column 'price', as history does: could not convert "
            "string to float: 'cheap'$",
        ),
        (lambda f: f.to_numpy(), "^future must be a DataFrame, got ndarray$"),
    ],
    ids=["rows", "columns", "none", "strange", "all", "dates", "twice", "text", "array"],
)
def test_a_future_must_fit_the_forecast(change, message, sales):
    history = sales[["weekday", "sold", "price"]][:100]
    model = linear(7).fit(history[:-1], history["sold"][1:])
    future = sales[["price", "weekday"]][100:105]
    assert len(forecast(model, history, 5, future=future)) == 5
    with pytest.raises(ValueError, match=message):
        forecast(model, history, 5, future=change(future))


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (LogisticRegression(), "LogisticRegression"),
        (make_pipeline(MinMaxScaler(), LogisticRegression()), "Pipeline"),
        (MinMaxScaler(), "MinMaxScaler"),
        (KMeans(2), "KMeans"),
        (make_pipeline(MinMaxScaler(), KMeans(2)), "Pipeline"),
        (IsolationForest(n_estimators=2), "IsolationForest"),
        (GaussianMixture(), "GaussianMixture"),
    ],
)
def test_only_a_regressor_forecasts(model, name):
    model.fit(np.arange(6.0)[:, np.newaxis], [0, 1, 0, 1, 0, 1])
    with pytest.raises(ValueError, match=f"^model must be a regressor, got {name}$"):
        forecast(model, np.arange(6.0), 1)


def test_an_estimator_that_does_not_say_what_it_is_forecasts():
    class Last(BaseEstimator):
        def fit(self, X, y):
            self.n_features_in_ = X.shape[1]
            return self

        def predict(self, X):
            return np.asarray(X)[:, 0]

    model = Last().fit(*make_supervised(np.arange(6.0)))
    assert_array_equal(forecast(model, np.arange(6.0), 2), [5.0, 5.0])


@pytest.mark.parametrize(
    "model", [linear(), in_units_of_the_data(linear()), MODELS["grid search"].estimator, lstm()]
)
def test_an_unfitted_model_is_refused(model):
    with pytest.raises(NotFittedError):
        forecast(model, np.arange(30.0), 1)
