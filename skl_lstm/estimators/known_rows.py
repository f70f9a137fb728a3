"""A regressor trained only on rows that are known, after windows have been made of all rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin, RegressorMixin, clone
from sklearn.utils import Tags, check_array, check_consistent_length, get_tags
from sklearn.utils.validation import check_is_fitted

from skl_lstm.checks import check_integer, naming_the_nearest
from skl_lstm.windowing.grouped_windows import GroupedWindows
from skl_lstm.windowing.groups import times_told
from skl_lstm.windowing.laid_out_later import LaidOutLater
from skl_lstm.windowing.windower import LookbackWindower


class KnownRowsRegressor(MetaEstimatorMixin, RegressorMixin, BaseEstimator):
    """Meta-estimator that trains a regressor on the rows whose target is known.

    As the last step of a pipeline, behind a :class:`LookbackWindower`, it leaves rows out of
    training that the windows still need as lags: rows whose target is missing and, with
    `horizon`, rows whose target overlaps with what follows the training rows.

    Parameters
    ----------
    regressor : estimator, default=None
        The regressor, such as a ``TransformedTargetRegressor``, which does not accept missing
        targets; a ``LinearRegression()`` if None. Unless it accepts NaN in X, rows with a missing
        lag are left out too.
    horizon : int, default=1
        Number of rows that a target covers. The last ``horizon - 1`` rows are left out of
        training: in cross-validation, their targets lie in the test fold. So they are in the
        final fit of a search, where they could serve; there set 1.

    Attributes
    ----------
    regressor_ : estimator
        The fitted regressor.
    output_shape_ : tuple of int
        Shape of the prediction for a row: ``()``, or ``(n_outputs,)`` if y has two dimensions.
    n_features_in_ : int
        Number of columns of X.

    See Also
    --------
    LSTMForecaster : Leaves out rows with a missing target by itself.

    Notes
    -----
    A search scores with :meth:`score` by default. Other metrics of scikit-learn refuse unknown
    targets, and predictions of rows whose window is incomplete.

    Overlapping targets and their remedy are described by López de Prado, M. (2018), *Advances in
    financial machine learning*, Wiley, section 7.4, as purging.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
    >>> from sklearn.pipeline import make_pipeline
    >>> from skl_lstm import KnownRowsRegressor, LookbackWindower, load_airline_passengers
    >>> from skl_lstm import make_supervised
    >>> series = load_airline_passengers().astype(float)
    >>> series.iloc[20] = np.nan
    >>> X, y = make_supervised(series, horizon=6)
    >>> model = make_pipeline(LookbackWindower(12), KnownRowsRegressor(horizon=6))
    >>> grid = {"lookbackwindower__look_back": [12, 24]}
    >>> search = GridSearchCV(model, grid, cv=TimeSeriesSplit(3, test_size=12)).fit(X, y)
    >>> search.best_params_
    {'lookbackwindower__look_back': 24}
    """

    @naming_the_nearest
    def __init__(self, regressor: Any = None, *, horizon: int = 1) -> None:
        self.regressor = regressor
        self.horizon = horizon

    def fit(self, X: ArrayLike, y: ArrayLike, **fit_params: Any) -> KnownRowsRegressor:
        """Train a clone of the regressor on the rows that are known.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Windows in time order.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            What follows each window. NaN where it is not known.
        **fit_params : dict
            Further arguments of the regressor's ``fit``; those with one value per row are cut to
            the same rows.

        Returns
        -------
        self : KnownRowsRegressor
            The fitted estimator.

        Raises
        ------
        ValueError
            If `horizon` is not a positive integer, `regressor` holds a windower, or no row is
            left.
        """
        check_integer("horizon", self.horizon)
        if self._holds_windower():
            raise ValueError(
                "regressor must not hold a LookbackWindower, which needs all rows: put it before "
                "KnownRowsRegressor"
            )
        if y is None:
            raise ValueError(
                "This KnownRowsRegressor estimator requires y to be passed, but the target y is "
                "None."
            )
        X = _as_rows(X)
        y = y if hasattr(y, "iloc") else np.asarray(y)
        n_rows = len(np.asarray(y))
        check_consistent_length(X, y)
        regressor = self._regressor()
        known = _known(y)
        known &= ~self._overlap(X, y)
        if not get_tags(regressor).input_tags.allow_nan:
            known &= _known(X)
        if not known.any():
            raise ValueError(
                f"y must be known for at least one row with a complete window that is not among "
                f"the last horizon - 1 = {self.horizon - 1}, got none in n_samples={n_rows}"
            )
        # A slice of windows is a view; other selections are copies, as large as all windows.
        last = int(np.flatnonzero(known)[-1]) + 1
        first = int(np.argmax(known))
        rows = slice(first, last) if known[first:last].all() else np.flatnonzero(known)
        per_row = {
            name: _take(value, rows) if _is_per_row(value, n_rows) else value
            for name, value in fit_params.items()
        }
        self.regressor_ = regressor.fit(_take(X, rows), _take(y, rows), **per_row)
        self.output_shape_ = np.shape(y)[1:]
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self.regressor_, name):
                setattr(self, name, getattr(self.regressor_, name))
            elif hasattr(self, name):
                delattr(self, name)
        return self

    def predict(self, X: ArrayLike) -> NDArray:
        """Predict what follows each row.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Windows, as in :meth:`fit`.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions; NaN for a row with a missing lag, unless the regressor accepts them.
        """
        check_is_fitted(self)
        X = _as_rows(X)
        if get_tags(self.regressor_).input_tags.allow_nan:
            return self.regressor_.predict(X)
        known = _known(X)
        if known.all():
            return self.regressor_.predict(X)
        predictions = np.full((len(known), *self.output_shape_), np.nan)
        if known.any():
            predictions[known] = self.regressor_.predict(_take(X, np.flatnonzero(known)))
        return predictions

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the coefficient of determination on the rows whose target is known.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            Windows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            What follows each window. NaN where it is not known.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.

        Returns
        -------
        score : float
            R².
        """
        return score_known(y, self.predict(X), sample_weight)

    def _overlap(self, X: Any, y: Any) -> NDArray[np.bool_]:
        """Return which rows are the last ones, of each of several series."""
        n_rows = len(y)
        if isinstance(X, GroupedWindows):
            return X.rows_after() < self.horizon - 1
        if self.horizon > 1 and times_told(X, y) is not None:
            raise ValueError(
                "X must be windows as LookbackWindower makes them for horizon > 1 and several "
                f"series, whose last rows it then tells, got {type(X).__name__}; put "
                "KnownRowsRegressor right behind it"
            )
        return np.arange(n_rows) >= n_rows - self.horizon + 1

    def _regressor(self) -> Any:
        from sklearn.linear_model import LinearRegression  # late: slow to import

        return LinearRegression() if self.regressor is None else clone(self.regressor)

    def _holds_windower(self) -> bool:
        parts = self.get_params().values()
        return any(isinstance(part, LookbackWindower) for part in parts)

    def _rows_seen(self) -> int:
        return 1

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        of_regressor = get_tags(self._regressor())
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = False
        tags.target_tags.multi_output = of_regressor.target_tags.multi_output
        tags.regressor_tags.poor_score = of_regressor.regressor_tags.poor_score
        return tags


def score_known(y: ArrayLike, predictions: NDArray, sample_weight: ArrayLike | None) -> float:
    """Return R² on the rows whose target and prediction are known."""
    from sklearn.metrics import r2_score  # late: slow to import

    known = _known(y) & _known(predictions)
    weight = None if sample_weight is None else np.asarray(sample_weight)[known]
    return float(r2_score(np.asarray(y)[known], predictions[known], sample_weight=weight))


def _known(values: Any) -> NDArray[np.bool_]:
    """Return which rows have no missing value."""
    if isinstance(values, LaidOutLater):
        return values.complete()
    array = np.asarray(values)
    if array.dtype.kind not in "fcO":
        return np.ones(len(array), dtype=bool)
    missing = np.isnan(array) if array.dtype.kind in "fc" else array != array
    return ~missing.reshape(len(array), -1).any(axis=1)


def _is_per_row(value: Any, n_rows: int) -> bool:
    """Return whether an argument of ``fit`` holds one value per row.

    A list or a tuple may hold arrays of several shapes, as `validation_data` does.
    """
    if isinstance(value, list | tuple):
        return len(value) == n_rows
    return np.shape(value)[:1] == (n_rows,)


def _take(values: Any, rows: slice | NDArray[np.intp]) -> Any:
    """Return some rows of an array, or of a DataFrame or Series of any library."""
    if hasattr(values, "iloc"):
        return values.iloc[rows]
    return values[rows] if hasattr(values, "shape") else np.asarray(values)[rows]


def _as_rows(X: Any) -> Any:
    """Return X as rows that can be selected; arrays and DataFrames as they are."""
    if isinstance(X, np.ndarray | LaidOutLater) or hasattr(X, "columns"):
        return X
    return check_array(X, ensure_all_finite="allow-nan", allow_nd=True, input_name="X")
