"""A regressor trained on many series, each brought to a scale of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin, RegressorMixin, clone
from sklearn.utils import Tags, check_array, check_consistent_length, get_tags
from sklearn.utils.validation import check_is_fitted

from skl_lstm.checks import (
    check_choice,
    check_column_names,
    compare_columns,
    keep_columns,
    naming_the_nearest,
    numbers,
)
from skl_lstm.estimators.known_rows import score_known
from skl_lstm.warn import SeriesWarning, warn
from skl_lstm.windowing.alignment import names_of_targets
from skl_lstm.windowing.columns import Names, names_in, told_by
from skl_lstm.windowing.frames import as_frame
from skl_lstm.windowing.groups import Panel, index_of, kinds_of

if TYPE_CHECKING:
    import pandas as pd

Method = Literal["standard", "mean", "minmax"]

# How many ranges away from a column, or how often as wide, y is taken to be in other units.
FAR = 10.0

# Relative difference of values that differ only by rounding.
ROUNDING = 8 * float(np.finfo(np.float64).eps)


class SeriesScaledRegressor(MetaEstimatorMixin, RegressorMixin, BaseEstimator):
    """Meta-estimator that brings every series of a table to a scale of its own.

    The columns that y continues, and y with them, are scaled by statistics of the training rows
    of their series; predictions are brought back. So one model learns from series of very
    different size, such as the sales of small and large shops, and each counts alike.

    It stands outside the pipeline, where each row still tells its series. A
    ``TransformedTargetRegressor`` cannot do this, since its transformer gets y alone.

    Parameters
    ----------
    regressor : estimator, default=None
        The regressor, such as a pipeline of a :class:`LookbackWindower` and an
        :class:`LSTMForecaster`. It gets X as it came, with the names of the series, but for the
        scaled columns. A ``LinearRegression()`` if None, which takes a level of the index as
        `group`, but no column of text.
    group : name or list of names
        What tells the series apart: a column of X or a level of its index, as in
        ``X.groupby(by=group)``.
    columns : name or list of names, default=None
        The columns of X that y continues, in the order of its outputs: output ``j`` has the scale
        of ``columns[j % len(columns)]``. None for those that y is named after or that
        :func:`make_supervised` noted, and otherwise for the only column beside `group`.
    method : {"standard", "mean", "minmax"}, default="standard"
        What a series is less, and divided by. ``"standard"``: its mean, and its standard
        deviation. ``"mean"``: zero, and the mean of its absolute values. ``"minmax"``: its
        minimum, and its range.

    Attributes
    ----------
    regressor_ : estimator
        The fitted regressor.
    groups_ : list
        Labels of the training series, sorted; tuples, if several names tell them apart.
    columns_ : list
        Names of the scaled columns.
    locations_ : ndarray of shape (n_series, n_columns)
        What the columns of each series are less.
    scales_ : ndarray of shape (n_series, n_columns)
        What they are divided by then.
    n_features_in_ : int
        Number of columns of X.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns of X, if they are all strings.

    See Also
    --------
    LSTMForecaster : Its `window_scaling` normalizes each window by itself instead.

    Notes
    -----
    A series that was not seen in :meth:`fit` has the median of the locations and of the scales
    of the training series. So has a training series without a known value; one that does not
    vary, such as one of a single row, keeps its own location and has the median scale. With
    ``"mean"``, only zeros need it. If no training series has a scale, it is 1.

    The statistics are those of X in :meth:`fit` alone: no prediction depends on the values of
    other rows than the regressor looks at.

    Examples
    --------
    One linear model for two shops, of which one sells a thousand times as much:

    >>> import numpy as np
    >>> import pandas as pd
    >>> from skl_lstm import SeriesScaledRegressor
    >>> days = pd.date_range("2024-01-01", periods=8, name="day")
    >>> small = pd.Series([3.0, 5.0, 2.0, 4.0, 3.0, 5.0, 2.0, 4.0], days)
    >>> sold = pd.concat({"corner": small, "mall": 1000 * small}, names=["shop"]).rename("sold")
    >>> following = sold.groupby("shop").shift(-1).dropna()
    >>> X = sold.to_frame()
    >>> model = SeriesScaledRegressor(group="shop").fit(X.loc[following.index], following)
    >>> model.groups_, model.locations_.ravel()
    (['corner', 'mall'], array([   3.42857143, 3428.57142857]))
    >>> corner, mall = model.predict(X).reshape(2, 8)
    >>> bool(np.allclose(mall, 1000 * corner))
    True
    """

    @naming_the_nearest
    def __init__(
        self,
        regressor: Any = None,
        *,
        group: Names,
        columns: Names | None = None,
        method: Method = "standard",
    ) -> None:
        self.regressor = regressor
        self.group = group
        self.columns = columns
        self.method = method

    def fit(self, X: pd.DataFrame, y: ArrayLike, **fit_params: Any) -> SeriesScaledRegressor:
        """Measure each series, and train a clone of the regressor on the scaled ones.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
            Rows of all series, indexed by time, beside the levels that `group` names; those of a
            series in time order. NaN is allowed if the regressor accepts it.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            What follows each row. The regressor gets it with its index, its names and its
            ``attrs``.
        **fit_params : dict
            Further arguments of the regressor's ``fit``, such as ``sample_weight``.

        Returns
        -------
        self : SeriesScaledRegressor
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter is invalid; if X is no DataFrame of series in time order; if the
            columns to scale are not told, are others than y is named after, or hold other values
            than numbers; if y has no outputs of each; or if `validation_data` is given.
        """
        check_choice("method", self.method, get_args(Method))
        for name in fit_params:
            if name.split("__")[-1] == "validation_data":
                raise ValueError(
                    f"{name} must not be given to SeriesScaledRegressor, which would not scale "
                    "it; set validation_split of the regressor to a number of rows"
                )
        panel = Panel.of(X, self.group)
        frame = as_frame(X)
        if not frame.columns.is_unique:
            raise ValueError(f"X must have columns of different names, got {list(frame.columns)}")
        check_column_names(frame)
        outputs = _outputs(y, frame)
        columns = self._columns(panel, X, y)
        n_outputs = 1 if outputs.ndim == 1 else outputs.shape[1]
        if n_outputs % len(columns):
            raise ValueError(
                f"columns must name the columns that y continues, got {columns}, but y has "
                f"{n_outputs=}"
            )
        values = numbers(panel.rows[columns], self).astype(np.float64)
        _warn_of_other_units(values, outputs, columns)
        locations, scales = measured(values[panel.order], panel.starts[:-1], self.method)
        of_rows = locations[panel.codes], scales[panel.codes]
        regressor = self._regressor().fit(
            _with_columns(frame, columns, _scaled(values, *of_rows)),
            _like(y, _scaled(outputs, *of_rows).astype(outputs.dtype)),
            **fit_params,
        )
        keep_columns(self, frame)
        self.regressor_ = regressor
        self.groups_ = panel.labels.tolist()
        self.columns_ = columns
        self.locations_, self.scales_ = locations, scales
        return self

    def predict(self, X: pd.DataFrame, **predict_params: Any) -> NDArray:
        """Predict what follows each row, in the units of its series.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
            Rows of series, as in :meth:`fit`. Of a series that was not seen in :meth:`fit`, the
            scale is the median of the others.
        **predict_params : dict
            Further arguments of the regressor's ``predict``.

        Returns
        -------
        y : ndarray of float64 of shape (n_samples,) or (n_samples, n_outputs)
            Predictions; NaN where the regressor gives NaN.

        Raises
        ------
        ValueError
            If X has other columns than in :meth:`fit`, or names its series by labels of another
            kind, so that all would be unseen.
        """
        check_is_fitted(self)
        panel = Panel.of(X, self.group, whole=False)
        frame = as_frame(X)
        compare_columns(self, frame)
        columns = names_in("columns", self.columns_, panel.rows.columns, "X")
        values = numbers(panel.rows[columns], self).astype(np.float64)
        series = self._seen(panel)[panel.codes]
        locations, scales = (
            # Position -1, of what was not seen, is that of the median.
            np.vstack([each, np.median(each, axis=0)])[series]
            for each in (self.locations_, self.scales_)
        )
        scaled = _with_columns(frame, columns, _scaled(values, locations, scales))
        predictions = np.asarray(self.regressor_.predict(scaled, **predict_params))
        if getattr(self.regressor_, "only_last_rows", False):
            last = np.sort(panel.lasts)
            locations, scales = locations[last], scales[last]
        return _restored(predictions, locations, scales)

    def score(
        self, X: pd.DataFrame, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> float:
        """Return the coefficient of determination on the rows whose target is known.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
            Rows of series.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            What follows each row. NaN where it is not known.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each row.

        Returns
        -------
        score : float
            R² over the rows of all series, in their own units.
        """
        return score_known(y, self.predict(X), sample_weight)

    def _columns(self, panel: Panel, X: Any, y: Any) -> list[Any]:
        """Return the names of the columns to scale."""
        given = panel.rows.columns
        of_names, told = names_of_targets(y), told_by(y) or told_by(X) or {}
        if of_names is not None and not set(of_names) <= set(given):
            of_names = None
        if self.columns is not None:
            names = names_in("columns", self.columns, given, "X")
            if not names:
                raise ValueError(
                    f"columns must name at least one column of X, one of {list(given)}, got []"
                )
            if of_names not in (None, names):
                raise ValueError(
                    f"columns must be {of_names}, which y is named after, got {names}; rename y "
                    "if it continues these"
                )
            return names
        only = list(given) if len(given) == 1 else None
        for targets in (of_names, told.get("target"), only):
            if targets and set(targets) <= set(given):
                return list(targets)
        raise ValueError(
            f"columns must name the columns of X that y continues, one or several of "
            f"{list(given)}, got None, and y does not tell by its names"
        )

    def _seen(self, panel: Panel) -> NDArray[np.intp]:
        """Return the position among the training series of each series; -1 if it was not seen."""
        seen = index_of(self.groups_, panel.names)
        of_fit, given = kinds_of(seen), kinds_of(panel.labels)
        for name, expected, found in zip(panel.names, of_fit, given, strict=True):
            if found != expected:
                raise ValueError(
                    f"X must have {expected} in {name!r}, as in fit, got {found}, which would be "
                    "other series"
                )
        return seen.get_indexer(panel.labels)

    def _regressor(self) -> Any:
        from sklearn.linear_model import LinearRegression  # late: slow to import

        return LinearRegression() if self.regressor is None else clone(self.regressor)

    def _rows_seen(self) -> int:
        return 1

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        of_regressor = get_tags(self._regressor())
        tags.input_tags.allow_nan = of_regressor.input_tags.allow_nan
        tags.input_tags.sparse = False
        tags.target_tags.multi_output = of_regressor.target_tags.multi_output
        tags.target_tags.single_output = of_regressor.target_tags.single_output
        tags.regressor_tags.poor_score = of_regressor.regressor_tags.poor_score
        tags._skip_test = True  # scikit-learn's checks pass arrays, which name no series
        return tags


def _outputs(y: Any, frame: pd.DataFrame) -> NDArray:
    """Return y as an array of floats."""
    if y is None:
        raise ValueError(
            "This SeriesScaledRegressor estimator requires y to be passed, but the target y is "
            "None."
        )
    check_consistent_length(frame, y)
    return check_array(
        y,
        dtype=[np.float64, np.float32],
        ensure_2d=False,
        ensure_all_finite="allow-nan",
        input_name="y",
    )


def _warn_of_other_units(
    values: NDArray[np.float64], outputs: NDArray, columns: list[Any]
) -> None:
    """Warn if y lies far from the column that it continues, and so is in other units."""
    first_step = outputs.reshape(len(outputs), -1)[:, : len(columns)]
    for column, known, y in zip(columns, values.T, first_step.T, strict=True):
        known, y = known[~np.isnan(known)], y[~np.isnan(y)]
        if not len(known) or not len(y):
            continue
        outside = np.median(np.maximum(known.min() - y, y - known.max()))
        spreads = known.std(), y.std()
        ranges = [values for values in (np.ptp(known), np.ptp(y)) if values > 0.0]
        far = bool(ranges) and outside > FAR * min(ranges)
        if far or (min(spreads) > 0.0 and max(spreads) > FAR * min(spreads)):
            warn(
                f"y has values from {y.min():.4g} to {y.max():.4g}, and column {column!r} of X, "
                f"by which it is scaled, from {known.min():.4g} to {known.max():.4g}: both must "
                "be in the same units; put a TransformedTargetRegressor inside, not outside",
                SeriesWarning,
            )


def measured(
    rows: NDArray[np.float64], starts: NDArray[np.int64], method: Method
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the location and the scale of each column of each series.

    Parameters
    ----------
    rows : ndarray of shape (n, n_columns)
        The rows, series by series; NaN where a value is not known.
    starts : ndarray of shape (n_series,)
        Where each series begins.
    method : {"standard", "mean", "minmax"}
        What they are, as in :class:`SeriesScaledRegressor`.

    Returns
    -------
    locations, scales : ndarray of shape (n_series, n_columns)
        The median of the other series for a column without a known value, and as the scale of one
        that does not vary.
    """
    known = ~np.isnan(rows)
    counts = np.add.reduceat(known, starts, axis=0, dtype=np.int64)

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        sums = np.add.reduceat(np.where(known, values, 0.0), starts, axis=0)
        return sums / np.maximum(counts, 1)

    if method == "mean":
        scales = mean(np.abs(rows))
        return np.zeros_like(scales), _or_median(scales, scales > 0, 1.0)
    low, high = (bound.reduceat(rows, starts, axis=0) for bound in (np.fmin, np.fmax))
    varies = high - low > ROUNDING * np.fmax(np.abs(low), np.abs(high))
    if method == "minmax":
        locations, scales = low, high - low
    else:
        locations = mean(rows)
        lengths = np.diff(np.append(starts, len(rows)))
        scales = np.sqrt(mean((rows - np.repeat(locations, lengths, axis=0)) ** 2))
    return _or_median(locations, counts > 0, 0.0), _or_median(scales, varies, 1.0)


def _or_median(
    values: NDArray[np.float64], usable: NDArray[np.bool_], default: float
) -> NDArray[np.float64]:
    """Put the median of the usable values of each column in place of the others."""
    medians = [
        np.median(column[use]) if use.any() else default
        for column, use in zip(values.T, usable.T, strict=True)
    ]
    return np.where(usable, values, medians)


def _scaled(values: NDArray, locations: NDArray, scales: NDArray) -> NDArray[np.float64]:
    """Return values less the location of their column, divided by its scale."""
    table, locations, scales = _by_output(values, locations, scales)
    return ((table - locations) / scales).reshape(values.shape)


def _restored(values: NDArray, locations: NDArray, scales: NDArray) -> NDArray[np.float64]:
    """Undo what :func:`_scaled` did."""
    table, locations, scales = _by_output(values, locations, scales)
    return (table * scales + locations).reshape(values.shape)


def _by_output(
    values: NDArray, locations: NDArray, scales: NDArray
) -> tuple[NDArray, NDArray, NDArray]:
    """Return values as a table, and the statistics that belong to each of them."""
    table = values.reshape(len(values), -1).astype(np.float64, copy=False)
    n_times = table.shape[1] // locations.shape[1]
    return table, np.tile(locations, (1, n_times)), np.tile(scales, (1, n_times))


def _with_columns(frame: pd.DataFrame, columns: list[Any], values: NDArray) -> pd.DataFrame:
    """Return a table with other values in some columns; those of floats keep their type."""
    import pandas as pd

    changed = frame.copy(deep=False)
    for name, column in zip(columns, values.T, strict=True):
        place = list(frame.columns).index(name)
        dtype = frame.dtypes.iloc[place]
        changed.isetitem(place, pd.array(column, dtype) if dtype.kind == "f" else column)
    return changed


def _like(y: Any, values: NDArray) -> Any:
    """Return values in the container of y, if that is one of pandas."""
    if not hasattr(y, "iloc"):
        return values
    import pandas as pd

    about = {"name": y.name} if y.ndim == 1 else {"columns": y.columns}
    result = (pd.Series if y.ndim == 1 else pd.DataFrame)(values, index=y.index, **about)
    result.attrs = y.attrs
    return result
