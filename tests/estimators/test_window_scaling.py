"""With window_scaling a network sees shapes, and its forecasts follow level and spread."""

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skl_lstm import LookbackWindower, LSTMClassifier, LSTMForecaster, make_supervised
from skl_lstm.estimators.normalization import normalized
from skl_lstm.network.scaling import METHODS
from skl_lstm.network.windows import Windows
from skl_lstm.training.rows import Rows

QUICK = {"units": 3, "epochs": 2, "batch_size": 16, "random_state": 0}
LOOK_BACK = 4


def forecaster(**parameters):
    return LSTMForecaster(**{**QUICK, "window_scaling": "last", **parameters})


def piped(**parameters):
    return make_pipeline(LookbackWindower(LOOK_BACK), forecaster(**parameters))


def walk(n_rows=60, n_columns=1, seed=0):
    return np.random.default_rng(seed).normal(size=(n_rows, n_columns)).cumsum(axis=0)


def weights(model):
    return np.concatenate([part.ravel() for part in model.weights_])


@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    shift=st.sampled_from([0.0, 1e3, -1e6, 1e9]),
    factor=st.sampled_from([1.0, 1e-8, 0.3, 1e6]),
)
def test_forecasts_follow_the_level_and_the_spread_of_the_series(method, seed, shift, factor):
    assume(abs(shift) <= 1e9 * factor)  # else float64 leaves too little of the series
    check_that_forecasts_follow("native", method, seed, shift, factor)


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
@settings(max_examples=4, deadline=None)
@given(
    seed=st.integers(0, 2**16),
    shift=st.sampled_from([0.0, 1e3, -1e6]),
    factor=st.sampled_from([1e-2, 0.3, 1e6]),
)
def test_forecasts_of_the_keras_engine_follow_too(method, seed, shift, factor):
    check_that_forecasts_follow("keras", method, seed, shift, factor)


def check_that_forecasts_follow(engine, method, seed, shift, factor):
    series = walk(seed=seed)
    shift = 0.0 if method == "mean" else shift
    X, y = make_supervised(series)
    X_moved, y_moved = make_supervised(factor * series + shift)
    model = piped(window_scaling=method, engine=engine)
    expected = factor * model.fit(X, y).predict(X) + shift
    found = model.fit(X_moved, y_moved).predict(X_moved)
    # Relative to the spread of the series, and to what float64 leaves of it at its level.
    spread = factor * np.ptp(series)
    assert_allclose(found, expected, rtol=0, atol=1e-4 * spread + 1e-12 * abs(shift))


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "parameters",
    [
        {"target": 1},
        {"target": [1, 0], "reshape_mode": "features"},
        {"target": 0, "validation_split": 0.3, "loss": "pinball"},
    ],
    ids=["one target", "two as features", "a quantile"],
)
def test_the_engines_end_at_the_same_weights(method, parameters):
    X = LookbackWindower(LOOK_BACK).fit_transform(walk(n_columns=2))
    y = walk(n_columns=2, seed=1)
    weight = np.linspace(0.5, 2.0, len(X))
    model = forecaster(window_scaling=method, features_per_step=2, epochs=5, **parameters)
    native, keras = (
        clone(model).set_params(engine=engine).fit(X, y, weight) for engine in ("native", "keras")
    )
    assert_allclose(weights(native), weights(keras), atol=1e-5)
    for name, values in native.history_.items():
        assert_allclose(values, keras.history_[name], rtol=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_windows_laid_out_train_and_predict_as_those_that_overlap(method):
    X, y = make_supervised(walk())
    windows = LookbackWindower(LOOK_BACK).fit_transform(X)
    model = forecaster(window_scaling=method)
    overlapping, laid_out = (clone(model).fit(each, y) for each in (windows, windows.copy()))
    assert_array_equal(weights(overlapping), weights(laid_out))
    assert_array_equal(overlapping.predict(windows), laid_out.predict(windows.copy()))


def test_a_step_wider_than_the_series_trains_as_laid_out():
    X, y = make_supervised(walk())
    windows = np.asarray(LookbackWindower(LOOK_BACK).fit_transform(X))
    model = forecaster(features_per_step=2, target=1)
    overlapping, laid_out = (clone(model).fit(each, y) for each in (windows, windows.copy()))
    assert_array_equal(weights(overlapping), weights(laid_out))


def test_the_last_value_repeated_is_the_forecast_of_a_network_of_zeros():
    X, y = make_supervised(walk())
    model = piped().fit(X, y)
    model[-1].weights_ = [0.0 * part for part in model[-1].weights_]
    assert_allclose(model.predict(X), X[:, 0])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("level", [0.0, 0.1, 7e5])
def test_a_constant_series_goes_on(method, level):
    X, y = make_supervised(np.full(30, level))
    predicted = piped(window_scaling=method, epochs=300, learning_rate=0.01).fit(X, y).predict(X)
    assert_allclose(predicted, y, rtol=0 if method != "mean" else 1e-3)


@pytest.mark.parametrize("level", [-5.0, 100.0])
def test_a_constant_window_gives_almost_its_constant(level):
    X, y = make_supervised(walk(200))
    model = piped(window_scaling="standard", epochs=50).fit(X, y)
    scales = np.std(model[0].transform(X)[LOOK_BACK:], axis=1)
    predicted = model[-1].predict(np.full((1, LOOK_BACK), level))
    assert abs(predicted[0] - level) < 0.1 * np.median(scales)


def test_no_forecast_depends_on_later_rows():
    series = walk(80)
    X, y = make_supervised(series)
    model = piped(window_scaling="standard").fit(X[:50], y[:50])
    before = model.predict(X[50:])
    changed = X.copy()
    changed[65:] = 1e6
    assert_array_equal(model.predict(changed[50:])[:15], before[:15])


def test_rows_of_zero_weight_teach_nothing():
    X, y = walk(40, 4), walk(40)[:, 0]
    weight = np.repeat([1.0, 0.0], 20)
    wild = X.copy()
    wild[20:] *= 1e3
    fits = [forecaster(shuffle=False).fit(rows, y, weight) for rows in (X, wild)]
    assert fits[0].window_scaling_ == fits[1].window_scaling_
    assert fits[0].window_scaling_ == forecaster().fit(X[:20], y[:20]).window_scaling_


def test_what_is_learned_comes_from_the_rows_before_validation():
    X, y = make_supervised(walk(80))
    wild = X.copy()
    wild[60:] *= 1e3
    scalings = [
        piped(validation_split=0.25).fit(rows, y)[-1].window_scaling_ for rows in (X, wild)
    ]
    assert scalings[0] == scalings[1]


def test_a_row_is_forecast_the_same_whatever_stands_beside_it():
    X, y = make_supervised(walk())
    model = forecaster(window_scaling="standard").fit(
        windows := LookbackWindower(LOOK_BACK, padding="edge").fit_transform(X), y
    )
    one_by_one = np.concatenate([model.predict(row[np.newaxis]) for row in windows])
    assert_allclose(one_by_one, model.predict(windows), rtol=1e-6, atol=1e-6)


def test_a_missing_lag_is_filled_before_the_window_is_normalized():
    X, y = make_supervised(walk())
    windows = LookbackWindower(LOOK_BACK).fit_transform(X)
    model = forecaster(window_scaling="standard").fit(windows, y)
    assert_array_equal(
        model.predict([[np.nan, np.nan, 2.0, 3.0]]), model.predict([[2.0, 2.0, 2.0, 3.0]])
    )
    assert np.isnan(model.predict([[np.nan] * LOOK_BACK])).all()


def test_rows_with_a_missing_lag_change_nothing_that_is_learned():
    X, y = make_supervised(walk())
    windows = LookbackWindower(LOOK_BACK).fit_transform(X)
    complete = forecaster().fit(windows[LOOK_BACK - 1 :], y[LOOK_BACK - 1 :])
    padded = forecaster().fit(windows, y)
    assert padded.window_scaling_ == complete.window_scaling_
    assert_allclose(weights(padded), weights(complete), atol=1e-6)


@pytest.mark.parametrize(
    "changes",
    [
        {"early_stopping": True, "validation_split": 0.3, "patience": 1},
        {"loss": "pinball", "quantile": 0.6},
        {"metrics": ["mae"]},
        {"units": (3, 2), "dropout": 0.2, "recurrent_dropout": 0.2},
        {"mirror": True},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_it_goes_with_every_way_to_train(changes):
    X, y = make_supervised(walk(100) + 1e4)
    model = piped(**changes, epochs=30, learning_rate=0.01).fit(X, y)
    naive = np.abs(X[:, 0] - y).mean()
    assert np.abs(model.predict(X) - y).mean() < 1.2 * naive
    assert max(model[-1].history_["loss"]) < 50  # in normalized units


@pytest.mark.parametrize("method", ["last", "standard"])
@pytest.mark.parametrize("validation_split", [0.0, 0.3])
def test_mirrored_windows_are_those_stacked_by_hand(method, validation_split, engine):
    X, y = make_supervised(walk())
    windows = LookbackWindower(LOOK_BACK).fit_transform(X)[LOOK_BACK - 1 :]
    y, weight = y[LOOK_BACK - 1 :], np.linspace(0.5, 2.0, len(windows))
    center = windows[:, -1] if method == "last" else windows.mean(axis=1)
    n_train = int(len(y) * (1 - validation_split))
    parts = [np.s_[:n_train], np.s_[:n_train], np.s_[n_train:]]
    by_hand = [
        np.concatenate([values[parts[0]], upside_down[parts[1]], values[parts[2]]])
        for values, upside_down in (
            (windows, 2 * center[:, np.newaxis] - windows),
            (y, 2 * center - y),
            (weight, weight),
        )
    ]
    model = forecaster(window_scaling=method, engine=engine, epochs=5)
    mirrored = clone(model).set_params(mirror=True, validation_split=validation_split)
    mirrored.fit(windows, y, weight)
    share = max(0.0, (len(y) - n_train) / len(by_hand[1]) - 1e-9)
    stacked = clone(model).set_params(validation_split=share).fit(*by_hand)
    assert_allclose(weights(mirrored), weights(stacked), atol=1e-5)
    assert_allclose(mirrored.history_["loss"], stacked.history_["loss"], rtol=1e-4)


def test_a_step_with_other_columns_cannot_be_mirrored():
    with pytest.raises(ValueError) as refused:
        forecaster(mirror=True, features_per_step=2, target=0).fit(walk(30, 4), walk(30)[:, 0])
    assert str(refused.value) == (
        "mirror must be False if a step has other columns than the target, which cannot be "
        "turned upside down, got True"
    )


def test_mirrored_a_network_has_no_drift():
    X, y = make_supervised(np.arange(100.0) + walk(100)[:, 0])
    drifts = [
        piped(mirror=mirror, epochs=200, learning_rate=0.01).fit(X, y)[-1].predict([[5.0] * 4])[0]
        for mirror in (False, True)
    ]
    assert abs(drifts[1] - 5.0) < 0.1 * abs(drifts[0] - 5.0)


def test_several_values_ahead_are_in_the_units_of_the_series():
    X, y = make_supervised(walk(100) + 1e4, horizon=3)
    predicted = piped(epochs=20).fit(X, y).predict(X)
    assert predicted.shape == y.shape
    assert np.abs(predicted - y).max() < 20


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_predictions_have_the_precision_of_X(dtype):
    X, y = make_supervised(walk())
    windows = LookbackWindower(LOOK_BACK).fit_transform(X).astype(dtype)
    assert forecaster().fit(windows, y).predict(windows).dtype == dtype


def test_training_goes_on_in_the_same_units():
    X, y = make_supervised(walk())
    windows = LookbackWindower(LOOK_BACK).fit_transform(X)
    once = forecaster(epochs=4).fit(windows, y)
    twice = forecaster(warm_start=True).fit(windows, y).fit(windows, y)
    by_epoch = forecaster()
    for _ in range(4):
        by_epoch.partial_fit(windows, y)
    for other in (twice, by_epoch):
        assert_allclose(weights(other), weights(once), atol=1e-6)
    scaling = by_epoch.window_scaling_
    assert by_epoch.partial_fit(1e3 * windows, 1e3 * y).window_scaling_ == scaling


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        (
            {"target": 0},
            {"target": 1},
            "('last', (0,)), but the parameters now require ('last', (1,))",
        ),
        (
            {"target": 0},
            {"window_scaling": None},
            "('last', (0,)), but the parameters now require (None, ())",
        ),
        (
            {"window_scaling": None},
            {"window_scaling": "mean", "target": 0},
            "(None, ()), but the parameters now require ('mean', (0,))",
        ),
    ],
)
def test_training_cannot_go_on_in_other_units(before, after, message):
    X, y = walk(30, 4), walk(30)[:, 0]
    model = forecaster(features_per_step=2, **before).fit(X, y).set_params(**after)
    with pytest.raises(ValueError) as refused:
        model.partial_fit(X, y)
    assert str(refused.value) == (
        "training must continue with the same window_scaling and target columns, " + message
    )


def frame_of_windows():
    series = pd.DataFrame(walk(30, 2), columns=["sold", "price"])
    return LookbackWindower(3).set_output(transform="pandas").fit_transform(series)


@pytest.mark.parametrize(
    ("target", "columns"),
    [
        ("price", (1,)),
        (["price", "sold"], (1, 0)),
        (["price", 0], (1, 0)),
        (1, (1,)),
        (-2, (0,)),
        (np.int64(1), (1,)),
        (np.array([1, 0]), (1, 0)),
        (pd.Index(["price"]), (1,)),
    ],
)
def test_targets_are_named_or_counted(target, columns):
    X, y = frame_of_windows(), walk(30, 2)
    model = forecaster(features_per_step=2, target=target).fit(X, y)
    assert model.window_scaling_.columns == columns


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (
            None,
            "target must name the columns that window_scaling normalizes, of the 2 in a step, "
            "['sold', 'price'], got None",
        ),
        ("cost", "target must be columns of a step, ['sold', 'price'], got 'cost'"),
        ("price_lag1", "target must be columns of a step, ['sold', 'price'], got 'price_lag1'"),
        (2, "target must be positions from -2 to 1, got 2"),
        (-3, "target must be positions from -2 to 1, got -3"),
        (b"price", "target must be names or positions of columns, got b'price'"),
        (np.array("price"), "target must be names or positions of columns, got array('price', "),
        ({"price"}, "target must be names or positions of columns, got {'price'}"),
        (["price", 1], "target must name each column once, got ['price', 1]"),
        ([], "target must be names or positions of columns, got []"),
        (True, "target must be names or positions of columns, got True"),
        (1.0, "target must be names or positions of columns, got 1.0"),
        ([None], "target must be names or positions of columns, got None"),
    ],
)
def test_targets_that_are_not_there_are_named(target, message):
    X, y = frame_of_windows(), walk(30, 2)
    with pytest.raises(ValueError) as refused:
        forecaster(features_per_step=2, target=target).fit(X, y)
    assert str(refused.value).startswith(message)


def test_a_name_needs_column_names():
    with pytest.raises(ValueError) as refused:
        forecaster(features_per_step=2, target="price").fit(walk(30, 4), walk(30)[:, 0])
    assert str(refused.value) == (
        "target must be positions if X has no column names, got 'price'; "
        "windows have those of the DataFrame that they are made of"
    )


def test_y_must_have_a_column_for_each_target():
    with pytest.raises(ValueError) as refused:
        forecaster(features_per_step=2, target=[0, 1]).fit(walk(30, 4), walk(30, 3))
    assert str(refused.value) == (
        "y must have a multiple of 2 columns, one for each target column in each step, got 3"
    )


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"window_scaling": "first"},
            "window_scaling must be one of (None, 'last', 'mean', 'standard'), got 'first'",
        ),
        (
            {"stateful": True},
            "window_scaling must be None if stateful=True, because a state cannot continue from "
            "a window in other units, got 'last'",
        ),
    ],
)
def test_what_cannot_be_scaled_is_named(parameters, message):
    for model in (
        forecaster(**parameters),
        LSTMClassifier(**{"window_scaling": "last"} | parameters),
    ):
        with pytest.raises(ValueError) as refused:
            model.fit(walk(30, 4), np.arange(30) % 2)
        assert str(refused.value) == message


@pytest.mark.parametrize("method", ["last", "standard"])
@pytest.mark.parametrize("activation", ["relu", "sigmoid", "softmax", "tanh"])
def test_outputs_that_are_differences_must_be_linear(method, activation):
    with pytest.raises(ValueError) as refused:
        forecaster(window_scaling=method, output_activation=activation).fit(walk(), walk()[:, 0])
    assert str(refused.value) == (
        f"output_activation must be 'linear' if window_scaling={method!r}, because outputs are "
        f"differences from the location of a window, got {activation!r}"
    )


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"window_scaling": None},
            "window_scaling must be 'last' or 'standard' if mirror=True, which turns windows "
            "upside down about their location, got None",
        ),
        (
            {"window_scaling": "mean"},
            "window_scaling must be 'last' or 'standard' if mirror=True, which turns windows "
            "upside down about their location, got 'mean'",
        ),
        (
            {"loss": "pinball"},
            "mirror must be False with loss='pinball', because a quantile turned upside down is "
            "another quantile, got True",
        ),
    ],
)
def test_what_cannot_be_mirrored_is_named(parameters, message):
    with pytest.raises(ValueError) as refused:
        forecaster(mirror=True, **parameters).fit(walk(30, 4), walk(30)[:, 0])
    assert str(refused.value) == message


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("which", ["X", "y"])
def test_values_too_large_are_refused(method, which):
    X, y = walk(30, 4), walk(30)[:, 0]
    (X if which == "X" else y)[20] = np.inf
    with pytest.raises(ValueError, match=f"^Input {which} contains infinity or a value too large"):
        forecaster(window_scaling=method).fit(X, y)


def test_a_column_that_is_not_normalized_must_fit_into_float32():
    X = walk(30, 4)
    model = forecaster(features_per_step=2, target=0).fit(X, X[:, 0])
    X[3, 1] = 1e300
    message = r"^Input X contains infinity or a value too large for dtype\('float32'\)\.$"
    for method in (model.predict, lambda X: clone(model).fit(X, X[:, 0])):
        with pytest.raises(ValueError, match=message):
            method(X)


@pytest.mark.parametrize(
    "in_other_units",
    [
        lambda X, y: (X, MinMaxScaler().fit_transform(y[:, np.newaxis])[:, 0]),
        lambda X, y: (MinMaxScaler().fit_transform(X), y),
        lambda X, y: (X, y - 1e5),
        lambda X, y: (X, np.log(y)),
    ],
    ids=["y scaled", "X scaled", "y shifted", "logarithms of y"],
)
def test_y_in_other_units_is_warned_of(in_other_units):
    X, y = in_other_units(*make_supervised(walk() + 300))
    with pytest.warns(
        UserWarning, match="^y (lies far outside|has other units than) the windows"
    ) as caught:
        piped().fit(X, y)
    (warning,) = caught
    assert str(warning.message).endswith(
        "window_scaling='last' needs both in the same units: scale neither of them, and let "
        "target name the column that y continues"
    )
    assert warning.filename == __file__


@pytest.mark.filterwarnings("error")
def test_rows_that_come_one_by_one_are_not_warned_of():
    series = np.arange(30.0)
    model = forecaster()
    for end in range(5, 30):
        model.partial_fit([series[end - 5 : end]], [series[end]])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("horizon", [1, 12])
def test_a_series_that_grows_is_not_warned_of(method, horizon):
    X, y = make_supervised(1.1 ** np.arange(40.0), horizon=horizon)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        piped(window_scaling=method).fit(X, y)


def test_logarithms_of_both_are_no_other_units():
    series = np.exp(0.1 * walk() + 5)
    X, y = make_supervised(np.log(series))
    expected = np.exp(piped().fit(X, y).predict(X))
    X, y = make_supervised(series)
    model = TransformedTargetRegressor(piped(), func=np.log, inverse_func=np.exp)
    assert_allclose(model.fit(np.log(X), y).predict(np.log(X)), expected, rtol=1e-6)


def test_a_search_chooses_the_scaling():
    X, y = make_supervised(walk(80))
    search = GridSearchCV(
        piped(), {"lstmforecaster__window_scaling": [None, *METHODS]}, cv=TimeSeriesSplit(2)
    ).fit(X, y)
    scores = search.cv_results_["mean_test_score"]
    assert np.isfinite(scores).all()
    assert len(set(scores)) == 1 + len(METHODS)
    chosen = search.best_estimator_[-1].window_scaling_
    assert (chosen and chosen.method) == search.best_params_["lstmforecaster__window_scaling"]


@pytest.mark.parametrize("level", [1e8, 1e9])
@pytest.mark.parametrize("method", ["last", "standard"])
def test_one_row_at_another_level_does_not_cost_the_others_their_precision(method, level):
    X, y = walk(60, 4), walk(60)[:, 0]
    model = forecaster(window_scaling=method)
    expected = clone(model).fit(X[1:], y[1:]).window_scaling_
    X[1:], y[1:] = X[1:] + level, y[1:] + level
    rows = normalized(expected, Rows(Windows.of(X, 4, 1, np.float64), y[:, np.newaxis]))
    windows = rows.windows
    gathered = (windows.view()[..., 0] - windows.locations) / windows.scales
    exact = expected.normalize(X[..., np.newaxis], *expected.measure(X[..., np.newaxis]))
    assert_allclose(gathered[1:], exact[1:, :, 0], atol=1e-4)


def test_without_it_nothing_is_kept():
    model = forecaster(window_scaling=None).fit(walk(30, 4), walk(30)[:, 0])
    assert model.window_scaling_ is None


def test_a_classifier_sees_shapes_and_says_probabilities():
    rng = np.random.default_rng(0)
    slope = rng.choice([-1.0, 1.0], 80)
    X = slope[:, np.newaxis] * np.arange(5) + rng.normal(0, 1e3, (80, 1))
    model = LSTMClassifier(
        units=4, window_scaling="standard", epochs=40, learning_rate=0.05, random_state=0
    ).fit(X, slope > 0)
    assert model.score(X, slope > 0) == 1.0
    assert not model.window_scaling_.restores
    far = 1e6 + 1e3 * X
    assert_allclose(model.predict_proba(far), model.predict_proba(X), atol=1e-5)
    assert_allclose(model.decision_function(far), model.decision_function(X), atol=1e-4)


def test_a_forecast_of_the_airline_series_goes_beyond_what_it_has_seen(airline):
    X, y = (each.to_numpy() for each in airline)
    model = make_pipeline(
        LookbackWindower(12), LSTMForecaster(window_scaling="last", random_state=0)
    ).fit(X[:100], y[:100])
    predicted = model.predict(X[100:])
    assert predicted.max() > y[:100].max()
    assert np.abs(predicted - y[100:]).mean() < 0.6 * np.abs(X[100:, 0] - y[100:]).mean()
