"""What users of Keras look for on an estimator, answered with where it is here."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, cast

from skl_lstm.checks import did_you_mean

Fit = TypeVar("Fit", bound=Callable[..., Any])

# Attributes of a Keras model, and of what its ``fit`` returns.
COUNTERPARTS = {
    "history": "the loss and the metrics of each epoch are in history_ after fit",
    "evaluate": "score(X, y) judges predictions, and so do scikit-learn's metrics",
    "compile": "set loss, optimizer and metrics in the constructor or with set_params",
    "summary": "to_keras().summary() describes the fitted network",
}

# Arguments of Keras's layers and optimizers that the constructor has under another name.
PARAMETERS = {
    "activation": "that of the LSTM layers is hidden_activation",
    "recurrent_activation": "the gates of the LSTM layers have the sigmoid",
    "kernel_regularizer": "l2 is the factor of the squared kernels",
    "return_sequences": "units=(16, 8) stacks layers, all_steps=True passes all time steps on",
    "input_shape": "fit takes the shape of the windows from X",
    "lr": "it is learning_rate",
}


def explain_missing(estimator: Any, name: str) -> None:
    """Raise AttributeError with the counterpart of an attribute that only Keras has."""
    if name in COUNTERPARTS:
        raise AttributeError(
            f"{type(estimator).__name__!r} object has no attribute {name!r}: {COUNTERPARTS[name]}",
            name=name,
            obj=estimator,
        )


def explaining_arguments_of_keras(fit: Fit) -> Fit:
    """Have a ``fit`` refuse what Keras's takes and the constructor takes here, and say so.

    The signature stays as it is: scikit-learn reads from it what can be routed to ``fit``.
    """
    signature = inspect.signature(fit)
    _, *known = signature.parameters

    @functools.wraps(fit)
    def checked(self: Any, /, *values: Any, **arguments: Any) -> Any:
        for name in arguments:
            if name not in known:
                message = (
                    f"{type(self).__name__}.fit() got an unexpected keyword argument {name!r}"
                )
                if name in self.get_params(deep=False):
                    raise TypeError(
                        f"{message}, which is a parameter of the constructor: set_params({name}=…)"
                    )
                raise TypeError(message + did_you_mean(name, known))
        return fit(self, *values, **arguments)

    return cast(Fit, checked)
