"""Copies of a fitted composition that share what it learned, except for one part."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

# Fitted parts that pass on what another one predicts for each row.
PASSING_ON = ("best_estimator_", "regressor_")


def with_predictor(model: Any, change: Callable[[Any], Any], **marks: Any) -> Any:
    """Return a copy of a model in which the part that predicts is another one.

    Parameters
    ----------
    model : fitted regressor
        A Pipeline, TransformedTargetRegressor, SeriesScaledRegressor, KnownRowsRegressor or
        search, nested in each other; or the part itself.
    change : callable
        Function that returns what is to stand in place of a part, or None. It is asked from the
        outside inwards, until it returns something.
    **marks : dict
        Attributes for the copies of all that is around the part.

    Returns
    -------
    changed : fitted regressor or None
        The copy; None if there is no such part, or other models are around it, which might do
        anything with what it predicts.
    """
    from sklearn.pipeline import Pipeline  # late: slow to import

    changed = change(model)
    if changed is not None:
        return changed
    if isinstance(model, Pipeline):
        name, last = model.steps[-1]
        part = with_predictor(last, change, **marks)
        steps = [*model.steps[:-1], (name, part)]
        return None if part is None else copy_with(model, steps=steps, **marks)
    package = type(model).__module__.partition(".")[0]
    for attribute in PASSING_ON if package in ("sklearn", "skl_lstm") else ():
        if hasattr(model, attribute):
            part = with_predictor(getattr(model, attribute), change, **marks)
            return None if part is None else copy_with(model, **{attribute: part}, **marks)
    return None


def copy_with(model: Any, **attributes: Any) -> Any:
    """Return a copy of a model with other attributes, which shares the rest."""
    other = copy.copy(model)
    for name, value in attributes.items():
        setattr(other, name, value)
    return other
