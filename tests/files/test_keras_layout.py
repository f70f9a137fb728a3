"""A saved file is one of Keras's too."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skl_lstm import LSTMClassifier, LSTMForecaster

keras = pytest.importorskip("keras")

X = np.random.default_rng(0).normal(size=(24, 6)).astype(np.float32)
WINDOWS = X.reshape(24, 3, 2)
Y = np.tanh(X[:, 0])


def forecaster(**parameters):
    settings = {"units": 3, "features_per_step": 2, "epochs": 2, "random_state": 0}
    return LSTMForecaster(**{**settings, **parameters})


@pytest.mark.slow
@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"units": (3, 2), "dropout": 0.1, "recurrent_dropout": 0.2},
        {"reshape_mode": "features", "output_activation": "tanh"},
        {"dense_units": (4, 2)},
        {"loss": "mae", "optimizer": "sgd", "optimizer_kwargs": {"momentum": 0.9}},
        {"loss": keras.losses.Huber(2.0), "optimizer": keras.optimizers.RMSprop},
        {"optimizer": keras.optimizers.Adam(0.02), "metrics": ["mae", keras.metrics.R2Score]},
        {
            "optimizer_kwargs": {
                "learning_rate": keras.optimizers.schedules.ExponentialDecay(0.01, 5, 0.9)
            }
        },
        {"learning_rate": 0.3, "metrics": ["accuracy"]},
    ],
)
def test_keras_opens_the_file_compiled_and_predicts_the_same(parameters, tmp_path):
    forecaster_ = forecaster(**parameters).fit(X, Y)
    forecaster_.save(tmp_path / "model.h5")
    model = keras.models.load_model(tmp_path / "model.h5")
    ours = forecaster_.to_keras()
    windows = X.reshape(24, *model.input_shape[1:])
    assert model.compiled
    assert_allclose(model.predict(windows, verbose=0)[:, 0], forecaster_.predict(X), atol=1e-5)
    for name in ("learning_rate", "momentum", "beta_1"):
        assert model.optimizer.get_config().get(name) == ours.optimizer.get_config().get(name)


@pytest.mark.slow
def test_keras_trains_what_it_opened_as_it_trains_what_it_made(tmp_path):
    settings = {
        "loss": keras.losses.Huber(0.1),
        "optimizer": keras.optimizers.SGD(0.1),
        "metrics": ["mae", keras.metrics.R2Score(name="share"), "mean_squared_error"],
    }
    forecaster_ = forecaster(**settings).fit(X, Y)
    forecaster_.save(tmp_path / "model.h5")
    models = [keras.models.load_model(tmp_path / "model.h5"), forecaster_.to_keras()]
    opened, made = (
        model.fit(WINDOWS, Y, batch_size=8, epochs=2, shuffle=False, verbose=0).history
        for model in models
    )
    assert set(opened) == set(made) == {"loss", "mae", "share", "mean_squared_error"}
    for name, values in made.items():
        assert_allclose(opened[name], values, rtol=1e-4)


@pytest.mark.slow
def test_keras_opens_the_file_of_a_stateful_network(tmp_path):
    ours = forecaster(stateful=True, batch_size=2).fit(X, Y)
    ours.save(tmp_path / "model.h5")
    model = keras.models.load_model(tmp_path / "model.h5")
    predicted = [model.predict(window[np.newaxis], verbose=0)[0, 0] for window in WINDOWS]
    assert_allclose(predicted, ours.predict(X), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("n_classes", [2, 3])
def test_keras_opens_the_file_of_a_classifier(n_classes, tmp_path):
    ours = LSTMClassifier(units=3, epochs=2).fit(X, np.arange(24) % n_classes)
    ours.save(tmp_path / "model.h5")
    model = keras.models.load_model(tmp_path / "model.h5")
    assert model.compiled
    probabilities = model.predict(X[:, :, np.newaxis], verbose=0)
    assert_allclose(probabilities[:, -1], ours.predict_proba(X)[:, -1], atol=1e-5)


@pytest.mark.slow
def test_keras_opens_the_file_of_a_quantile_uncompiled(tmp_path):
    ours = forecaster(loss="pinball", quantile=0.9).fit(X, Y)
    ours.save(tmp_path / "model.h5")
    model = keras.models.load_model(tmp_path / "model.h5")
    assert not model.compiled
    assert_allclose(model.predict(WINDOWS, verbose=0)[:, 0], ours.predict(X), atol=1e-5)
    assert_array_equal(LSTMForecaster.load(tmp_path / "model.h5").predict(X), ours.predict(X))
