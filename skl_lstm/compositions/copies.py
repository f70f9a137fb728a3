"""Copies of composed models in which one part is another."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from sklearn import get_config

from skl_lstm.windowing.windower import LookbackWindower

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


def with_windower(part: Any, accepts: Callable[[Any], bool], remake: Callable[[Any], Any]) -> Any:
    """Return a copy of a pipeline with another windower; None if it does not make windows once.

    Parameters
    ----------
    part : object
        A pipeline, or anything else.
    accepts : callable
        Whether a windower, which makes plain arrays, is of the kind that can be replaced.
    remake : callable
        Returns what stands in the copy for the windower.
    """
    from sklearn.pipeline import Pipeline  # late: slow to import

    steps = part.steps if isinstance(part, Pipeline) else []
    places = [i for i, (_, step) in enumerate(steps) if type(step) is LookbackWindower]
    if len(places) != 1:
        return None
    (name, windower), i = steps[places[0]], places[0]
    as_array = get_config()["transform_output"] == "default"
    if hasattr(windower, "_sklearn_output_config") or not as_array or not accepts(windower):
        return None
    made = marked(part)
    made.steps = [*steps[:i], (name, remake(windower)), *steps[i + 1 :]]
    return made


def marked(model: Any) -> Any:
    """Return a copy of a model, for one that predicts only the last rows."""
    made = copy.copy(model)
    made.only_last_rows = True
    return made
