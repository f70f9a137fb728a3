"""Rows to validate on that are passed to fit do what held-out rows do, and must be alike."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.compose import TransformedTargetRegressor
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skl_lstm import (
    KnownRowsRegressor,
    LookbackWindower,
    LSTMClassifier,
    LSTMForecaster,
    SeriesScaledRegressor,
    SeriesWarning,
    make_supervised,
)

QUICK = {"units": 3, "epochs": 4, "batch_size": 8, "random_state": 0}
SERIES = np.sin(np.arange(60.0) * 0.7) + np.arange(60.0) / 60
WINDOWS = LookbackWindower(4).fit_transform(SERIES[:, np.newaxis])[3:-1]
Y = SERIES[4:]
WEIGHT = np.linspace(0.5, 1.5, len(Y))
N = 40
DATA = WINDOWS[:N], Y[:N]
HELD_OUT = WINDOWS[N:], Y[N:]
N_LAST = len(Y) - N


def assert_same_training(ours, theirs):
    for part, expected in zip(ours.weights_, theirs.weights_, strict=True):
        assert_allclose(part, expected, atol=2e-5)
    assert list(ours.history_) == list(theirs.history_)
    for name, losses in theirs.history_.items():
        assert_allclose(ours.history_[name], losses, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    "settings",
    [
        {"metrics": ["mae"]},
        {"early_stopping": True, "patience": 2, "epochs": 40, "learning_rate": 0.1},
        {"window_scaling": "last", "mirror": True},
        {"window_scaling": "standard"},
        {"stateful": True, "batch_size": 4},
        {"loss": "pinball", "quantile": [0.1, 0.5, 0.9]},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_it_is_what_holding_out_the_same_rows_is(settings, engine):
    parameters = {**QUICK, **settings, "engine": engine}
    split = LSTMForecaster(**parameters, validation_split=N_LAST).fit(WINDOWS, Y)
    given = LSTMForecaster(**parameters).fit(*DATA, validation_data=HELD_OUT)
    assert_same_training(given, split)


def test_the_kernel_gives_the_same_bits_either_way():
    split = LSTMForecaster(**QUICK, validation_split=N_LAST).fit(WINDOWS, Y)
    given = LSTMForecaster(**QUICK).fit(*DATA, validation_data=HELD_OUT)
    assert given.engine_ == "native"
    assert given.history_ == split.history_
    for part, expected in zip(given.weights_, split.weights_, strict=True):
        assert_array_equal(part, expected)


def test_its_rows_are_weighted_by_their_own_weights(engine):
    parameters = {**QUICK, "engine": engine}
    split = LSTMForecaster(**parameters, validation_split=N_LAST).fit(WINDOWS, Y, WEIGHT)
    given = LSTMForecaster(**parameters)
    given.fit(*DATA, WEIGHT[:N], validation_data=(*HELD_OUT, WEIGHT[N:]))
    assert_same_training(given, split)
    plain = given.fit(*DATA, validation_data=HELD_OUT).history_["val_loss"]
    heavy = given.fit(*DATA, validation_data=(*HELD_OUT, np.full(N_LAST, 2.0)))
    assert_allclose(heavy.history_["val_loss"], 2 * np.array(plain), rtol=1e-5)


def test_nothing_but_the_end_of_training_depends_on_it():
    alone = LSTMForecaster(**QUICK).fit(*DATA)
    other = HELD_OUT[0], HELD_OUT[1] + 1.0
    for validation_data in (HELD_OUT, other):
        given = LSTMForecaster(**QUICK).fit(*DATA, validation_data=validation_data)
        assert_array_equal(given.weights_[0], alone.weights_[0])
        assert given.history_["loss"] == pytest.approx(alone.history_["loss"])


def test_incomplete_rows_of_it_are_left_out():
    X_val, y_val = np.array(HELD_OUT[0]), np.where(np.arange(N_LAST) == 3, np.nan, HELD_OUT[1])
    X_val[5, 1] = np.nan
    keep = ~np.isin(np.arange(N_LAST), [3, 5])
    arrays = np.asarray(WINDOWS[:N]), Y[:N]
    holes, without = (
        LSTMForecaster(**QUICK).fit(*arrays, validation_data=data)
        for data in ((X_val, y_val), (X_val[keep], y_val[keep]))
    )
    assert holes.history_ == without.history_


@pytest.mark.parametrize("loss_of", ["balanced", {"low": 3.0}])
def test_labels_are_weighted_by_the_classes_of_the_training_rows(loss_of, engine):
    labels = np.where(Y > 0.6, "high", "low")
    model = LSTMClassifier(**QUICK, class_weight=loss_of, engine=engine)
    model.fit(WINDOWS[:N], labels[:N], validation_data=(WINDOWS[N:], labels[N:]))
    if loss_of == "balanced":
        loss_of = {name: N / 2 / np.sum(labels[:N] == name) for name in ("high", "low")}
    weight = np.array([loss_of.get(name, 1.0) for name in labels])
    plain = LSTMClassifier(**QUICK, engine=engine).fit(
        WINDOWS[:N],
        labels[:N],
        weight[:N],
        validation_data=(WINDOWS[N:], labels[N:], weight[N:]),
    )
    assert_same_training(model, plain)
    only_one = WINDOWS[N:], np.full(N_LAST, "low")
    assert np.isfinite(model.fit(WINDOWS[:N], labels[:N], validation_data=only_one).n_iter_)


@pytest.mark.parametrize(
    ("validation_data", "message"),
    [
        (HELD_OUT[0], "a tuple (X_val, y_val) or (X_val, y_val, sample_weight_val), got WindowAr"),
        ((HELD_OUT[0],), "sample_weight_val), got (WindowArray)"),
        ((HELD_OUT[0], None), "sample_weight_val), got (WindowArray, NoneType)"),
        (
            (SERIES[40:, np.newaxis], SERIES[40:]),
            "in validation_data, X has windows of shape (1,), but must have windows like those to "
            "train on, of shape (4,). A Pipeline or a TransformedTargetRegressor passes "
            "validation_data as it is: transform it before, or set validation_split",
        ),
        (
            (np.asarray(HELD_OUT[0]), HELD_OUT[1]),
            "in validation_data, X has windows that do not tell the columns of a time step, but "
            "must have windows of the columns ['x0'], as those to train on.",
        ),
        ((HELD_OUT[0], HELD_OUT[1][1:]), "in validation_data, Found input variables with incons"),
        (
            (HELD_OUT[0], np.column_stack([HELD_OUT[1]] * 2)),
            "in validation_data, y has 2 values a row, but must have 1, as that to train on",
        ),
        ((HELD_OUT[0], np.full(N_LAST, np.inf)), "in validation_data, Input y contains infinity"),
        ((HELD_OUT[0], HELD_OUT[1] * np.nan), "in validation_data, X has no complete window with"),
        ((*HELD_OUT, WEIGHT), "in validation_data, sample_weight must be of shape (16,), one"),
        ((*HELD_OUT, 0 * HELD_OUT[1]), "nonzero for at least one row to validate on, got only"),
    ],
)
def test_what_is_not_alike_is_refused_by_name(validation_data, message):
    model = LSTMForecaster(**QUICK).fit(*DATA)
    before = model.weights_
    with pytest.raises(ValueError, match=re.escape(message)):
        model.fit(*DATA, validation_data=validation_data)
    assert model.weights_ is before


def test_both_ways_at_once_are_refused():
    message = "validation_data must be None with validation_split=0.2, which holds out rows of X"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}, got both$"):
        LSTMForecaster(**QUICK, validation_split=0.2).fit(*DATA, validation_data=HELD_OUT)


def test_other_labels_and_other_columns_are_refused():
    labels = np.where(Y > 0.6, "high", "low")
    other = WINDOWS[N:], np.where(Y[N:] > 0.6, "high", "middle")
    with pytest.raises(ValueError, match=r"^in validation_data, y holds the labels \['middle'\]"):
        LSTMClassifier(**QUICK).fit(WINDOWS[:N], labels[:N], validation_data=other)
    frame, targets = pd.DataFrame(SERIES, columns=["a"]), pd.DataFrame(np.eye(60)[:, :2])
    targets.columns = ["a", "b"]
    X_val = frame.rename(columns={"a": "b"})
    with pytest.raises(ValueError, match=r"^in validation_data, The feature names should match"):
        LSTMForecaster(**QUICK).fit(frame, targets, validation_data=(X_val, targets))
    swapped = frame, targets[["b", "a"]]
    message = r"^in validation_data, y continues the columns \['b', 'a'\], but must continue"
    with pytest.raises(ValueError, match=message):
        LSTMForecaster(**QUICK).fit(frame, targets, validation_data=swapped)


@pytest.fixture(scope="module")
def airline_rows(airline):
    X, y = make_supervised(airline[0])
    return X[:100], y[:100], X[100:], y[100:]


def test_a_pipeline_takes_windows_made_by_its_own_steps(airline_rows):
    X, y, X_val, y_val = airline_rows
    model = make_pipeline(LookbackWindower(12), LSTMForecaster(**QUICK, window_scaling="last"))
    message = r"in validation_data, X has windows of shape \(1,\), but must have windows like"
    with pytest.raises(ValueError, match=message):
        model.fit(X, y, lstmforecaster__validation_data=(X_val, y_val))
    made = model[:-1].fit(X, y).transform(X_val)
    model.fit(X, y, lstmforecaster__validation_data=(made, y_val))
    assert len(model[-1].history_["val_loss"]) == 4
    search = GridSearchCV(model, {"lstmforecaster__units": [2]}, cv=TimeSeriesSplit(2))
    search.fit(X, y, lstmforecaster__validation_data=(made, y_val))
    assert len(search.best_estimator_[-1].history_["val_loss"]) == 4


def test_windows_of_one_step_that_are_no_windows_are_refused(airline_rows):
    X, y, X_val, y_val = airline_rows
    model = make_pipeline(MinMaxScaler(), LookbackWindower(1), LSTMForecaster(**QUICK))
    with pytest.raises(ValueError, match="windows that do not tell the columns of a time step"):
        model.fit(X, y, lstmforecaster__validation_data=(X_val.to_numpy(), y_val))


@pytest.mark.parametrize("which", ["X", "y"])
def test_what_is_not_scaled_is_warned_of(which, airline_rows):
    X, y, X_val, y_val = airline_rows
    forecaster = LSTMForecaster(**QUICK)
    if which == "X":
        model, name = make_pipeline(MinMaxScaler(), forecaster), "lstmforecaster__validation_data"
        data = 1000 * X_val.to_numpy(), y_val
        X = 1000 * X
    else:
        model = TransformedTargetRegressor(forecaster, transformer=MinMaxScaler())
        name, data = "validation_data", (X_val.to_numpy(), 1000 * y_val)
        y = 1000 * y
    with pytest.warns(SeriesWarning, match=rf"^{which} in validation_data has values from .* far"):
        model.fit(X.to_numpy(), y.to_numpy(), **{name: data})


def test_a_series_that_grows_is_met_in_silence(airline_rows):
    X, y, X_val, y_val = airline_rows
    windower = LookbackWindower(12).fit(X)
    made = windower.transform(X_val)
    model = LSTMForecaster(**QUICK, window_scaling="last")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.fit(windower.transform(X), y, validation_data=(made, y_val))


def test_rows_of_unknown_targets_need_not_be_cut_for_it():
    y = np.where(np.arange(N) == 7, np.nan, Y[:N])
    inner = LSTMForecaster(**QUICK)
    model = KnownRowsRegressor(inner, horizon=2).fit(WINDOWS[:N], y, validation_data=HELD_OUT)
    keep = np.flatnonzero(~np.isnan(y))[:-1]
    expected = inner.fit(WINDOWS[keep], y[keep], validation_data=HELD_OUT)
    assert model.regressor_.history_ == expected.history_


def test_targets_that_are_not_shifted_are_warned_of():
    series = np.random.default_rng(0).normal(size=80).cumsum()
    windows = np.lib.stride_tricks.sliding_window_view(series, 4)
    X, y = windows[:50], series[4:54]
    X_val = windows[50:-1]
    forecaster = LSTMForecaster(window_scaling="last", epochs=1, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", SeriesWarning)
        forecaster.fit(X, y, validation_data=(X_val, series[54:]))
    with pytest.warns(SeriesWarning, match="^in validation_data, y equals column 0 of the same"):
        forecaster.fit(X, y, validation_data=(X_val, series[53:-1]))


def test_a_meta_estimator_that_would_not_scale_it_refuses_it():
    frame = pd.DataFrame({"shop": ["a"] * 30 + ["b"] * 30, "sold": SERIES})
    frame.index = np.tile(pd.date_range("2024-01-01", periods=30), 2)
    model = SeriesScaledRegressor(LSTMForecaster(**QUICK), group="shop", columns="sold")
    message = "^validation_data must not be given to SeriesScaledRegressor, which would not scale"
    with pytest.raises(ValueError, match=message):
        model.fit(frame, SERIES, validation_data=(frame, SERIES))


def panel():
    days = pd.date_range("2024-01-01", periods=40, name="day")
    waves = {name: pd.Series(np.sin(np.arange(40.0) + k), days) for k, name in enumerate("abc")}
    table = pd.concat(waves, names=["shop"]).rename("sold").to_frame()
    return table.reset_index("shop").sort_index(kind="stable")


def test_windows_of_several_series_are_validated_on():
    X, y = make_supervised(panel(), group="shop", target="sold")
    is_last = X.index >= pd.Timestamp("2024-01-30")
    windower = LookbackWindower(3, group="shop").fit(X[~is_last], y[~is_last])
    model = LSTMForecaster(**QUICK)
    given = model.fit(
        windower.transform(X[~is_last]),
        y[~is_last],
        validation_data=(windower.transform(X[is_last]), y[is_last]),
    ).history_
    whole = LookbackWindower(3, group="shop").fit_transform(X, y)
    split = model.set_params(validation_split=int(is_last.sum())).fit(whole, y).history_
    for name in ("loss", "val_loss"):
        assert_allclose(given[name], split[name], rtol=1e-5)
    with pytest.raises(ValueError, match="in validation_data, stateful must be False for windows"):
        LSTMForecaster(**QUICK, stateful=True).fit(
            np.asarray(whole), y.to_numpy(), validation_data=(whole, y)
        )


def test_warm_starts_go_on_with_it():
    model = LSTMForecaster(**QUICK, warm_start=True).fit(*DATA)
    history = model.fit(*DATA, validation_data=HELD_OUT).history_
    assert np.isnan(history["val_loss"][:4]).all()
    assert np.isfinite(history["val_loss"][4:]).all()
