"""Rows to validate on that are passed to ``fit`` beside those to train on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, NamedTuple

from numpy.typing import NDArray

from skl_lstm.training.rows import Rows
from skl_lstm.warn import SeriesWarning, warn
from skl_lstm.windowing.alignment import far_columns, names_of_targets
from skl_lstm.windowing.window_array import step_columns

# Among how many rows it is looked whether windows are of another scale.
SOME_ROWS = 10**4

AS_PASSED = (
    "A Pipeline or a TransformedTargetRegressor passes validation_data as it is: transform it "
    "before, or set validation_split to a number of rows"
)


class ValidationData(NamedTuple):
    """What `validation_data` holds: windows, targets and, perhaps, weights."""

    X: Any
    y: Any
    sample_weight: Any = None

    @classmethod
    def of(cls, given: Any) -> ValidationData | None:
        """Return what the user gave, if it is as many things as Keras takes; None for None."""
        if given is None:
            return None
        several = isinstance(given, tuple | list)
        if not several or len(given) not in (2, 3) or any(each is None for each in given[:2]):
            kinds = [type(each).__name__ for each in given] if several else []
            got = f"({', '.join(kinds)})" if several else type(given).__name__
            raise ValueError(
                "validation_data must be a tuple (X_val, y_val) or (X_val, y_val, "
                f"sample_weight_val), got {got}"
            )
        return cls(*given)


@contextlib.contextmanager
def naming_validation_data() -> Iterator[None]:
    """Have errors of the checks that any X and y pass say that they are those to validate on."""
    try:
        yield
    except (TypeError, ValueError) as error:
        raise type(error)(f"in validation_data, {error}") from error


def check_same_form(X: Any, values: Any, X_val: Any, values_val: Any) -> None:
    """Raise ValueError unless windows to validate on have the form of those to train on.

    Parameters
    ----------
    X, X_val : array-like
        The windows as the user gave them, which may tell the columns of a time step.
    values, values_val : LaidOutLater or ndarray
        The same windows, checked.
    """
    if values_val.shape[1:] != values.shape[1:]:
        raise ValueError(
            f"X has windows of shape {values_val.shape[1:]}, but must have windows like those to "
            f"train on, of shape {values.shape[1:]}. {AS_PASSED}"
        )
    told, told_val = step_columns(X), step_columns(X_val)
    if told != told_val:
        raise ValueError(
            f"X has {_described(told_val)}, but must have {_described(told)}, as those to train "
            f"on. {AS_PASSED}"
        )


def _described(told: tuple[str, ...] | None) -> str:
    if told is None:
        return "windows that do not tell the columns of a time step"
    return f"windows of the columns {list(told)}" if told else "windows joined with other columns"


def check_same_targets(y: NDArray, y_val: NDArray, given: Any, given_val: Any) -> None:
    """Raise ValueError unless encoded targets are of the same outputs, as far as names tell."""
    if y_val.shape[1] != y.shape[1]:
        raise ValueError(
            f"y has {y_val.shape[1]} values a row, but must have {y.shape[1]}, as that to train on"
        )
    names, names_val = names_of_targets(given), names_of_targets(given_val)
    if names and names_val and len(names) > 1 and names_val != names:
        raise ValueError(
            f"y continues the columns {names_val}, but must continue {names}, as that to train on"
        )


def warn_of_other_scale(rows: Rows, validation: Rows) -> None:
    """Warn if rows to validate on lie far from those to train on, as unscaled ones do."""
    for name, trained, validated in (
        ("X", rows.windows.last_steps(SOME_ROWS), validation.windows.last_steps(SOME_ROWS)),
        ("y", rows.targets, validation.targets),
    ):
        far = far_columns(validated, trained)
        if len(far):
            there, here = validated[:, far[0]], trained[:, far[0]]
            warn(
                f"{name} in validation_data has values from {there.min():.4g} to "
                f"{there.max():.4g}, far from those to train on, from {here.min():.4g} to "
                f"{here.max():.4g}. {AS_PASSED}",
                SeriesWarning,
            )
