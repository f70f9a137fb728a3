"""Scores of a model by series, relative to the size of each."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import check_array

from skl_lstm.checks import check_choice
from skl_lstm.model_selection.errors import ErrorScorer, Metric, check_metric, error_by
from skl_lstm.windowing.columns import Names
from skl_lstm.windowing.groups import Panel, names_of_group, refuse_other_order, series_at


@dataclass(frozen=True)
class PanelScorer(ErrorScorer):
    """Scorer made by :func:`panel_scorer`, whose parameters it holds."""

    group: Names
    metric: Metric | None
    weights: Literal["alike", "size"]

    def __call__(self, estimator: Any, X: Any, y: Any) -> float:
        """Score a model.

        Parameters
        ----------
        estimator : estimator
            The fitted model.
        X : DataFrame of n_samples rows
            What to predict from: a table of several series, indexed by time, each in time order.
        y : array-like of shape (n_samples,) or (n_samples, n_steps)
            True values, NaN where they are not known.

        Returns
        -------
        score : float
            The negative error; 0 is best.

        Raises
        ------
        ValueError
            If X does not tell its series apart, predictions and `y` differ in shape, no row is
            known, all of `y` is zero, or `metric` does not return an error.
        """
        panel = Panel.of(X, self.group, whole=False)
        refuse_other_order(X, y)
        y, predictions = _of_one_shape(y, estimator.predict(X), len(panel.codes))
        each_series = _known_rows_of_series(panel, y, predictions)
        n_known = [len(rows) for rows in each_series]
        sizes = np.array([np.abs(y[rows]).mean() for rows in each_series])
        size_of_all = np.average(sizes, weights=n_known)
        if size_of_all == 0:
            raise ValueError(
                "y must have another value than zero to tell its size, got zeros in all "
                f"{sum(n_known)} known rows"
            )
        errors = np.array(
            [
                error_by(
                    self.metric,
                    y[rows],
                    predictions[rows],
                    f" in {series_at(panel.labels[panel.codes[rows[0]]])}",
                )
                for rows in each_series
            ]
        )
        if self.weights == "size":
            return -float(np.average(errors, weights=n_known) / size_of_all)
        return -float(np.mean(errors / np.where(sizes == 0, size_of_all, sizes)))

    def __reduce__(self) -> tuple[Any, ...]:
        # Pickles name public functions alone, so that modules can move.
        return partial(panel_scorer, metric=self.metric, weights=self.weights), (self.group,)


def panel_scorer(
    group: Names, *, metric: Metric | None = None, weights: Literal["alike", "size"] = "alike"
) -> PanelScorer:
    """Make a scorer that judges a model by series, each relative to its size.

    In the mean error of all rows, the largest series decide which model is best. Here the error of
    each series is divided by its size, the mean of the absolute values of y.

    Parameters
    ----------
    group : name or list of names
        What tells the series apart: a column of X or a level of its index, as in ``X.groupby``.
    metric : callable, default=None
        Error of one series, ``metric(y_true, y_pred)``, such as ``root_mean_squared_error`` of
        scikit-learn; the mean absolute error if None. It must be in units of y, as the size is,
        which a mean squared error is not, and smaller must be better.
    weights : {"alike", "size"}, default="alike"
        How the relative errors of the series are averaged: each counts "alike", or by its "size"
        and its number of known rows, so that large ones decide. With the mean absolute error,
        "size" is the sum of all absolute errors divided by that of all absolute values.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y)``, for the `scoring` of a search or of ``cross_validate``. It
        returns the negative mean, so that greater is better, as scikit-learn expects.

    Raises
    ------
    ValueError
        If a parameter is invalid.

    See Also
    --------
    PanelTimeSeriesSplit : Folds of such tables.

    Notes
    -----
    Rows in which y or the prediction is NaN in any of its steps are left out, and a series without
    other rows. The size is that of the rows that are scored. A series whose values are all zero
    has none; its error is divided by the mean of the absolute values in all rows instead.
    A series whose values are nearly zero can outweigh all others; "size" prevents this.

    For the ratio of these two means, and why it serves better than percentages of single values,
    see Kolassa, S. and Schütz, W. (2007), "Advantages of the MAD/Mean ratio over the MAPE",
    *Foresight* 6, 40-43.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from sklearn.dummy import DummyRegressor
    >>> from sklearn.metrics import root_mean_squared_error
    >>> from sklearn.model_selection import cross_validate
    >>> from skl_lstm import PanelTimeSeriesSplit, panel_scorer
    >>> days = pd.date_range("2024-01-01", periods=6, name="day")
    >>> index = pd.MultiIndex.from_product([["kiosk", "mall"], days], names=["shop", "day"])
    >>> X = pd.DataFrame({"sunny": [0, 1] * 6}, index=index)
    >>> y = pd.Series([2, 3, 2, 3, 2, 3, 200, 300, 200, 300, 200, 300], index=index)
    >>> scoring = {
    ...     "by shop": panel_scorer("shop"),
    ...     "squared": panel_scorer("shop", metric=root_mean_squared_error),
    ...     "pooled": panel_scorer("shop", weights="size"),
    ... }
    >>> cv = PanelTimeSeriesSplit(n_splits=2, test_size=2)
    >>> scores = cross_validate(DummyRegressor(), X, y, cv=cv, scoring=scoring)
    >>> {name: scores[f"test_{name}"].round(1).tolist() for name in scoring}
    {'by shop': [-25.0, -25.0], 'squared': [-25.0, -25.0], 'pooled': [-1.0, -1.0]}
    """
    names_of_group(group)
    check_metric(metric)
    check_choice("weights", weights, ("alike", "size"))
    return PanelScorer(group, metric, weights)


def _of_one_shape(y: Any, predictions: Any, n_rows: int) -> tuple[NDArray, NDArray]:
    """Return y and predictions as arrays of numbers; those of one step may be a column or not."""
    y, predictions = _values(y, "y"), _values(predictions, "predictions")
    if len(predictions) == len(y) == n_rows and predictions.size == y.size:
        return y, predictions.reshape(y.shape)
    raise ValueError(
        "y and the predictions must have a row for each of X and as many columns, got shapes "
        f"{y.shape} and {predictions.shape} for {n_rows} rows"
    )


def _values(values: Any, name: str) -> NDArray[np.float64]:
    return check_array(
        values, dtype=np.float64, ensure_2d=False, ensure_all_finite="allow-nan", input_name=name
    )


def _known_rows_of_series(
    panel: Panel, y: NDArray, predictions: NDArray
) -> list[NDArray[np.int64]]:
    """Return the rows of each series that are known; not of a series without any."""
    missing = np.isnan(y) | np.isnan(predictions)
    known = ~missing.reshape(len(y), -1).any(axis=1)
    rows = panel.order[known[panel.order]]
    if not len(rows):
        raise ValueError(
            "y and the predictions must be known together in at least one row, got none in "
            f"n_samples={len(y)}"
        )
    return np.split(rows, np.flatnonzero(np.diff(panel.codes[rows])) + 1)
