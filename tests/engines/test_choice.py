"""What needs Keras says so where it is missing, with the command that installs it."""

import re
import sys

import numpy as np
import pytest

from skl_lstm import LSTMClassifier, LSTMForecaster

X = np.random.default_rng(0).normal(size=(12, 3))
Y = X[:, 0]

COMMAND = 'pip install "skl-lstm[keras]"'


def own_loss(y_true, y_pred):
    return abs(y_true - y_pred)


def forecaster(**parameters):
    return LSTMForecaster(units=2, epochs=1, random_state=0, **parameters)


@pytest.fixture
def without(monkeypatch):
    """Hide modules: they are not found, nor imported, whether or not they are installed."""

    def hide(*modules):
        for name in modules:
            monkeypatch.setitem(sys.modules, name, None)

    return hide


@pytest.fixture
def _without_keras(without):
    without("keras", "tensorflow", "scikeras")


@pytest.mark.usefixtures("_without_keras")
@pytest.mark.parametrize(
    ("parameters", "what"),
    [
        ({"engine": "keras"}, "engine='keras'"),
        ({"callbacks": [object()]}, "callbacks, which the native engine does not cover,"),
        ({"loss": own_loss}, f"loss={own_loss!r}, which the native engine does not cover,"),
        ({"loss": "poisson"}, "loss='poisson', which the native engine does not cover,"),
        ({"cell": "gru"}, "cell='gru', which the native engine does not cover,"),
        ({"optimizer": "lion"}, "optimizer='lion', which the native engine does not cover,"),
    ],
    ids=["engine", "callbacks", "own loss", "loss", "cell", "optimizer"],
)
def test_a_fit_that_needs_keras_says_what_asked_for_it_and_how_to_get_it(parameters, what):
    message = f"{what} needs keras, tensorflow, scikeras: {COMMAND}"
    model = forecaster(**parameters)
    with pytest.raises(ImportError, match=f"^{re.escape(message)}$"):
        model.fit(X, Y)
    assert not hasattr(model, "weights_")


@pytest.mark.usefixtures("_without_keras")
def test_a_classifier_says_it_too():
    with pytest.raises(ImportError, match=f"^engine='keras' needs .*{re.escape(COMMAND)}$"):
        LSTMClassifier(engine="keras").fit(X, Y > 0)


def test_to_keras_says_it_too(without):
    model = forecaster().fit(X, Y)
    without("keras", "tensorflow", "scikeras")
    message = f"to_keras() needs keras, tensorflow, scikeras: {COMMAND}"
    with pytest.raises(ImportError, match=f"^{re.escape(message)}$"):
        model.to_keras()


@pytest.mark.needs("keras", "tensorflow", "scikeras")
@pytest.mark.parametrize("missing", ["keras", "tensorflow", "scikeras"])
def test_only_what_is_missing_is_named(missing, without):
    without(missing)
    message = f"engine='keras' needs {missing}: {COMMAND}"
    with pytest.raises(ImportError, match=f"^{re.escape(message)}$"):
        forecaster(engine="keras").fit(X, Y)


@pytest.mark.usefixtures("_without_keras")
@pytest.mark.parametrize("engine", ["auto", "native", "keras"])
@pytest.mark.parametrize(
    ("parameters", "end"),
    [
        ({"loss": "mean_square_error"}, "did you mean 'mean_squared_error'?"),
        ({"optimizer": "adm"}, "did you mean 'adam'?"),
        ({"metrics": ["acuracy"]}, "did you mean 'accuracy'?"),
    ],
)
def test_a_misspelt_name_is_told_before_keras_is_asked_for(parameters, end, engine):
    with pytest.raises(ValueError, match=f"{re.escape(end)}$"):
        forecaster(engine=engine, **parameters).fit(X, Y)


@pytest.mark.usefixtures("_without_keras")
def test_the_native_engine_refuses_what_it_does_not_cover_and_trains_the_rest():
    with pytest.raises(ValueError, match=r"^engine='native' does not cover callbacks; "):
        forecaster(engine="native", callbacks=[object()]).fit(X, Y)
    assert forecaster().fit(X, Y).engine_ == "native"
