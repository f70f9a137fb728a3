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
    KnownRowsRegressor,
    LookbackWindower,
    SeriesWarning,
    forecast,
    load_airline_passengers,
    make_supervised,
)


def in_units_of_the_data(regressor):
    return TransformedTargetRegressor(regressor=regressor, transformer=MinMaxScaler())


def differences(X):
    X = np.asarray(X)
    return np.diff(X, axis=0, prepend=X[:1])


def loop(model, history, steps, future=None, targets=None):
    """Predict the whole history, append what follows its last row, and begin again.

    The columns of `future` stand in each row for the last row that is predicted from it.
    """
    frame = history.to_frame() if isinstance(history, pd.Series) else history
    known = [] if future is None else list(future.columns)
    targets = targets or [name for name in frame.columns if name not in known]
    values = {name: list(frame[name].astype(float)) for name in targets}
    ahead_of = {name: [*frame[name], *future[name]] for name in known}
    ahead, horizon = [], None
    while len(ahead) < steps:
        n_rows = len(frame) + len(ahead)
        for_now = horizon or np.size(model.predict(_input(model, frame))[-1]) // len(targets)
        horizon = for_now
        rows = {
            name: values[name]
            if name in targets
            else [ahead_of[name][min(t + horizon, len(ahead_of[name]) - 1)] for t in range(n_rows)]
            for name in frame.columns
        }
        X = _input(model, pd.DataFrame(rows))
        block = np.reshape(model.predict(X)[-1], (-1, len(targets)))
        for step in block[: steps - len(ahead)]:
            ahead.append(step)
            for name, value in zip(targets, step, strict=True):
                values[name].append(value)
    return np.array(ahead).squeeze()


def _input(model, frame):
    names = getattr(model, "feature_names_in_", None)
    return frame.to_numpy(float) if names is None else frame[list(names)]


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
    model = in_units_of_the_data(piped(7))
    model.fit(*make_supervised(both, horizon=horizon))
    ahead = forecast(model, both, 7, target=["sold", "visitors"])
    assert_allclose(ahead, loop(model, both, 7), rtol=1e-6)
    assert list(ahead.columns) == ["sold", "visitors"]
    assert_array_equal(ahead.index, pd.date_range("2024-04-30", periods=7, freq="D"))


@pytest.mark.parametrize("horizon", [1, 3])
@pytest.mark.parametrize("targets", [["sold"], ["visitors", "sold"]])
def test_what_is_known_ahead_acts_at_its_own_time(targets, horizon, sales):
    names = {"target": targets, "known": ["price", "weekday"]}
    history = sales[["weekday", *targets, "price"]][:100]
    model = in_units_of_the_data(piped(7))
    model.fit(*make_supervised(history, horizon=horizon, **names))
    future = sales.loc["2024-04-10":"2024-04-21", ["price", "weekday"]]
    ahead = forecast(model, history, 10, future=future, **names)
    assert_allclose(ahead, loop(model, history, 10, future, targets), rtol=1e-6)
    assert (ahead.name == "sold") if len(targets) == 1 else (list(ahead.columns) == targets)
    n_ahead = 12 if horizon == 3 else 10
    alone = future[:n_ahead].reset_index(drop=True)
    numbered = forecast(model, history, 10, future=alone, **names)
    assert_array_equal(numbered, ahead)
    later = future.copy()
    later.iloc[6:, 0] = 0.0
    changed = forecast(model, history, 10, future=later, **names)
    assert_array_equal(changed[:6], ahead[:6]) if horizon == 1 else None
    assert not np.allclose(changed[6:], ahead[6:])


@pytest.mark.parametrize("horizon", [1, 14])
def test_a_price_of_the_day_explains_the_sales_of_the_day(horizon):
    rng = np.random.default_rng(0)
    shop = pd.DataFrame(rng.uniform(4, 6, (214, 2)), columns=["price", "rain"])
    shop = shop.set_axis(pd.date_range("2024-01-01", periods=214))
    shop["sold"] = 40 - 4 * shop["price"]
    shop["visitors"] = 90 - 4 * shop["price"] + 2 * shop["rain"]
    past, future = shop[:200], shop[200:]
    for targets, known in (("sold", "price"), (["visitors", "sold"], ["price", "rain"])):
        names = {"target": targets, "known": known}
        frame = past[["price", "sold"]] if known == "price" else past
        model = make_pipeline(LookbackWindower(14), KnownRowsRegressor(LinearRegression()))
        model.fit(*make_supervised(frame, horizon=horizon, **names))
        ahead = forecast(model, frame, 14, future=future, **names)
        assert_allclose(ahead, future[targets], rtol=0, atol=1e-8)


def test_the_rows_to_forecast_may_stand_at_the_end_of_the_history(sales):
    names = {"target": "sold", "known": ["price", "weekday"]}
    frame = sales[["sold", "price", "weekday"]].copy()
    model = linear(7).fit(*make_supervised(frame[:100], **names))
    expected = forecast(model, frame[:100], 10, future=frame[100:], **names)
    frame.iloc[100:, 0] = np.nan
    assert_array_equal(forecast(model, frame, 10, **names), expected)


def test_no_column_acts_ahead_but_those_known(sales):
    names = {"target": "sold", "known": ["price"]}
    frame = sales[["sold", "price", "visitors"]]
    model = linear(7).fit(*make_supervised(frame[:100], horizon=5, **names))
    ahead = forecast(model, frame[:100], 5, future=frame[100:], **names)
    other = frame.copy()
    other.iloc[100:, [0, 2]] = 1e6
    assert_array_equal(forecast(model, frame[:100], 5, future=other[100:], **names), ahead)
    other.iloc[103, 1] += 1.0
    assert not np.allclose(forecast(model, frame[:100], 5, future=other[100:], **names), ahead)


def test_a_direct_model_forecasts_what_it_learnt_with_its_dates(sales):
    model = linear(7).fit(*make_supervised(sales, target="sold", horizon=5))
    ahead = forecast(model, sales, 5)
    assert ahead.name == "sold"
    assert_array_equal(ahead.index, pd.date_range("2024-04-30", periods=5))
    assert_array_equal(forecast(model, sales, 3), ahead[:3])
    with pytest.raises(
        ValueError,
        match=r"^steps must be at most 5, the number of rows that the model predicts at once, "
        r"because \['price', 'weekday', 'visitors'\] are not known ahead, got 6; fit the model on "
        r"make_supervised\(…, horizon=6\), or name these columns in known or static$",
    ):
        forecast(model, sales, 6)


def test_one_step_needs_nothing_ahead_of_columns_known_up_to_now(sales):
    model = linear(7).fit(*make_supervised(sales, target="sold"))
    assert len(forecast(model, sales, 1)) == 1


def test_columns_of_the_history_are_taken_by_name(sales):
    names = {"target": "sold", "known": ["price"]}
    frame = sales[["sold", "price", "visitors"]]
    model = linear(7).fit(*make_supervised(frame[:100], horizon=3, **names))
    ahead = forecast(model, frame[:100], 3, future=frame[100:], **names)
    turned = sales[["visitors", "weekday", "price", "sold"]]
    assert_array_equal(forecast(model, turned[:100], 3, future=turned[100:], **names), ahead)


def test_columns_known_ahead_keep_their_kind(sales):
    sales["weekday"] = sales.index.day_name().astype("category")
    sales["holiday"] = sales.index.day == 1
    history = sales[["weekday", "holiday", "sold"]]
    names = {"target": "sold", "known": ["weekday", "holiday"]}
    columns = ColumnTransformer(
        [
            ("day", OneHotEncoder(), ["weekday", "holiday"]),
            ("past", LookbackWindower(7), ["sold"]),
        ]
    )
    model = make_pipeline(columns, HistGradientBoostingRegressor(max_iter=10))
    X, y = make_supervised(history[:100], **names)
    assert list(X.dtypes) == [np.dtype(float), history["weekday"].dtype, np.dtype(bool)]
    ahead = forecast(model.fit(X, y), history[:100], 3, future=history[100:], **names)
    assert ahead.notna().all()


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
    assert handed[-1] == 12  # after which the windows roll on
    assert max(handed) < 2 * 12  # to see how many rows it predicts, and whether it repeats its own


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
    ahead = forecast(model, series[-4:], 6)
    context = {"lookbackwindower-1__context": "none", "lookbackwindower-2__context": "none"}
    assert_allclose(ahead, loop(model.set_params(**context), series[-4:], 6), rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda f: f[:-1],
            "^future must have a row for each time from 2024-04-10 to 2024-04-14, as steps=5 "
            "requires, got none for 2024-04-14$",
        ),
        (
            lambda f: f[:-1].reset_index(drop=True),
            r"^future must have 5 rows for steps=5, got 4 of \['price', 'weekday'\]$",
        ),
        (
            lambda f: f[["price"]],
            r"^future must hold all columns known ahead, \['price', 'weekday'\], but lacks "
            r"\['weekday'\]$",
        ),
        (
            lambda f: None,
            r"^future must hold the values of .* for 5 rows after the history$",
        ),
        (
            lambda f: f.shift(1, freq="D"),
            "^future must have a row for each time from 2024-04-10 to 2024-04-14, as steps=5 "
            "requires, got none for 2024-04-10$",
        ),
        (
            lambda f: pd.concat([f, f]),
            "^future must have one row for each time, got several for 2024-04-10$",
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
        (
            lambda f: f.assign(price=[1, 2, np.nan, 4, 5]),
            "^future must hold known values, got NaN in column 'price' at 2024-04-12$",
        ),
        (lambda f: f.to_numpy(), "^future must be a DataFrame, got ndarray$"),
        (
            lambda f: pd.concat([f, f]).reset_index(drop=True),
            "^future must have an index like that of history to choose from, or 5 rows, got 10 "
            "rows numbered from 0$",
        ),
        (
            lambda f: f.tz_localize("UTC"),
            "^future must be indexed by dates without a time zone, as history is, got dates of a "
            "time zone$",
        ),
    ],
)
def test_a_future_must_fit_the_forecast(change, message, sales):
    history = sales[["weekday", "sold", "price"]][:100]
    names = {"target": "sold", "known": ["price", "weekday"]}
    model = linear(7).fit(*make_supervised(history, **names))
    future = sales[["price", "weekday"]][100:105]
    assert len(forecast(model, history, 5, future=sales[90:], **names)) == 5
    with pytest.raises(ValueError, match=message):
        forecast(model, history, 5, future=change(future), **names)


def test_a_future_in_other_units_is_warned_of(sales):
    history, names = sales[["sold", "price"]][:100], {"target": "sold", "known": "price"}
    model = linear(7).fit(*make_supervised(history, **names))
    future = sales[["price"]][100:105]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        forecast(model, history, 5, future=future + 3, **names)
    with pytest.warns(
        SeriesWarning,
        match=r"^future has values from .* to .* in column 'price', far from those of history, "
        r"from .* to .*; both must be in the same units$",
    ):
        forecast(model, history, 5, future=100 * future, **names)


def test_columns_of_future_are_those_known_ahead_unless_named(sales):
    history = sales[["sold", "price"]][:100]
    X, y = make_supervised(history, known="price")
    told = linear(7).fit(X, y)
    model = linear(7).fit(X.to_numpy(), y.to_numpy())
    future = sales[["price"]][100:]
    ahead = forecast(model, history, 5, future=future)
    assert_array_equal(ahead, forecast(model, history, 5, known="price", future=sales[100:]))
    assert_array_equal(ahead, forecast(told, history, 5, future=sales[100:]))
    with pytest.raises(
        ValueError, match=r"^known must be \['price'\], as the model was fitted, got None$"
    ):
        forecast(told, history, 1, known=[])
    with pytest.raises(
        ValueError,
        match=r"^future must hold columns of history, \['sold', 'price'\], got \['rain'\]$",
    ):
        forecast(model, history, 5, future=future.assign(rain=0.0))
    with pytest.raises(
        ValueError,
        match=r"^future must leave out what is to be forecast, got all of \['price', 'sold'\]$",
    ):
        forecast(model, history, 5, future=future.assign(sold=0.0))


def test_a_short_future_names_the_blocks_of_a_direct_model(sales):
    names = {"target": "sold", "known": ["price"]}
    history = sales[["sold", "price"]][:100]
    model = linear(7).fit(*make_supervised(history, horizon=4, **names))
    future = sales[["price"]][100:106].reset_index(drop=True)
    with pytest.raises(
        ValueError,
        match=r"^future must have 8 rows for steps=6 in blocks of 4, got 6 of \['price'\]$",
    ):
        forecast(model, history, 6, future=future, **names)


def test_windows_shorter_than_the_block_are_said_to_miss_what_is_known(sales):
    names = {"target": "sold", "known": ["price"]}
    history = sales[["sold", "price"]][:100]
    model = linear(2).fit(*make_supervised(history, horizon=4, **names))
    with pytest.warns(
        SeriesWarning,
        match=r"^look_back=2 is shorter than the 4 rows that the model predicts at once: it sees "
        r"\['price'\] only of the last 2 of them$",
    ):
        forecast(model, history, 4, future=sales[100:], **names)


def test_what_can_be_read_in_two_ways_is_refused(sales):
    both = sales[["sold", "visitors"]].to_numpy()
    model = linear(7).fit(*make_supervised(both))
    assert list(forecast(model, both, 3, target=[0, 1]).columns) == [0, 1]
    with pytest.raises(
        ValueError,
        match=r"^target must name what the model predicts: its 2 outputs could be of any of "
        r"\[0, 1\]$",
    ):
        forecast(model, both, 3)
    with pytest.raises(
        ValueError,
        match=r"^target must name the columns that the model predicts, got \[0, 1\], but the "
        r"model has 3 outputs$",
    ):
        forecast(
            linear(7).fit(*make_supervised(both, target=0, horizon=3)), both, 3, target=[0, 1]
        )


def test_another_target_than_the_model_was_fitted_on_is_refused(sales):
    model = linear(7).fit(*make_supervised(sales, target="sold"))
    with pytest.raises(
        ValueError,
        match=r"^target must be \['sold'\], as the model was fitted, got \['visitors'\]$",
    ):
        forecast(model, sales, 1, target="visitors")


@pytest.mark.parametrize("as_array", [False, True])
def test_a_model_fitted_on_rows_laid_out_otherwise_is_refused(as_array, sales):
    history = sales[["sold", "price"]][:100]
    X, y = history[:-1], history["sold"][1:]
    model = linear(7).fit(X.to_numpy() if as_array else X, y)
    with pytest.raises(
        ValueError,
        match=r"^model must be fitted on make_supervised\(history, target=\['sold'\], "
        r"known=\['price'\]\), but in the rows that it was fitted on, \['price'\] are of other "
        "times; name the same columns known ahead as in fit, or fit it again$",
    ):
        forecast(model, history, 5, target="sold", future=sales[["price"]][100:])


def test_a_model_may_scale_what_is_known_ahead(sales):
    names = {"target": "sold", "known": ["price"]}
    columns = [("same", "passthrough", ["sold"]), ("scaled", StandardScaler(), ["price"])]
    scale = ColumnTransformer(columns, verbose_feature_names_out=False)
    scaling = make_pipeline(scale.set_output(transform="pandas"), linear(7))
    plain, scaled = (
        model.fit(*make_supervised(sales[["sold", "price"]][:100], **names))
        for model in (linear(7), scaling)
    )
    expected, ahead = (
        forecast(model, sales[:100], 5, **names, future=sales[100:]) for model in (plain, scaled)
    )
    np.testing.assert_allclose(ahead, expected)


def test_a_model_that_returns_its_input_is_suspected():
    series = load_airline_passengers()
    model = LinearRegression().fit(series.to_frame(), series)
    with pytest.warns(
        SeriesWarning,
        match="^the model predicts for each row its own value of 'passengers', not the next one; "
        r"was it fitted on y that is not shifted\? make_supervised\(history\) shifts y$",
    ):
        forecast(model, series, 2)


def test_a_history_without_a_column_of_the_model_is_refused(sales):
    model = linear(7).fit(*make_supervised(sales, target="sold"))
    with pytest.raises(
        ValueError,
        match=r"^history must be a DataFrame with the columns that the model was fitted on, "
        r"\['sold', 'price', 'weekday', 'visitors'\], but lacks \['price'\]$",
    ):
        forecast(model, sales.drop(columns="price"), 1)


def test_rows_of_several_series_are_refused(sales):
    levels = pd.MultiIndex.from_product([["a", "b"], sales.index], names=["shop", "day"])
    both = pd.DataFrame({"sold": np.arange(240.0)}, index=levels)
    model = linear(7).fit(*make_supervised(sales[["sold"]]))
    message = (
        r"must be one series, indexed by its times, got an index of the levels \['shop', 'day'\]"
    )
    with pytest.raises(
        ValueError, match=f"^history {message}; name .* or select one series with history.xs"
    ):
        forecast(model, both, 1)
    with pytest.raises(
        ValueError, match=f"^series {message}; name .* or select one series with series.xs"
    ):
        make_supervised(both)


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


def test_a_search_that_is_not_fitted_again_is_refused():
    series = load_airline_passengers()
    search = GridSearchCV(linear(), {"lookbackwindower__look_back": [3]}, cv=SPLITS, refit=False)
    search.fit(*make_supervised(series))
    with pytest.raises(
        ValueError, match=r"^model must be fitted on all rows, got GridSearchCV with refit=False$"
    ):
        forecast(search, series, 1)


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


@pytest.mark.parametrize("as_polars", [False, True])
def test_a_whole_table_without_dates_holds_its_future_at_its_end(as_polars, sales):
    names = {"target": "sold", "known": ["price"]}
    table = sales[["sold", "price"]].reset_index(drop=True)
    model = linear(7).fit(*make_supervised(table[:100], **names))
    expected = forecast(model, table[:100], 10, future=table[100:], **names)
    history, whole = table[:100], table
    if as_polars:
        polars = pytest.importorskip("polars")
        history, whole = polars.DataFrame(history), polars.DataFrame(whole)
    assert_array_equal(forecast(model, history, 10, future=whole, **names), expected)
    rest = table[100:].reset_index(drop=True)
    assert_array_equal(forecast(model, table[:100], 10, future=rest, **names), expected)


@pytest.mark.parametrize(
    ("past_type", "price"), [(int, 5.5), (bool, 0.5), (np.int8, 300)], ids=["int", "bool", "int8"]
)
def test_values_ahead_of_another_type_are_not_cut(past_type, price):
    prices = (np.arange(40) % 3).astype(past_type)
    days = pd.date_range("2024", periods=40)
    shop = pd.DataFrame({"sold": 40.0 - 4.0 * prices, "price": prices}, days)
    model = linear(1).fit(*make_supervised(shop, target="sold", known="price"))
    future = pd.DataFrame({"price": [price]}, [pd.Timestamp("2024-02-10")])
    assert_allclose(forecast(model, shop, 1, future=future), 40 - 4 * price)


@pytest.mark.parametrize("scaled", [False, True])
def test_arrays_are_taken_in_the_order_of_the_fit(scaled, sales):
    table = sales[["visitors", "sold"]].to_numpy()
    steps = [windows(4), LinearRegression()]
    model = make_pipeline(*([StandardScaler()] if scaled else []), *steps)
    by_hand = clone(model).fit(table[:99], table[1:100, 1])
    expected = by_hand.predict(table[:100])[-1]
    assert_allclose(forecast(by_hand, table[:100], 1, target=1), expected)
    as_supervised = clone(model).fit(*make_supervised(table[:100], target=1))
    assert_allclose(forecast(as_supervised, table[:100], 1, target=1), expected)


@pytest.mark.parametrize("horizon", [1, 4])
def test_columns_known_ahead_cannot_be_forgotten_behind_a_scaler(horizon, sales):
    history = sales[["sold", "price"]][:100]
    names = {"target": "sold", "known": ["price"]}
    model = make_pipeline(StandardScaler(), windows(4), LinearRegression())
    fitted = clone(model).fit(*make_supervised(history, horizon=horizon, **names))
    assert len(forecast(fitted, history, horizon, future=sales)) == horizon
    X, y = make_supervised(history, horizon=horizon, **names)
    untold = clone(model).fit(X.to_numpy(), y.to_numpy())
    with pytest.raises(ValueError, match=r"\['price'\] are of other times; name the same columns"):
        forecast(untold, history, 1, target="sold")


def test_the_order_of_several_targets_is_that_of_the_fit(sales):
    both = sales[["sold", "visitors"]]
    model = in_units_of_the_data(piped(3)).fit(*make_supervised(both))
    with pytest.raises(
        ValueError,
        match=r"^target must be \['sold', 'visitors'\], in the order in which the model was "
        r"fitted, got \['visitors', 'sold'\]$",
    ):
        forecast(model, both, 3, target=["visitors", "sold"])


def test_rows_of_make_supervised_are_no_history(sales):
    names = {"target": "sold", "known": ["price"]}
    X, y = make_supervised(sales[["sold", "price"]], **names)
    model = linear(3).fit(X, y)
    message = (
        r"must hold each value at its own time, but it is the X that make_supervised returned, in "
        r"which \['price'\] are moved ahead; pass the series itself$"
    )
    with pytest.raises(ValueError, match=f"^history {message}"):
        forecast(model, X, 1)
    with pytest.raises(ValueError, match=f"^series {message}"):
        make_supervised(X, **names)


def test_a_history_that_was_revised_is_still_forecast(sales):
    names = {"target": "sold", "known": ["price"]}
    model = linear(7).fit(*make_supervised(sales[["sold", "price"]], **names))
    revised = sales[["sold", "price"]].copy()
    revised.iloc[3, 1] += 0.01
    assert len(forecast(model, revised[:100], 3, future=sales)) == 3


def test_a_template_that_was_fitted_before_does_not_matter(sales):
    other = linear(12).fit(*make_supervised(sales[["visitors"]]))
    search = GridSearchCV(other, {"lookbackwindower__look_back": [3]}, cv=SPLITS)
    search.fit(*make_supervised(sales[["sold"]]))
    assert len(forecast(search, sales[["sold"]][-5:], 2)) == 2


@pytest.mark.parametrize("output", ["default", "pandas"])
@pytest.mark.parametrize("look_back", [2, 5])
def test_columns_that_a_transformer_turns_round_are_found(output, look_back, sales):
    names = {"target": "sold", "known": ["price"]}
    scaled = ColumnTransformer(
        [("price", StandardScaler(), ["price"])], remainder="passthrough"
    ).set_output(transform=output)
    model = make_pipeline(scaled, windows(look_back), LinearRegression())
    model.fit(*make_supervised(sales[["sold", "price"]][:20], **names))
    assert len(forecast(model, sales[["sold", "price"]][:20], 2, future=sales)) == 2


def test_targets_in_another_order_than_the_columns_are_those_of_the_fit(sales):
    table = sales[["sold", "visitors", "price"]]
    model = linear(3).fit(table[:-1], table[["price", "sold", "visitors"]].shift(-1)[:-1])
    ahead = forecast(model, table, 2)
    assert list(ahead.columns) == ["price", "sold", "visitors"]
    expected = model.predict(table)[-1]
    assert_allclose(ahead.iloc[0], expected)


def test_a_value_known_ahead_that_is_missing_is_named(sales):
    names = {"target": "sold", "known": ["price"]}
    history = sales[["sold", "price"]][:100].copy()
    model = make_pipeline(LookbackWindower(4), HistGradientBoostingRegressor(max_iter=3))
    model.fit(*make_supervised(history, **names))
    history.iloc[-2, 1] = np.nan
    with pytest.raises(
        ValueError,
        match=r"^history must hold the values of 'price', which is known ahead, got NaN for the "
        r"row 1 after 2024-04-07; fill it, or let the windower do it with fill_missing='forward'$",
    ):
        forecast(model, history, 3, future=sales)
    model.set_params(lookbackwindower__fill_missing="forward")
    assert len(forecast(model, history, 3, future=sales)) == 3
