"""What users of Keras write is either understood or answered with its counterpart."""

import copy
import inspect
import pickle
import re

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.utils.validation import has_fit_parameter

from skl_lstm import LookbackWindower, LSTMClassifier, LSTMForecaster

KINDS = [LSTMForecaster, LSTMClassifier]
QUICK = {"units": 2, "epochs": 1, "random_state": 0}
X = np.random.default_rng(0).normal(size=(20, 4))
LABELS = (X.sum(axis=1) > 0).astype(float)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("name", "counterpart"),
    [
        ("history", "the loss and the metrics of each epoch are in history_ after fit"),
        ("evaluate", "score(X, y) judges predictions, and so do scikit-learn's metrics"),
        ("compile", "set loss, optimizer and metrics in the constructor or with set_params"),
        ("summary", "to_keras().summary() describes the fitted network"),
    ],
)
def test_an_attribute_of_keras_is_answered_with_its_counterpart(kind, name, counterpart):
    message = f"{kind.__name__!r} object has no attribute {name!r}: {counterpart}"
    for model in (kind(**QUICK), kind(**QUICK).fit(X, LABELS)):
        assert not hasattr(model, name)
        with pytest.raises(AttributeError, match=f"^{re.escape(message)}$"):
            getattr(model, name)


@pytest.mark.parametrize("kind", KINDS)
def test_any_other_missing_attribute_is_answered_as_ever(kind):
    message = f"{kind.__name__!r} object has no attribute 'layers'"
    with pytest.raises(AttributeError, match=f"^{re.escape(message)}$"):
        kind().layers  # noqa: B018


def test_what_a_method_says_of_its_absence_is_kept():
    with pytest.raises(AttributeError, match="'predict_quantiles'") as caught:
        LSTMForecaster().predict_quantiles  # noqa: B018
    assert "only loss='pinball' learns" in str(caught.value.__cause__ or caught.value)


@pytest.mark.parametrize("kind", KINDS)
def test_copies_clones_and_pickles_are_as_ever(kind):
    model = kind(**QUICK).fit(X, LABELS)
    for other in (copy.copy(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(other.predict(X), model.predict(X))
    assert clone(model).get_params() == model.get_params()
    assert not hasattr(kind.__new__(kind), "weights_")  # as while a pickle is read


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "name", ["epochs", "batch_size", "validation_split", "callbacks", "verbose", "shuffle"]
)
def test_an_argument_of_the_fit_of_keras_is_answered_with_the_parameter(kind, name):
    message = (
        f"{kind.__name__}.fit() got an unexpected keyword argument {name!r}, which is a parameter "
        f"of the constructor: set_params({name}=…)"
    )
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        kind(**QUICK).fit(X, LABELS, **{name: 3})
    step = kind.__name__.lower()
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        make_pipeline(LookbackWindower(2), kind(**QUICK)).fit(X, LABELS, **{f"{step}__{name}": 3})


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("sample_weights", "; did you mean 'sample_weight'?"), ("x", "; did you mean 'X'?")],
)
def test_any_other_argument_is_answered_with_the_nearest(name, nearest):
    message = f"LSTMForecaster.fit() got an unexpected keyword argument {name!r}{nearest}"
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        LSTMForecaster(**QUICK).fit(X, LABELS, **{name: X})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("name", "counterpart"),
    [
        ("activation", "that of the LSTM layers is hidden_activation"),
        ("recurrent_activation", "the gates of the LSTM layers have the sigmoid"),
        ("kernel_regularizer", "l2 is the factor of the squared kernels"),
        ("return_sequences", "units=(16, 8) stacks layers, all_steps=True passes all time steps"),
        ("input_shape", "fit takes the shape of the windows from X"),
        ("lr", "it is learning_rate"),
    ],
)
def test_an_argument_of_a_layer_is_answered_with_the_parameter(kind, name, counterpart):
    message = f"{kind.__name__}() got an unexpected keyword argument {name!r}: {counterpart}"
    with pytest.raises(TypeError, match=f"^{re.escape(message)}"):
        kind(**{name: "relu"})


@pytest.mark.parametrize("kind", KINDS)
def test_what_can_be_routed_to_fit_is_read_from_its_signature(kind):
    assert [*inspect.signature(kind.fit).parameters][:4] == ["self", "X", "y", "sample_weight"]
    assert has_fit_parameter(kind(), "sample_weight")
    assert not has_fit_parameter(kind(), "epochs")
    with config_context(enable_metadata_routing=True):
        requested = kind().set_fit_request(sample_weight=True).get_metadata_routing()
    assert requested.fit.requests["sample_weight"] is True
    assert "epochs" not in requested.fit.requests
