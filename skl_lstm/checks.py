"""Checks of parameters and column names; each message says what was expected and given."""

from __future__ import annotations

import difflib
import functools
import importlib.util
import inspect
import math
import re
from collections.abc import Callable, Iterable
from numbers import Integral, Real
from typing import Any, TypeGuard, TypeVar, cast

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted, validate_data

Init = TypeVar("Init", bound=Callable[..., None])

# Such as 1949-01 or 1.7.1949, and those that begin with the year.
_A_DATE = re.compile(r"\s*\d{1,4}[-/.]\d{1,2}\b")
_YEAR_FIRST = re.compile(r"\s*\d{4}")


def naming_the_nearest(init: Init) -> Init:
    """Have an ``__init__`` refuse unknown parameters by the class called and the nearest name.

    Python's own error names the class that defines the ``__init__``, even if that is a base
    class. A class may say of names that others have for its parameters what they are here, in
    ``_known_elsewhere``. The signature stays as it is.
    """
    signature = inspect.signature(init)
    _, *known = signature.parameters
    required = {
        name for name in known if signature.parameters[name].default is inspect.Parameter.empty
    }

    @functools.wraps(init)
    def checked(self: Any, /, *values: Any, **parameters: Any) -> None:
        for name in parameters:
            if name not in known:
                said = getattr(self, "_known_elsewhere", {}).get(name)
                raise TypeError(
                    f"{type(self).__name__}() got an unexpected keyword argument {name!r}"
                    + (f": {said}" if said else did_you_mean(name, known))
                )
        if values or not required <= parameters.keys():
            try:
                signature.bind(self, *values, **parameters)
            except TypeError as error:
                message = f"{type(self).__name__}() {error}; parameters go by name"
                raise TypeError(message) from None
        init(self, *values, **parameters)

    # For scikit-learn, which asks for it several times whenever it clones.
    checked.__signature__ = signature  # type: ignore[attr-defined]
    return cast(Init, checked)


def check_installed(what: str, extra: str, *modules: str) -> None:
    """Check that the modules of an extra are installed.

    Parameters
    ----------
    what : str
        What needs them, in the user's words.
    extra : str
        Extra of this package that installs them.
    *modules : str
        Names of top-level modules.

    Raises
    ------
    ImportError
        If one is missing; the message holds the command that installs them.
    """
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        names = ", ".join(missing)
        raise ImportError(f'{what} needs {names}: pip install "skl-lstm[{extra}]"')


def check_keras(what: str) -> None:
    """Check that Keras, with what trains it, is installed; `what` needs it."""
    check_installed(what, "keras", "keras", "tensorflow", "scikeras")


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return the end of a message about an unknown name: the nearest known one, if any."""
    by_lower = {each.lower(): each for each in known}
    nearest = difflib.get_close_matches(name.lower(), by_lower, n=1)
    return f"; did you mean {by_lower[nearest[0]]!r}?" if nearest else ""


def check_integer(name: str, value: Any, minimum: int = 1) -> None:
    """Raise ValueError unless `value` is an integer of at least `minimum`."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < minimum:
        wanted = "a positive integer" if minimum == 1 else f"an integer of at least {minimum}"
        raise ValueError(f"{name} must be {wanted}, got {value!r}")


def check_fraction(name: str, value: Any) -> None:
    """Raise ValueError unless `value` is a number in [0, 1)."""
    if not (is_number(value) and 0 <= float(value) < 1):
        raise ValueError(f"{name} must be a number in [0, 1), got {value!r}")


def check_share(name: str, value: Any) -> None:
    """Raise ValueError unless `value` is a number of rows, or a fraction of them in [0, 1)."""
    limit = math.inf if isinstance(value, Integral) else 1
    if not (is_number(value) and 0 <= value < limit):
        raise ValueError(
            f"{name} must be a fraction in [0, 1), or an integer number of rows, got {value!r}"
        )


def check_not_negative(name: str, value: Any) -> None:
    """Raise ValueError unless a value is a finite number of at least zero."""
    if not (is_number(value) and 0 <= value < math.inf):
        raise ValueError(f"{name} must be a number of at least 0, got {value!r}")


def check_choice(name: str, value: Any, allowed: tuple[Any, ...]) -> None:
    """Raise ValueError unless `value` is one of `allowed`; numbers do not count as booleans."""
    if isinstance(value, np.generic):
        value = value.item()
    if not any(type(value) is type(choice) and value == choice for choice in allowed):
        raise ValueError(f"{name} must be one of {allowed}, got {value!r}")


def is_number(value: Any) -> bool:
    """Return whether `value` is a real number and not a boolean."""
    return isinstance(value, Real) and not isinstance(value, bool)


def check_dense(X: Any) -> None:
    """Raise TypeError if X is sparse; the error says how to get a dense one."""
    if hasattr(type(X), "toarray"):  # of SciPy's arrays and matrices
        raise TypeError(
            "X must be dense, got sparse data: set sparse_output=False in the OneHotEncoder "
            "before, or pass X.toarray()"
        )


def refuse_times(X: Any) -> None:
    """Raise ValueError if a column of X holds times, which may become numbers unnoticed."""
    if not hasattr(X, "columns"):
        return
    for name, dtype in zip(X.columns, getattr(X, "dtypes", ()), strict=False):
        # Types of other libraries than pandas do not tell their kind, but values as arrays do.
        kind = getattr(dtype, "kind", None) or np.asarray(X[name][:1]).dtype.kind
        if kind in "mM":
            _refuse_other_than_numbers(name, X[name], None)


def numbers(X: Any, estimator: BaseEstimator, **options: Any) -> NDArray:
    """Return X as an array of floats of scikit-learn's ``check_array``; NaN is allowed.

    Raises
    ------
    ValueError
        As ``check_array``; of a DataFrame, naming the column that does not hold numbers.
    """
    if is_finite_array(X) and X.ndim == 2:
        return X
    check_dense(X)
    refuse_times(X)
    try:
        return check_array(
            X,
            dtype=[np.float64, np.float32],
            ensure_all_finite="allow-nan",
            estimator=estimator,
            input_name="X",
            **options,
        )
    except (TypeError, ValueError) as error:
        for name in getattr(X, "columns", ()):
            _refuse_other_than_numbers(name, X[name], error)
        raise


def _refuse_other_than_numbers(name: Any, column: Any, error: Exception | None) -> None:
    values = np.asarray(column)
    known = (value for value in values.flat if not _is_missing(value))
    example = next((value for value in known if not is_number(value)), None)
    if values.dtype.kind in "mM" or hasattr(example, "isoformat"):
        raise ValueError(
            f"X must hold numbers, but column {name!r} holds times: set the time of the rows as "
            "the index, or derive numbers from it, such as the hour"
        ) from error
    try:
        values.astype(np.float64)
    except (TypeError, ValueError):
        if reads_as_date(str(example)):
            raise ValueError(
                f"X must hold numbers, but column {name!r} holds text such as {str(example)!r}: "
                "if it is the time of the rows, make it times with "
                f"{to_datetime('…', str(example))} and set them as the index, or derive numbers "
                "from them, such as the hour"
            ) from error
        raise ValueError(
            f"X must hold numbers, but column {name!r} holds values such as {str(example)!r}: "
            "encode it before, with OneHotEncoder(sparse_output=False) or TargetEncoder, or leave "
            "it out; if it tells several series apart, name it in group"
        ) from error


def reads_as_date(text: str) -> bool:
    """Return whether text begins as a date does."""
    return _A_DATE.match(text) is not None


def to_datetime(what: str, text: str) -> str:
    """Return the code that makes dates of text such as `text`, for messages."""
    if _YEAR_FIRST.match(text):
        return f"pd.to_datetime({what})"
    return f"pd.to_datetime({what}, dayfirst=True), or False where the month is first,"


def _is_missing(value: Any) -> bool:
    return value is None or type(value).__name__ == "NAType" or bool(value != value)


def check_column_names(X: Any) -> None:
    """Raise scikit-learn's error if only some of the column names of X are strings.

    ``validate_data`` would do it when it stores the names. Here they are not stored, so that an
    estimator that rejects X afterwards is left unchanged.
    """
    if not isinstance(X, np.ndarray):
        validate_data(BaseEstimator(), X, skip_check_array=True)


def keep_columns(estimator: BaseEstimator, X: Any) -> None:
    """Store the number and the names of the columns, as ``validate_data`` does in ``fit``."""
    if _is_nameless(estimator, X):
        estimator.n_features_in_ = X.shape[1]
    else:
        validate_data(estimator, X, skip_check_array=True)


def compare_columns(estimator: BaseEstimator, X: Any) -> None:
    """Raise or warn as ``validate_data`` if X has other columns than those of ``fit``."""
    n_columns = getattr(estimator, "n_features_in_", None)
    if not (_is_nameless(estimator, X) and X.shape[1] == n_columns):
        validate_data(estimator, X, reset=False, skip_check_array=True)


def check_fitted(estimator: BaseEstimator, attribute: str) -> None:
    """Raise as ``check_is_fitted``, which takes longer, unless there is a fitted attribute."""
    if attribute not in vars(estimator):
        check_is_fitted(estimator)


def is_finite_array(X: Any) -> TypeGuard[NDArray]:
    """Return whether X is an array of finite floats that ``check_array`` would return as it is.

    If its dimensions are right. This takes a fiftieth of the time.
    """
    return (
        type(X) is np.ndarray
        and X.dtype in (np.float64, np.float32)
        and X.size > 0
        and bool(-math.inf < X.min() and X.max() < math.inf)
    )


def _is_nameless(estimator: BaseEstimator, X: Any) -> bool:
    """Return whether neither X nor what the estimator was fitted on, if it was, has names."""
    return isinstance(X, np.ndarray) and X.ndim > 1 and not hasattr(estimator, "feature_names_in_")
