"""The parts of a composed model, and what can be derived from them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

# Under which names estimators of scikit-learn keep the fitted clones of a parameter, if that is
# not its own name with an underscore.
CLONES = {"estimator": ("best_estimator_", "estimators_", "calibrated_classifiers_")}

# How many uses of its weights take a network as long as all else that it does with a row.
USES_OF_A_VISIT = 40_000


def parts(model: Any, *, fitted: bool = False) -> Iterator[Any]:
    """Yield all estimators that a model is made of, itself included.

    Parameters
    ----------
    model : estimator
        Any composition: pipelines, searches, ensembles, nested in each other.
    fitted : bool, default=False
        Whether to skip the unfitted templates of an estimator if their fitted clones are there
        too: ``regressor`` if there is ``regressor_``.

    Yields
    ------
    part : estimator
        Each estimator once.
    """
    pending, seen = [model], set()
    while pending:
        part = pending.pop()
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, list | tuple):
            pending.extend(part)
        elif isinstance(part, dict):
            pending.extend(part.values())
        elif isinstance(part, np.ndarray) and part.dtype == object:
            pending.extend(part.flat)
        elif hasattr(part, "fit") and not isinstance(part, type):
            yield part
            attributes = getattr(part, "__dict__", {})
            pending.extend(
                value
                for name, value in attributes.items()
                if not (fitted and _is_template(name, attributes))
            )


def _is_template(name: str, attributes: Collection[str]) -> bool:
    """Return whether an attribute is an estimator to clone, and the fitted clone is there too."""
    return any(clone in attributes for clone in (f"{name}_", *CLONES.get(name, ())))


def trained_part(model: Any) -> Any:
    """Return the only LSTM estimator in a fitted model.

    Parameters
    ----------
    model : fitted estimator
        An LSTM estimator, or a Pipeline, TransformedTargetRegressor or search around one.

    Returns
    -------
    part : LSTMForecaster or LSTMClassifier
        The fitted LSTM estimator.

    Raises
    ------
    NotFittedError
        If the model is not fitted.
    ValueError
        If the model holds no LSTM estimator, or several.
    """
    check_is_fitted(model)
    found = [part for part in parts(model, fitted=True) if hasattr(part, "history_")]
    if len(found) != 1:
        raise ValueError(
            f"estimator must hold one LSTM estimator, got {type(model).__name__} that holds "
            f"{len(found) or 'none'}"
        )
    return found[0]


def reach(model: Any) -> int | None:
    """Return the number of last rows that a prediction depends on; None if it may be any."""
    rows_seen = [_rows_seen(part) for part in parts(model, fitted=True)]
    if None in rows_seen:
        return None
    # The sum, since windows of windows extend back over both.
    return 1 + sum(n_rows - 1 for n_rows in rows_seen if n_rows is not None)


def look_back(model: Any) -> int:
    """Return the number of rows in the longest window of a fitted model."""
    return max((len(windower.head_) for windower in windowers(model)), default=1)


def windowers(model: Any) -> list[Any]:
    """Return the fitted windowers in a model."""
    return [part for part in parts(model, fitted=True) if hasattr(part, "head_")]


def target_transformer(model: Any) -> Any:
    """Return the fitted transformer of the target in a model; None if there is none."""
    found = (getattr(part, "transformer_", None) for part in parts(model, fitted=True))
    return next((transformer for transformer in found if transformer is not None), None)


def fitted_roles(model: Any) -> dict[str, Any]:
    """Return the ``"target"``, ``"known"`` and ``"horizon"`` of a model, as far as it tells."""
    told = (getattr(windower, "roles_", None) for windower in windowers(model))
    return next((roles for roles in told if roles is not None), {})


def fitted_group(model: Any) -> Any:
    """Return what tells the series of a model's X apart, ``group``; None if X is one series."""
    groups = (getattr(part, "group", None) for part in parts(model, fitted=True))
    return next((group for group in groups if group is not None), None)


def carries_forward(model: Any) -> bool:
    """Return whether a missing value may be filled from rows before those of a window."""
    return any(windower.fill_missing is not None for windower in windowers(model))


def _rows_seen(part: Any) -> int | None:
    """Return the number of last rows that the output of a part depends on; None if unknown."""
    from sklearn.preprocessing import FunctionTransformer  # late: slow to import

    if isinstance(part, FunctionTransformer):
        functions = (part.func, part.inverse_func)
        by_row = [isinstance(each, np.ufunc | None) or each is np.asarray for each in functions]
        return 1 if all(by_row) else None
    if hasattr(part, "_rows_seen"):
        return part._rows_seen()
    return 1 if type(part).__module__.partition(".")[0] == "sklearn" else None


def work_of_a_fit(model: Any) -> float:
    """Estimate how much work fitting a model is for each row of its X, in visits of the row.

    An epoch, a tree or a boosting iteration visits each row once, and a search does so for all
    candidates. A visit of a network counts more, the more weights and time steps it has.

    Parameters
    ----------
    model : fitted estimator
        Any composition.
    """
    visits, repeats = 1.0, 1
    for part in parts(model, fitted=True):
        n_weights = sum(np.size(weights) for weights in getattr(part, "weights_", ()))
        weight = 1.0 + n_weights * look_back(model) / USES_OF_A_VISIT
        told = (np.asarray(getattr(part, name, 1)) for name in ("n_iter_", "n_estimators"))
        for n_visits in told:
            if n_visits.size and np.issubdtype(n_visits.dtype, np.number):  # not None, "auto"
                visits = max(visits, float(n_visits.max()) * weight)
        if hasattr(part, "cv_results_"):
            repeats *= 1 + part.n_splits_ * len(part.cv_results_["params"])
    return visits * repeats
