"""Every quantile that a network learned, through whatever is composed around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skl_lstm.compositions.copies import copy_around
from skl_lstm.compositions.parts import target_transformer
from skl_lstm.network.quantiles import MEDIAN

# Relative difference of values that differ only by rounding.
ROUNDING = 1e-9


def by_quantile(model: Any) -> dict[float, Any]:
    """Return for each quantile a model that predicts it.

    Parameters
    ----------
    model : fitted regressor
        An LSTMForecaster that learned quantiles, in a Pipeline, TransformedTargetRegressor,
        SeriesScaledRegressor, KnownRowsRegressor or search.

    Returns
    -------
    models : dict of float to fitted regressor
        Copies that share what was learned, the smallest quantile first. Each predicts in the
        shape in which `model` does, so that what is around the network treats a quantile as it
        treats the median.

    Raises
    ------
    ValueError
        If the model holds no such network, or holds it in something else, such as a
        VotingRegressor, whose mean of quantiles is not a quantile.
    """
    found: list[Any] = []
    copy_around(
        model,
        lambda part: found.append(part) if _learned_quantiles(part) else None,
        through_votes=False,
    )
    if not found:
        raise ValueError(
            "model must be an LSTMForecaster fitted with loss='pinball' for quantiles=True, or a "
            "Pipeline, TransformedTargetRegressor, SeriesScaledRegressor, KnownRowsRegressor or "
            f"search around one, got {type(model).__name__}; forecast_interval takes any model"
        )

    quantiles = found[0].quantiles_
    if len(quantiles) == 1 and quantiles != (MEDIAN,) and target_transformer(model) is not None:
        raise ValueError(
            "quantile must hold several numbers for quantiles=True if the target is transformed, "
            "since only these show whether its quantiles are turned around, got "
            f"{list(quantiles)}; without quantiles=True the forecast is what predict returns"
        )

    def predicting(place: int) -> Any:
        return copy_around(
            model, lambda part: part._of_quantile(place) if _learned_quantiles(part) else None
        )

    return {quantile: predicting(i) for i, quantile in enumerate(quantiles)}


def _learned_quantiles(part: Any) -> bool:
    return bool(getattr(part, "quantiles_", ()))


def ascending(values: NDArray, quantiles: Sequence[float]) -> NDArray:
    """Return quantiles in ascending order, as they are after a map of the target that falls.

    Parameters
    ----------
    values : ndarray of shape (..., n_quantiles)
        What the models of :func:`by_quantile` predict.
    quantiles : sequence of float
        Which quantiles these are.

    Raises
    ------
    ValueError
        If the quantiles are no longer in order, or are those of other levels: a map that falls
        makes the quantile 0.9 of 0.1, which must then be among them too.
    """
    steps, tiny = np.diff(values, axis=-1), ROUNDING * np.abs(values).max(initial=0.0)
    rises, falls = (steps >= -tiny).all(axis=-1), (steps <= tiny).all(axis=-1)
    if not (rises | falls).all():
        raise ValueError(
            "model must restore each target by itself, by a function that only rises or only "
            "falls, for quantiles=True, but what is around its network mixes up the quantiles"
        )
    if not rises.all() and not np.allclose(quantiles, 1.0 - np.array(quantiles)[::-1]):
        raise ValueError(
            "quantile must hold 1 - q for each q if the target is restored by a function that "
            f"falls, which turns the one into the other, got {list(quantiles)}"
        )
    return np.sort(values, axis=-1)
