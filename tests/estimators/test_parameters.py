"""The parameters that the estimators share: an unknown one, and unknown names as their values."""

import re

import pytest

from skl_lstm import LSTMClassifier, LSTMForecaster


@pytest.mark.parametrize(
    ("kind", "name", "nearest"),
    [
        (LSTMForecaster, "unit", "; did you mean 'units'?"),
        (LSTMClassifier, "epoch", "; did you mean 'epochs'?"),
        (LSTMClassifier, "mirror", ""),
    ],
)
def test_an_unknown_parameter_is_answered_with_the_nearest(kind, name, nearest):
    message = f"{kind.__name__}() got an unexpected keyword argument {name!r}{nearest}"
    with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
        kind(**{name: 3})


@pytest.mark.parametrize("kind", [LSTMForecaster, LSTMClassifier])
def test_set_params_refuses_an_unknown_parameter_with_scikit_learns_error(kind):
    with pytest.raises(
        ValueError, match=f"Invalid parameter 'unit' for estimator {kind.__name__}"
    ):
        kind().set_params(unit=3)
