"""Every warning points at the line from which the user called the package."""

import inspect
import warnings

import numpy as np
import pytest
from sklearn.compose import TransformedTargetRegressor
from sklearn.exceptions import ConvergenceWarning, DataConversionWarning
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skl_lstm import LookbackWindower, LSTMClassifier, LSTMForecaster
from skl_lstm.engines.native import engine as native
from skl_lstm.warn import warn

X = np.random.default_rng(0).normal(size=(21, 1))
Y = np.tanh(X[:, 0])
DIVERGES = {"optimizer": "sgd", "learning_rate": 1e30, "epochs": 5, "shuffle": False}
LEFT_OVER = {"stateful": True, "batch_size": 4, "epochs": 1}


def forecaster(**parameters):
    return LSTMForecaster(**{"units": 2, "random_state": 0, **parameters})


def alone(model):
    return model


def in_a_pipeline(model):
    return make_pipeline(MinMaxScaler(), LookbackWindower(1), model)


def in_a_search(model):
    around = TransformedTargetRegressor(in_a_pipeline(model), transformer=MinMaxScaler())
    grid = {"regressor__lstmforecaster__units": [2]}
    return GridSearchCV(around, grid, cv=TimeSeriesSplit(2, test_size=1), error_score="raise")


@pytest.fixture
def caught():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught


def here(offset):
    """The place `offset` lines above the call."""
    frame = inspect.currentframe().f_back
    return __file__, frame.f_lineno - offset


@pytest.mark.parametrize("compose", [alone, in_a_pipeline, in_a_search])
@pytest.mark.parametrize(
    ("parameters", "message", "category"),
    [
        (LEFT_OVER, "the oldest 1 are left out", UserWarning),
        (DIVERGES, "the training loss is not finite in epoch", ConvergenceWarning),
    ],
    ids=["left over", "diverges"],
)
def test_a_warning_of_fit_names_the_line_of_fit(
    compose, parameters, message, category, engine, caught
):
    model = compose(forecaster(engine=engine, **parameters))
    with np.errstate(all="ignore"):
        try:
            model.fit(X, Y)
        except ValueError:  # a search scores with what diverged
            place = here(2)
        else:
            place = here(4)
    ours = [each for each in caught if message in str(each.message)]
    assert ours
    for each in ours:
        assert (each.filename, each.lineno) == place
        assert each.category is category


@pytest.mark.needs("keras")
def test_that_the_kernel_fails_is_said_at_the_line_of_fit(monkeypatch, caught):
    def fail(*arguments):
        raise ImportError("no numba here")

    native.kernel_failure.cache_clear()
    native.warn_if_kernel_failed.cache_clear()
    monkeypatch.setattr(native, "fit", fail)
    try:
        forecaster(epochs=1).fit(X, Y)
        place = here(1)
    finally:
        native.kernel_failure.cache_clear()
    (ours,) = [each for each in caught if "no numba here" in str(each.message)]
    assert (ours.filename, ours.lineno, ours.category) == (*place, RuntimeWarning)


@pytest.mark.slow
def test_that_callbacks_are_not_saved_is_said_at_the_line_of_save(tmp_path, caught):
    keras = pytest.importorskip("keras")

    model = forecaster(epochs=1, callbacks=[keras.callbacks.TerminateOnNaN()]).fit(X, Y)
    caught.clear()
    model.save(tmp_path / "model.h5")
    place = here(1)
    (ours,) = [each for each in caught if "callbacks are" in str(each.message)]
    assert (ours.filename, ours.lineno) == place


def test_what_of_a_keras_model_is_left_out_is_said_at_the_line_of_from_keras(tmp_path, caught):
    keras = pytest.importorskip("keras")

    model = keras.Sequential([keras.Input((1, 1)), keras.layers.LSTM(2), keras.layers.Dense(1)])
    model.compile(loss=lambda y, p: keras.ops.mean(y - p), optimizer="adam")
    model.save(tmp_path / "model.keras")
    caught.clear()
    LSTMForecaster.from_keras(tmp_path / "model.keras")
    place = here(1)
    message = "the loss of the Keras model is left out"
    (ours,) = [each for each in caught if message in str(each.message)]
    assert (ours.filename, ours.lineno) == place


def test_that_labels_stand_in_a_column_is_said_at_the_line_of_fit(caught):
    LSTMClassifier(units=2, epochs=1).fit(X, (Y > 0)[:, np.newaxis])
    place = here(1)
    (ours,) = [each for each in caught if each.category is DataConversionWarning]
    assert (ours.filename, ours.lineno) == place


def test_in_a_thread_without_a_line_of_the_user_a_warning_is_given_all_the_same(caught):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(1) as pool:
        pool.submit(warn, "from a thread").result()
    assert [str(each.message) for each in caught] == ["from a thread"]


def test_a_warning_is_shown_once_a_line_by_default():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            warn("again and again")
    assert len(caught) == 1
