"""Row by row, a stream gives what stateful prediction gives on the whole."""

import copy
import pickle
import re

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skl_lstm import LSTMClassifier, LSTMForecaster

X = np.random.default_rng(0).normal(size=(30, 4))
Y = X.sum(axis=1)
STATEFUL = {"units": (4, 3), "stateful": True, "batch_size": 1, "epochs": 2, "random_state": 0}


@pytest.fixture(scope="module")
def fitted():
    return LSTMForecaster(**STATEFUL).fit(X[:20], Y[:20])


def taken(stream, rows):
    return np.array([stream.predict_next(row) for row in rows])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("parameters", "y"),
    [
        ({}, Y),
        ({"reshape_mode": "features"}, Y),
        ({"features_per_step": 2, "dropout": 0.2, "recurrent_dropout": 0.2}, Y),
        ({"units": 5}, X[:, :2]),
    ],
)
@pytest.mark.parametrize("initial_state", ["zeros", "fit"])
def test_row_by_row_is_as_the_whole_and_as_keras(parameters, y, initial_state, engine):
    model = LSTMForecaster(**{**STATEFUL, **parameters}, engine=engine).fit(X[:20], y[:20])
    whole = model.predict(X[20:], initial_state=initial_state)
    assert_array_equal(taken(model.stream(initial_state), X[20:]), whole)

    theirs = model.to_keras()
    rows = X if initial_state == "fit" else X[20:]
    windows = rows.reshape(-1, *theirs.input_shape[1:]).astype(np.float32)
    predicted = theirs.predict(windows, batch_size=1, verbose=0)[-10:]
    assert_allclose(whole.reshape(10, -1), predicted, atol=1e-5)


@pytest.mark.parametrize("n_streams", [1, 4])
def test_the_state_after_training_is_that_of_the_last_training_row(n_streams, engine):
    parameters = {**STATEFUL, "batch_size": n_streams, "engine": engine}
    model = LSTMForecaster(**parameters).fit(X[:20], Y[:20])
    following = model.predict(X[20:], initial_state="fit")
    assert_allclose(following, model.predict(X)[20:], atol=1e-6)
    assert not np.allclose(model.predict(X[20:]), model.predict(X)[20:])


def test_the_kernel_finds_the_states_that_prediction_ends_in(monkeypatch):
    monkeypatch.setattr("skl_lstm.network.forward.STATEFUL_ROWS", 5)
    gaps = X.copy()
    gaps[:2, :2] = gaps[7] = gaps[10:15] = np.nan
    model = LSTMForecaster(**STATEFUL, engine="native").fit(gaps, Y)
    following = model.predict(X, initial_state="fit")
    assert_array_equal(following, model.predict(np.vstack([gaps, X]))[30:])


def test_predicting_twice_gives_the_same(fitted):
    for initial_state in ("zeros", "fit"):
        first = fitted.predict(X, initial_state=initial_state)
        assert_array_equal(fitted.predict(X, initial_state=initial_state), first)


def test_one_dimensional_targets_give_scalars_and_others_rows(fitted):
    assert np.ndim(fitted.stream().predict_next(X[0])) == 0
    two = LSTMForecaster(**STATEFUL).fit(X, X[:, :2])
    assert two.stream().predict_next(X[0]).shape == (2,)


def test_a_row_may_have_the_shape_of_a_window():
    windows = X.reshape(-1, 2, 2)
    model = LSTMForecaster(**STATEFUL).fit(windows, Y)
    by_window, flat = taken(model.stream(), windows), taken(model.stream(), X)
    assert_array_equal(by_window, model.predict(windows))
    assert_array_equal(by_window, flat)


def test_a_single_value_may_be_a_number():
    model = LSTMForecaster(**STATEFUL).fit(X[:, :1], Y)
    assert_array_equal(taken(model.stream(), X[:, 0]), model.predict(X[:, :1]))


def test_the_precision_is_that_of_the_row(fitted):
    assert fitted.stream().predict_next(X[0].astype(np.float32)).dtype == np.float32
    assert fitted.stream().predict_next([1, 2, 3, 4]).dtype == np.float64


def test_a_classifier_streams_classes():
    labels = np.where(Y > 0, "up", "down")
    model = LSTMClassifier(**STATEFUL).fit(X, labels)
    assert_array_equal(taken(model.stream("fit"), X), model.predict(X, initial_state="fit"))


@pytest.mark.parametrize("initial_state", ["zeros", "fit"])
def test_reset_goes_back_to_the_beginning(initial_state, fitted):
    stream = fitted.stream(initial_state)
    first = taken(stream, X)
    stream.reset()
    assert_array_equal(taken(stream, X), first)


@pytest.mark.parametrize(
    "copied",
    [copy.copy, copy.deepcopy, lambda stream: pickle.loads(pickle.dumps(stream))],
    ids=["copy", "deepcopy", "pickle"],
)
def test_a_copy_goes_on_alone_from_where_the_stream_stands(copied, fitted):
    expected = fitted.predict(X)
    stream = fitted.stream()
    taken(stream, X[:10])
    other = copied(stream)
    assert_array_equal(taken(other, X[10:]), expected[10:])
    assert_array_equal(taken(stream, X[10:]), expected[10:])
    other.reset()
    assert_array_equal(taken(other, X), expected)


def test_a_later_fit_leaves_the_stream_as_it_is():
    model = LSTMForecaster(**STATEFUL).fit(X, Y)
    expected = model.predict(X)
    stream = model.stream()
    taken(stream, X[:10])
    model.set_params(units=2).fit(X[:, :3], X[:, :2])
    assert_array_equal(taken(stream, X[10:]), expected[10:])


def test_what_is_missing_is_treated_as_in_predict(fitted):
    gaps = X.copy()
    gaps[3] = np.nan
    gaps[5, :2] = np.nan
    assert_array_equal(taken(fitted.stream(), gaps), fitted.predict(gaps))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (X[0, :3], "x must be one row of 4 values or of shape (4, 1), got shape (3,)"),
        (X[:2], "x must be one row of 4 values or of shape (4, 1), got shape (2, 4)"),
        (X[:1], "x must be one row of 4 values or of shape (4, 1), got shape (1, 4)"),
        (1.0, "x must be one row of 4 values or of shape (4, 1), got shape ()"),
        ([1.0, 2.0, np.inf, 3.0], "x contains infinity"),
        ([1.0, 2.0, 1e300, 3.0], "x contains infinity or a value too large"),
        (["a", "b", "c", "d"], "x must be numbers, got an array of <U1"),
        (None, "x must be numbers, got an array of object"),
        (X[0] + 1j, "x must be numbers, got an array of complex128"),
    ],
)
def test_a_bad_row_is_named_and_the_state_stays(row, message, fitted):
    expected = fitted.predict(X)
    stream = fitted.stream()
    taken(stream, X[:5])
    with pytest.raises(ValueError, match=re.escape(message)):
        stream.predict_next(row)
    assert_array_equal(taken(stream, X[5:]), expected[5:])


def test_only_a_stateful_network_has_a_state_to_carry(fitted):
    stateless = LSTMForecaster(units=3, epochs=1).fit(X, Y)
    assert stateless.states_ == []
    with pytest.raises(ValueError, match=r"stream needs a network fitted with stateful=True"):
        stateless.stream()
    with pytest.raises(ValueError, match=r"initial_state must be 'zeros' unless .* got 'fit'"):
        stateless.predict(X, initial_state="fit")
    with pytest.raises(ValueError, match=r"initial_state must be one of .* got 'end'"):
        fitted.stream("end")
    with pytest.raises(ValueError, match=r"initial_state must be one of .* got 'end'"):
        fitted.predict(X, initial_state="end")


def test_no_row_sees_a_later_one(fitted):
    changed = X.copy()
    changed[25:] += 100.0
    assert_array_equal(fitted.predict(changed)[:25], fitted.predict(X)[:25])
    refitted = LSTMForecaster(**STATEFUL).fit(changed[:20], Y[:20])
    for state, expected in zip(refitted.states_, fitted.states_, strict=True):
        assert_array_equal(state, expected)
