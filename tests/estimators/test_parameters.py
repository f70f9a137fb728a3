"""The parameters that the estimators share: an unknown one, and unknown names as their values."""

import re
import subprocess
import sys

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


@pytest.mark.parametrize(
    ("kind", "names"),
    [(LSTMForecaster, "mse, msle, pinball, poisson"), (LSTMClassifier, "one of auto, bce, ")],
)
def test_an_unknown_loss_is_answered_with_the_estimators_own_ones_too(kind, names):
    with pytest.raises(ValueError, match=f"loss must be .*{names}.*got 'guess'"):
        kind(loss="guess").fit([[0.0], [1.0]], [0, 1])


UNKNOWN_NAMES = """
import sys
from skl_lstm import LSTMClassifier, LSTMForecaster

for kind in (LSTMForecaster, LSTMClassifier):
    for parameters in ({"loss": "mee"}, {"optimizer": "adm"}, {"metrics": ["mea"]}):
        for engine in ("auto", "keras"):
            try:
                kind(**parameters, engine=engine).fit([[0.0], [1.0]], [0, 1])
            except ValueError as error:
                assert "; did you mean 'm" in str(error) or "mean 'adam'?" in str(error), error
            else:
                raise AssertionError(parameters)
assert not {"keras", "tensorflow"} & set(sys.modules)
"""


@pytest.mark.slow
def test_unknown_names_are_answered_without_importing_keras():
    subprocess.run([sys.executable, "-c", UNKNOWN_NAMES], check=True)
