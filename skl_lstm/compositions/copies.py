"""Copies of composed models in which one part is another."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

# Fitted parts that pass on what another one predicts for each row.
PASSING_ON = ("best_estimator_", "regressor_")


def copy_around(model: Any, remake: Callable[[Any], Any]) -> Any:
    """Return a copy of a model that passes on what another part predicts, for its rows alone.

    Parameters
    ----------
    model : fitted regressor
        The part itself, or a TransformedTargetRegressor, SeriesScaledRegressor,
        KnownRowsRegressor, VotingRegressor or search around it.
    remake : callable
        Returns what stands in the copy for a part; None for a part of another kind.

    Returns
    -------
    made : fitted regressor or None
        The copy, which shares everything else; None if there is no such part.
    """
    made = remake(model)
    if made is not None:
        return made
    package = type(model).__module__.partition(".")[0]
    if package == "sklearn" and type(model).__name__ == "VotingRegressor":
        parts = [copy_around(part, remake) for part in model.estimators_]
        made = marked(model)
        made.estimators_ = parts
        vars(made).pop("named_estimators_", None)  # the same parts, by their names
        return None if any(part is None for part in parts) else made
    for attribute in PASSING_ON if package in ("sklearn", "skl_lstm") else ():
        if hasattr(model, attribute):
            part = copy_around(getattr(model, attribute), remake)
            made = marked(model)
            setattr(made, attribute, part)
            return None if part is None else made
    return None


def marked(model: Any) -> Any:
    """Return a copy of a model, for one that predicts only the last rows."""
    made = copy.copy(model)
    made.only_last_rows = True
    return made
