"""Plain Keras opens a network with its normalization, and forecasts in the units of the series."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from skl_lstm import LSTMClassifier, LSTMForecaster
from skl_lstm.network.scaling import METHODS

keras = pytest.importorskip("keras")

pytestmark = pytest.mark.slow
N_LAGS, N_SERIES = 5, 3

# Series of other levels and spreads, the first of them positive.
SERIES = np.random.default_rng(0).normal(size=(60, N_SERIES)).cumsum(axis=0)
SERIES = SERIES * [1.0, 20.0, 0.1] + [100.0, 3.0, 0.0]
WINDOWS = np.lib.stride_tricks.sliding_window_view(SERIES, N_LAGS, axis=0).transpose(0, 2, 1)
X, Y = WINDOWS[:-2].reshape(-1, N_LAGS * N_SERIES), SERIES[N_LAGS - 1 :]


X_OF_ONE = WINDOWS[:-2, :, 0]


def fitted(targets, n_ahead, **parameters):
    y = np.hstack([Y[ahead : len(X) + ahead, targets] for ahead in range(1, n_ahead + 1)])
    model = LSTMForecaster(
        units=3,
        features_per_step=N_SERIES,
        target=targets,
        epochs=2,
        random_state=0,
        **parameters,
    )
    return model.fit(X, y)


def opened(model, how, folder):
    if how == "to_keras":
        return model.to_keras()
    path = folder / f"model.{how.rpartition(' ')[2]}"
    if how == "saved as h5":
        model.save(path)
    else:
        model.to_keras().save(path)
    return keras.models.load_model(path)


def assert_equal_forecasts(keras_model, model, windows):
    shape = (-1, model.network_.n_steps, model.network_.n_features)
    theirs = keras_model.predict(windows.reshape(shape), verbose=0)
    assert_allclose(theirs, model.predict(windows), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("how", ["to_keras", "to_keras as keras", "to_keras as h5", "saved as h5"])
@pytest.mark.parametrize("method", METHODS)
def test_keras_alone_forecasts_what_we_do(method, how, tmp_path):
    model = fitted([1, 0], 2, window_scaling=method)
    assert_equal_forecasts(opened(model, how, tmp_path), model, X)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("targets", [[0], [2, 0, 1]])
@pytest.mark.parametrize("reshape_mode", ["timesteps", "features"])
def test_each_column_is_in_its_place(method, targets, reshape_mode):
    model = fitted(targets, 1, window_scaling=method, reshape_mode=reshape_mode)
    assert_equal_forecasts(model.to_keras(), model, X)


@pytest.mark.parametrize("method", ["mean", "standard"])
@pytest.mark.parametrize("factor", [0.0, 1e-3, 1e3, 1e6])
def test_windows_far_smaller_or_larger_than_those_of_training_are_scaled_alike(method, factor):
    model = fitted([0], 1, window_scaling=method, reshape_mode="features")
    windows = X.reshape(-1, N_LAGS, N_SERIES).copy()
    windows[..., 0] *= factor
    windows = windows.reshape(X.shape)
    shape = (-1, 1, N_LAGS * N_SERIES)
    theirs = model.to_keras().predict(windows.reshape(shape), verbose=0)
    assert_allclose(theirs, model.predict(windows), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("factor", [1e-20, 1e20])
def test_series_of_very_small_or_large_values_are_scaled_alike(method, factor):
    X, y = factor * SERIES[:-1, :1], factor * SERIES[1:, 0]
    windows = np.lib.stride_tricks.sliding_window_view(X[:, 0], N_LAGS)
    model = LSTMForecaster(units=3, window_scaling=method, epochs=2, random_state=0)
    model.fit(windows, y[N_LAGS - 1 :])
    theirs = model.to_keras().predict(windows[..., np.newaxis], verbose=0)[:, 0]
    assert_allclose(theirs, model.predict(windows), rtol=1e-5)


def test_a_series_beyond_float32_has_no_keras_model():
    X = 1e-35 * X_OF_ONE
    model = LSTMForecaster(window_scaling="last", epochs=1).fit(X, X[:, 0])
    with pytest.raises(ValueError, match=r"^the values of the windows are too small or too large"):
        model.to_keras()


def test_the_model_of_a_classifier_normalizes_and_restores_nothing(tmp_path):
    labels = np.arange(len(X)) % 3
    model = LSTMClassifier(
        units=3, features_per_step=N_SERIES, window_scaling="standard", target=[0, 1], epochs=2
    ).fit(X, labels)
    for how in ("to_keras", "saved as h5"):
        theirs = opened(model, how, tmp_path).predict(X.reshape(-1, N_LAGS, N_SERIES), verbose=0)
        assert_allclose(theirs, model.predict_proba(X), atol=1e-5)


def test_it_trains_on_in_the_units_of_the_series_from_a_fresh_optimizer():
    model = fitted([0], 1, window_scaling="last").to_keras()
    assert int(model.optimizer.iterations) == 0
    windows, y = X.reshape(-1, N_LAGS, N_SERIES), Y[1 : len(X) + 1, :1]
    first = np.mean((model.predict(windows, verbose=0) - y) ** 2)
    assert_allclose(model.evaluate(windows, y, verbose=0), first, rtol=1e-4)
    model.fit(windows, y, epochs=5, verbose=0)
    assert model.evaluate(windows, y, verbose=0) < first
    assert not [layer for layer in model.layers if isinstance(layer, keras.layers.Lambda)]


def test_a_model_with_normalization_inside_is_not_taken_back():
    model = fitted([0], 1, window_scaling="last").to_keras()
    with pytest.raises(ValueError, match="its layer 'steps', of the class Reshape, is not supp"):
        LSTMForecaster.from_keras(model)
