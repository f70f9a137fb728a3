"""A search is judged by forecasts of several steps, from origins that training has not seen."""

import pickle

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
    TimeSeriesSplit,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skl_lstm import (
    KnownRowsRegressor,
    LookbackWindower,
    LSTMForecaster,
    SeriesWarning,
    forecast,
    forecast_scorer,
    load_airline_passengers,
    make_supervised,
)

SPLITS = TimeSeriesSplit(3, test_size=18)


def linear(look_back=3, **parameters):
    windower = LookbackWindower(look_back, padding="edge", **parameters)
    return make_pipeline(windower, LinearRegression())


def network(look_back=3, **parameters):
    settings = {"units": 3, "epochs": 3, "random_state": 0, **parameters}
    return TransformedTargetRegressor(
        make_pipeline(
            MinMaxScaler().set_output(transform="pandas"),
            LookbackWindower(look_back),
            LSTMForecaster(**settings),
        ),
        transformer=MinMaxScaler(),
    )


MODELS = {
    "linear": linear(),
    "longer than the test part": linear(20),
    "network": network(),
    "normalized": make_pipeline(
        LookbackWindower(12),
        LSTMForecaster(units=3, epochs=3, window_scaling="last", random_state=0),
    ),
    "search": GridSearchCV(
        network(), {"regressor__lstmforecaster__units": [2, 3]}, cv=TimeSeriesSplit(2)
    ),
    "filled": make_pipeline(LookbackWindower(4, fill_missing="forward"), KnownRowsRegressor()),
}


@pytest.fixture
def series():
    return load_airline_passengers().astype(float)


def by_hand(model, series, train, test, steps, horizon=1, stride=1, **names):
    """Return truth and forecasts from each origin, one after the other, by forecast itself."""
    target = names.get("target", getattr(series, "name", None))
    values = series if series.ndim == 1 else series[target]
    known = {} if series.ndim == 1 else {**names, "future": series.drop(columns=target)}
    truth, paths = [], []
    last = len(series) - 1 if test[-1] + horizon >= len(series) - 1 else test[-1] + horizon
    for origin in range(test[0] + horizon - 1, last - steps + 1, stride):
        truth.append(values.iloc[origin + 1 : origin + 1 + steps])
        paths.append(forecast(model, series[: origin + 1], steps, **known))
    return np.concatenate(truth), np.concatenate(paths)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(("horizon", "stride"), [(1, 1), (3, 1), (1, 5)])
def test_the_score_is_that_of_forecasts_from_the_test_rows(name, horizon, stride, series):
    X, y = make_supervised(series, horizon=horizon)
    for train, test in list(SPLITS.split(X))[1:]:
        model = clone(MODELS[name]).fit(X.iloc[train], y.iloc[train])
        scorer = forecast_scorer(6, stride=stride)
        truth, paths = by_hand(model, series, train, test, 6, horizon, stride)
        found = scorer(model, X.iloc[test], y.iloc[test])
        assert found == pytest.approx(-np.abs(truth - paths).mean(), rel=1e-5)


@pytest.mark.parametrize("kind", [np.asarray, lambda values: values.reset_index(drop=True)])
def test_rows_without_times_follow_the_training_rows(kind, series):
    X, y = make_supervised(series)
    scores = {
        each: cross_val_score(
            linear(), *data, cv=SPLITS, scoring=forecast_scorer(6), error_score="raise"
        )
        for each, data in {"dated": (X, y), "plain": (kind(X), kind(y))}.items()
    }
    assert_allclose(scores["plain"], scores["dated"])


def test_another_metric_gets_all_forecasts(series):
    X, y = make_supervised(series)
    train, test = list(SPLITS.split(X))[-1]
    model = linear().fit(X.iloc[train], y.iloc[train])
    truth, paths = by_hand(model, series, train, test, 6)
    score = forecast_scorer(6, metric=root_mean_squared_error)(model, X.iloc[test], y.iloc[test])
    assert score == pytest.approx(-root_mean_squared_error(truth, paths))


@pytest.mark.parametrize("horizon", [1, 3])
def test_columns_known_ahead_are_read_at_their_time(horizon):
    rng = np.random.default_rng(0)
    price = rng.normal(size=120)
    days = pd.date_range("2024-01-01", periods=120)
    rows = pd.DataFrame({"sold": 9 - price + rng.normal(size=120), "price": price}, index=days)
    names = {"target": "sold", "known": "price"}
    X, y = make_supervised(rows, **names, horizon=horizon)
    train, test = list(SPLITS.split(X))[-1]
    model = linear(4).fit(X.iloc[train], y.iloc[train])
    score = forecast_scorer(6)(model, X.iloc[test], y.iloc[test])
    truth, paths = by_hand(model, rows, train, test, 6, horizon, **names)
    n_read = (len(test) - horizon + 1 - 3 * (horizon > 1)) * 6  # blocks that begin in a test row
    assert score == pytest.approx(-np.abs(truth - paths)[:n_read].mean())


def test_nothing_but_the_rows_before_an_origin_is_seen(series):
    X, y = make_supervised(series, horizon=3)
    train, test = list(SPLITS.split(X))[-1]
    model = linear().fit(X.iloc[train], y.iloc[train])
    seen = []
    scorer = forecast_scorer(6, stride=100, metric=lambda truth, said: seen.append(said) or 0.0)
    scorer(model, X.iloc[test], y.iloc[test])
    changed = series.copy()
    changed.iloc[test[0] + 3 :] = 1e3  # after the last value that training has seen
    X_changed, y_changed = make_supervised(changed, horizon=3)
    assert_allclose(y_changed.iloc[train], y.iloc[train])
    scorer(model, X_changed.iloc[test], y_changed.iloc[test])
    assert_allclose(seen[2], seen[0])  # those between are the truth itself


@pytest.mark.parametrize(
    "search",
    [
        lambda model, grid, **options: GridSearchCV(model, grid, **options),
        lambda model, grid, **options: RandomizedSearchCV(
            model, grid, n_iter=3, random_state=0, **options
        ),
    ],
    ids=["grid", "randomized"],
)
def test_a_search_chooses_by_the_twelfth_month_too(search, series):
    X, y = make_supervised(series)
    grid = {"lookbackwindower__look_back": [1, 2, 12]}
    cv = TimeSeriesSplit(3, test_size=24)
    found = search(linear(), grid, cv=cv, scoring=forecast_scorer(12), error_score="raise")
    assert found.fit(X, y).best_params_ == {"lookbackwindower__look_back": 12}


@pytest.mark.filterwarnings("ignore:OptunaSearchCV is experimental")
def test_a_search_of_optuna_takes_it_too(series):
    distributions = pytest.importorskip("optuna.distributions")
    optuna_integration = pytest.importorskip("optuna_integration")
    X, y = make_supervised(series)
    search = optuna_integration.OptunaSearchCV(
        linear(),
        {"lookbackwindower__look_back": distributions.CategoricalDistribution([1, 2, 12])},
        cv=TimeSeriesSplit(3, test_size=24),
        scoring=forecast_scorer(12),
        n_trials=6,
        random_state=0,
        error_score="raise",
    ).fit(X, y)
    assert search.best_params_ == {"lookbackwindower__look_back": 12}


def test_a_halving_search_over_epochs_works(series):
    X, y = make_supervised(series)
    model = MODELS["normalized"]
    search = HalvingGridSearchCV(
        model,
        {"lstmforecaster__units": [2, 4, 6]},
        resource="lstmforecaster__epochs",
        min_resources=1,
        max_resources=4,
        factor=2,
        cv=TimeSeriesSplit(2, test_size=18),
        scoring=forecast_scorer(12),
        error_score="raise",
    ).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_a_scorer_can_be_pickled_and_copied(series):
    X, y = make_supervised(series)
    scorer = forecast_scorer(6, stride=3, metric=root_mean_squared_error)
    copied = pickle.loads(pickle.dumps(scorer))
    assert copied == scorer
    assert b"skl_lstm.forecasting" not in pickle.dumps(scorer)
    model = linear().fit(X[:100], y[:100])
    assert copied(model, X[100:], y[100:]) == scorer(model, X[100:], y[100:])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"steps": 0}, "steps must be a positive integer, got 0"),
        ({"steps": 3, "stride": 0.5}, "stride must be a positive integer, got 0.5"),
        (
            {"steps": 3, "metric": "MAE"},
            "metric must be a callable of y_true and y_pred, such as mean_absolute_error of "
            "sklearn.metrics, or None, got 'MAE'",
        ),
    ],
)
def test_invalid_parameters_are_refused(arguments, message):
    with pytest.raises(ValueError) as refused:
        forecast_scorer(**arguments)
    assert str(refused.value) == message


def test_what_cannot_be_scored_is_refused(series):
    X, y = make_supervised(series)
    model = linear().fit(X[:100], y[:100])
    with pytest.raises(ValueError) as refused:
        forecast_scorer(12)(model, X[100:110], y[100:110])
    assert str(refused.value) == (
        "X must have at least 12 rows for forecasts of steps=12, got 10, from 1957-05-01 to "
        "1958-02-01; set a larger test_size in the splitter"
    )
    assert forecast_scorer(12)(model, X[100:112], y[100:112]) < 0
    filled = clone(MODELS["filled"]).fit(X[:100], y[:100])
    one_known = X[100:112].copy()
    one_known.iloc[1:] = np.nan
    missing = pd.Series(np.nan, X.index[100:112], name="passengers")
    with pytest.raises(ValueError, match=r"^y must be known in at least one row to forecast, got"):
        forecast_scorer(12)(filled, one_known, missing)
    with pytest.raises(ValueError, match=r"^metric must return an error, .* got -1$"):
        forecast_scorer(12, metric=lambda *_: -1)(model, X[100:], y[100:])
    with pytest.raises(ValueError, match=r"^metric must return an error, which is 0 if the pred"):
        forecast_scorer(12, metric=lambda *_: 1.0)(model, X[100:], y[100:])
    with pytest.raises(ValueError, match=r"^estimator must be a regressor, got L"):
        forecast_scorer(12)(LogisticRegression(), X, y)
    wider = X.assign(price=1.0)
    of_two = linear().fit(wider[:100], y[:100])
    with pytest.raises(ValueError, match=r"^steps must be at most horizon=1, because \['price'\]"):
        forecast_scorer(12)(of_two, wider[100:], y[100:])
    assert forecast_scorer(12, known="price")(of_two, wider[100:], y[100:]) < 0


def test_test_rows_that_do_not_follow_the_training_rows_are_told(series):
    X, y = make_supervised(series)
    train, test = np.arange(60, 140), np.arange(30, 55)
    model = linear(12).fit(X.iloc[train], y.iloc[train])
    with pytest.warns(SeriesWarning, match="which does not follow the rows seen in fit"):
        forecast_scorer(3)(model, X.iloc[test], y.iloc[test])


def test_a_model_of_several_series_is_refused(series):
    table = pd.concat({"a": series, "b": series}, names=["shop"]).to_frame("sold")
    X, y = make_supervised(table, group="shop")
    model = linear(group="shop").fit(X, y)
    with pytest.raises(ValueError, match=r"^estimator must forecast one series, got one of sev"):
        forecast_scorer(3)(model, X, y)
