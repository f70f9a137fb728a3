"""Copies of composed models that share what was learned, but for one part."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from sklearn import get_config

from skl_lstm.windowing.windower import LookbackWindower

# Fitted parts that pass on what another one predicts for each row.
PASSING_ON = ("best_estimator_", "regressor_")


def copy_around(
    model: Any, remake: Callable[[Any], Any], *, through_votes: bool = True, **marks: Any
) -> Any:
    """Return a copy of a model in which the part that predicts is another one.

    Parameters
    ----------
    model : fitted regressor
        A Pipeline, TransformedTargetRegressor, SeriesScaledRegressor, KnownRowsRegressor,
        VotingRegressor or search, nested in each other; or the part itself.
    remake : callable
        Returns what stands in the copy for a part, or None. It is asked from the outside inwards,
        until it returns something.
    through_votes : bool, default=True
        Whether to go into the parts of a VotingRegressor, of which all must have such a part.
    **marks : dict
        Attributes for the copies of all that is around the part.

    Returns
    -------
    made : fitted regressor or None
        The copy; None if there is no such part, or other models are around it, which might do
        anything with what it predicts.
    """
    from sklearn.pipeline import Pipeline  # late: slow to import

    made = remake(model)
    if made is not None:
        return made

    def inner(part: Any) -> Any:
        return copy_around(part, remake, through_votes=through_votes, **marks)

    if type(model) is Pipeline:
        name, last = model.steps[-1]
        part = inner(last)
        steps = [*model.steps[:-1], (name, part)]
        return None if part is None else copy_with(model, steps=steps, **marks)
    package = type(model).__module__.partition(".")[0]
    if package == "sklearn" and type(model).__name__ == "VotingRegressor":
        parts = [inner(part) for part in model.estimators_] if through_votes else [None]
        if any(part is None for part in parts):
            return None
        voting = copy_with(model, estimators_=parts, **marks)
        vars(voting).pop("named_estimators_", None)  # the same parts, by their names
        return voting
    for attribute in PASSING_ON if package in ("sklearn", "skl_lstm") else ():
        if hasattr(model, attribute):
            part = inner(getattr(model, attribute))
            return None if part is None else copy_with(model, **{attribute: part}, **marks)
    return None


def copy_around_windower(
    model: Any, remake: Callable[[LookbackWindower], Any], *, grouped: bool
) -> Any:
    """Return a copy of a model whose windower makes the last windows alone.

    Parameters
    ----------
    model : fitted regressor
        A Pipeline that makes windows once, as plain arrays, or what :func:`copy_around` takes
        around it.
    remake : callable
        Returns what stands in the copy for the windower.
    grouped : bool
        Whether the windower is one of several series, or of one.

    Returns
    -------
    made : fitted regressor or None
        The copy, in which all around the windower has ``only_last_rows``; None if the model is of
        another kind.
    """
    mark = {"only_last_rows": True}

    def with_another(part: Any) -> Any:
        return _with_windower(part, remake, grouped, **mark)

    return copy_around(model, with_another, **mark)


def _with_windower(
    part: Any, remake: Callable[[LookbackWindower], Any], grouped: bool, **marks: Any
) -> Any:
    from sklearn.pipeline import Pipeline  # late: slow to import

    steps = part.steps if isinstance(part, Pipeline) else []
    places = [i for i, (_, step) in enumerate(steps) if type(step) is LookbackWindower]
    if len(places) != 1:
        return None
    (name, windower), i = steps[places[0]], places[0]
    as_array = get_config()["transform_output"] == "default"
    if hasattr(windower, "_sklearn_output_config") or not as_array:
        return None
    if (windower.group is not None) != grouped:
        return None
    return copy_with(part, steps=[*steps[:i], (name, remake(windower)), *steps[i + 1 :]], **marks)


def copy_with(model: Any, **attributes: Any) -> Any:
    """Return a copy of a model with other attributes, which shares the rest."""
    other = copy.copy(model)
    for name, value in attributes.items():
        setattr(other, name, value)
    return other
