"""Scores of a model by its forecasts of several steps, for searches."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skl_lstm.checks import check_integer
from skl_lstm.compositions.parts import fitted_group, fitted_roles
from skl_lstm.forecasting.course import check_regressor
from skl_lstm.forecasting.series_origins import SeriesData
from skl_lstm.forecasting.walk import walk_forward
from skl_lstm.model_selection.errors import ErrorScorer, Metric, check_metric, error_by
from skl_lstm.windowing.calendar import label_text
from skl_lstm.windowing.columns import Names, told_by, told_names
from skl_lstm.windowing.span import Freq


@dataclass(frozen=True)
class ForecastScorer(ErrorScorer):
    """Scorer made by :func:`forecast_scorer`, whose parameters it holds."""

    steps: int
    stride: int
    metric: Metric | None
    target: Names | None
    known: Names | None
    static: Names | None
    freq: Freq | None

    def __call__(self, estimator: Any, X: Any, y: Any) -> float:
        """Score a model.

        Parameters
        ----------
        estimator : fitted regressor
            The model.
        X : array-like of shape (n_samples, n_columns)
            Rows that follow each other, as :func:`make_supervised` returns them.
        y : array-like of shape (n_samples,) or (n_samples, horizon * n_targets)
            What follows each row; NaN where it is not known.

        Returns
        -------
        score : float
            The negative error; 0 is best.

        Raises
        ------
        ValueError
            If X and y are not rows of one series, or too few; if `steps` exceeds what the model
            predicts at once although a column is known only up to now; if a forecast is NaN; or
            if `metric` does not return an error.
        """
        check_regressor(estimator, "estimator")
        if fitted_group(estimator) is not None:
            raise ValueError(
                "estimator must forecast one series, got one of several: panel_scorer judges it "
                "by the next rows, and backtest by forecasts of several steps"
            )
        data = SeriesData.of(X, y, self._names(estimator, X), season=1, freq=self.freq)
        data.check_steps(self.steps)
        origins = self._origins(data)
        targets = data.roles.targets
        ahead = origins[:, np.newaxis] + 1 + np.arange(self.steps)
        truth = data.rows[targets].to_numpy()[ahead].reshape(-1, len(targets))
        paths = walk_forward(estimator, data.rows, origins, self.steps, targets, after_fit=True)
        return -self._error(truth, paths.reshape(truth.shape))

    def _names(self, estimator: Any, X: Any) -> dict[str, Any]:
        """Return the names of columns that are given, or else told by X or by the model."""
        told = told_names(told_by(X) or fitted_roles(estimator), getattr(X, "columns", ()))
        given = {"target": self.target, "known": self.known, "static": self.static}
        return {role: told.get(role) if names is None else names for role, names in given.items()}

    def _origins(self, data: SeriesData) -> NDArray[np.intp]:
        """Return the rows to forecast from: after the last target of the training rows before."""
        first = data.horizon - 1
        last = next((i for i in range(len(data.X))[::-1] if data.n_after(i) >= self.steps), -1)
        if last < first:
            index = data.rows.index
            raise ValueError(
                f"X must have at least {self._n_least(data)} rows for forecasts of "
                f"steps={self.steps}, got {len(data.X)}, from {label_text(index[0])} to "
                f"{label_text(index[len(data.X) - 1])}; set a larger test_size in the splitter"
            )
        return np.arange(first, last + 1, self.stride)

    def _n_least(self, data: SeriesData) -> int:
        """Return the number of rows that have one origin with all steps after it."""
        in_blocks = -(-self.steps // data.horizon) * data.horizon
        return in_blocks if data.roles.known else max(self.steps, data.horizon)

    def _error(self, truth: NDArray, paths: NDArray) -> float:
        known = ~np.isnan(truth).any(axis=1)
        if not known.any():
            raise ValueError("y must be known in at least one row to forecast, got NaN in all")
        truth, paths = truth[known], paths[known]
        if np.isnan(paths).any():
            raise ValueError("estimator must forecast numbers, got NaN")
        return error_by(self.metric, truth, paths)

    def __reduce__(self) -> tuple[Any, ...]:
        # Pickles name public functions alone, so that modules can move.
        parameters = {field.name: getattr(self, field.name) for field in fields(self)}
        return partial(forecast_scorer, **parameters), ()


def forecast_scorer(
    steps: int,
    *,
    stride: int = 1,
    metric: Metric | None = None,
    target: Names | None = None,
    known: Names | None = None,
    static: Names | None = None,
    freq: Freq | None = None,
) -> ForecastScorer:
    """Make a scorer that judges a model by its forecasts of several steps.

    The model that predicts the next row best need not be the best for the twelfth. As `scoring`
    of a search, this has it choose by the forecasts that :func:`forecast` would make from the
    test rows.

    Parameters
    ----------
    steps : int
        Number of rows to forecast from each origin.
    stride : int, default=1
        Number of rows from one origin to the next. Every test row with all `steps` after it is an
        origin by default.
    metric : callable, default=None
        Error, ``metric(y_true, y_pred)`` of arrays of shape ``(n_origins * steps, n_targets)``,
        such as ``root_mean_squared_error`` of scikit-learn; the mean absolute error if None.
        Smaller must be better.
    target, known, static : name or sequence of names, default=None
        The columns that the model predicts, those known ahead, and those that do not change, if
        X and the model do not tell, as they do after :func:`make_supervised`.
    freq : str, offset or int, default=None
        Step between two rows, as in :func:`forecast`.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y)``, for the `scoring` of a search, ``cross_val_score`` or
        ``cross_validate``. It returns the negative error, so that greater is better.

    Raises
    ------
    ValueError
        If a parameter is invalid.

    See Also
    --------
    backtest : Shows how good the forecasts of a chosen model were.
    panel_scorer : Judges a model of several series by the next rows.

    Notes
    -----
    X and y are those of one series. The test part of each fold needs `steps` rows or more, as with
    ``TimeSeriesSplit(5, test_size=24)`` for 12 steps: there are then 13 origins in a fold. The
    first windows reach back into the training rows, as in ``predict``. If the target of a row
    covers several rows, those of the last training rows reach into the test part; the rows up to
    there are no origins, so that no `gap` is needed.

    The forecasts go on from what is predicted, also if the model predicts several rows at once
    but fewer than `steps`. A stateful network starts from zero states in the first test row.

    Searches catch errors of a scorer and go on with NaN; ``error_score="raise"`` shows them.
    ``HalvingGridSearchCV`` draws rows at random, unless its `resource` is another one, such as
    the number of epochs.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
    >>> from sklearn.pipeline import make_pipeline
    >>> from skl_lstm import LookbackWindower, forecast_scorer, load_airline_passengers
    >>> from skl_lstm import make_supervised
    >>> X, y = make_supervised(load_airline_passengers())
    >>> model = make_pipeline(LookbackWindower(1, padding="edge"), LinearRegression())
    >>> grid = {"lookbackwindower__look_back": [1, 6, 12]}
    >>> search = GridSearchCV(
    ...     model, grid, cv=TimeSeriesSplit(3, test_size=24), scoring=forecast_scorer(12)
    ... ).fit(X, y)
    >>> search.best_params_
    {'lookbackwindower__look_back': 12}
    >>> search.cv_results_["mean_test_score"].round(1)
    array([-75.8, -59.4, -21.4])
    """
    check_integer("steps", steps)
    check_integer("stride", stride)
    check_metric(metric)
    return ForecastScorer(steps, stride, metric, target, known, static, freq)
