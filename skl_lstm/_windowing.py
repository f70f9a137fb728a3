"""Series to rows: the lag matrix and the supervised pair, both without looking ahead."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags, check_array
from sklearn.utils.validation import check_is_fitted, validate_data

from ._checks import check_choice, check_integer

PADDINGS = ("nan", "edge")
CONTEXTS = ("auto", "fit", "none")


class LookbackWindower(TransformerMixin, BaseEstimator):
    """Put each row of a series beside the rows before it.

    Row ``t`` of the output holds rows ``t - look_back + 1 … t`` of the input, oldest first,
    with all columns of a step side by side. Rows are never added or dropped, so row ``t`` of
    the output still belongs to ``y[t]`` and the transformer works inside any
    :class:`~sklearn.pipeline.Pipeline`.

    Parameters
    ----------
    look_back : int, default=1
        Number of rows in a window, the row itself included.
    padding : {"nan", "edge"}, default="nan"
        What stands in a window before the first known row: ``"nan"`` leaves it unknown,
        ``"edge"`` repeats the first row, for estimators that refuse NaN.
    context : {"auto", "fit", "none"}, default="auto"
        What :meth:`transform` takes to stand before its first row. ``"auto"``: nothing, where
        the series begins with the fitted rows (it is that series again), and otherwise the
        last rows seen in :meth:`fit`, which a test fold follows. ``"fit"``: always those last
        rows. ``"none"``: always nothing; the choice where rows lie between the two, as with
        ``TimeSeriesSplit(gap=…)``. :meth:`fit_transform` always starts from nothing.

    Attributes
    ----------
    head_ : ndarray of shape (look_back, n_features_in_)
        The first rows seen in :meth:`fit`, by which that series is known again.
    tail_ : ndarray of shape (look_back - 1, n_features_in_)
        The last rows seen in :meth:`fit`, which complete the first windows of rows to come.
    n_features_in_ : int
        Number of columns of the series.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns, where the series had string names.

    Notes
    -----
    The output is a read-only view of one padded copy of the series, so its memory does not
    grow with ``look_back``. Nothing else of the training series is kept.

    A series is known again by its first ``look_back`` rows, compared to within rounding. So
    an input of fewer rows counts as what follows the training rows, and so does a stretch of
    the training rows that does not begin with the first; and rows that follow the training
    rows but repeat their beginning (a periodic series, leading zeros) count as that series
    again. Where that may happen, ``context="fit"`` or ``"none"`` says what is meant; then no
    window depends on any later row.

    Examples
    --------
    >>> import numpy as np
    >>> from skl_lstm import LookbackWindower
    >>> windower = LookbackWindower(look_back=3)
    >>> windower.fit_transform(np.array([[1.0], [2.0], [3.0], [4.0]]))
    array([[nan, nan,  1.],
           [nan,  1.,  2.],
           [ 1.,  2.,  3.],
           [ 2.,  3.,  4.]])

    Rows that follow the training rows see their tail:

    >>> windower.transform(np.array([[5.0], [6.0]]))
    array([[3., 4., 5.],
           [4., 5., 6.]])
    >>> windower.get_feature_names_out()
    array(['x0_lag2', 'x0_lag1', 'x0_lag0'], dtype=object)
    """

    def __init__(self, look_back: int = 1, *, padding: str = "nan", context: str = "auto") -> None:
        self.look_back = look_back
        self.padding = padding
        self.context = context

    def fit(self, X: ArrayLike, y: object = None) -> LookbackWindower:
        """Remember where the series begins and how it ends.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The training series, a row a time step, oldest first. NaN is allowed.
        y : None
            Ignored.

        Returns
        -------
        self : LookbackWindower
            The fitted transformer.

        Raises
        ------
        ValueError
            If a parameter is not allowed, if X is not numeric and finite (NaN excepted), or
            if it has fewer rows than `look_back`.
        """
        self._learn(X)
        return self

    def fit_transform(self, X: ArrayLike, y: object = None, **fit_params: Any) -> NDArray:
        """Learn the series and return its windows, whatever `context` says.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The training series, oldest row first.
        y : None
            Ignored.
        **fit_params : dict
            None is taken; there for the signature that scikit-learn expects.

        Returns
        -------
        windows : ndarray of shape (n_samples, look_back * n_features)
            The windows, with nothing before the first row.
        """
        if fit_params:
            raise TypeError(f"fit_transform takes no further parameters, got {sorted(fit_params)}")
        series = self._learn(X)
        return _windows(series, self._nothing_before(series))

    def transform(self, X: ArrayLike) -> NDArray:
        """Put each row beside the rows before it.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            A series, oldest row first: the training series again, or rows that follow it.

        Returns
        -------
        windows : ndarray of shape (n_samples, look_back * n_features)
            Row ``t`` holds rows ``t - look_back + 1 … t`` of the series, oldest first; a
            read-only view. A float32 series gives float32, any other float64.
        """
        check_is_fitted(self)
        _check_parameters(self)
        series = _check_series(X, self)
        validate_data(self, X, reset=False, skip_check_array=True)
        continues = self.context == "fit" or (
            self.context == "auto" and not _begins_with(series, self.head_)
        )
        before = self.tail_ if continues else self._nothing_before(series)
        return _windows(series, before)

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray:
        """Name the columns ``<feature>_lag<k>``, oldest lag first.

        Parameters
        ----------
        input_features : array-like of str of shape (n_features_in_,), default=None
            Names of the series' columns; those seen in :meth:`fit`, or ``x0, x1, …``, where
            None.

        Returns
        -------
        names : ndarray of str of shape (look_back * n_features_in_,)
            The columns of a step side by side, as in the output of :meth:`transform`.
        """
        check_is_fitted(self)
        seen = getattr(self, "feature_names_in_", None)
        if input_features is None:
            names = [f"x{i}" for i in range(self.n_features_in_)] if seen is None else seen
        else:
            names = np.asarray(input_features, dtype=object)
            if seen is not None and not np.array_equal(seen, names):
                raise ValueError("input_features is not equal to feature_names_in_")
            if len(names) != self.n_features_in_:
                raise ValueError(
                    "input_features should have length equal to number of features "
                    f"({self.n_features_in_}), got {len(names)}"
                )
        lags = range(len(self.head_) - 1, -1, -1)
        return np.array([f"{name}_lag{lag}" for lag in lags for name in names], dtype=object)

    def _learn(self, X: ArrayLike) -> NDArray:
        _check_parameters(self)
        series = _check_series(X, self)
        validate_data(BaseEstimator(), X, skip_check_array=True)
        if len(series) < self.look_back:
            raise ValueError(
                f"look_back={self.look_back} needs at least as many rows, "
                f"got n_samples={len(series)}"
            )
        # Only now, so that an input that is refused leaves an earlier fit as it was.
        validate_data(self, X, skip_check_array=True)
        self.head_ = series[: self.look_back].copy()
        self.tail_ = series[len(series) - self.look_back + 1 :].copy()
        return series

    def _nothing_before(self, series: NDArray) -> NDArray:
        shape = (len(self.tail_), series.shape[1])
        return np.broadcast_to(series[0] if self.padding == "edge" else np.nan, shape)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def make_supervised(series: Any, horizon: int = 1) -> tuple[Any, Any]:
    """Pair each value of a series with the value, or values, that follow it.

    Parameters
    ----------
    series : Series, DataFrame or array-like of shape (n,) or (n, n_columns)
        The series, oldest value first.
    horizon : int, default=1
        How many steps ahead the target looks.

    Returns
    -------
    X : DataFrame or ndarray of shape (n - horizon, n_columns)
        ``X[t]`` is the series at ``t``.
    y : Series, DataFrame or ndarray of shape (n - horizon,) or (n - horizon, horizon * n_columns)
        ``y[t]`` is the series at ``t + 1 … t + horizon``, all columns of a step side by side;
        one-dimensional where that is a single column. It has the index of ``X``: what is
        predicted at ``t`` stands at ``t``.

    Raises
    ------
    ValueError
        If `horizon` is not a positive integer, or the series is not longer than it.

    Examples
    --------
    >>> from skl_lstm import make_supervised
    >>> X, y = make_supervised([1.0, 2.0, 3.0, 4.0])
    >>> X.ravel(), y
    (array([1., 2., 3.]), array([2., 3., 4.]))
    >>> X, y = make_supervised([1.0, 2.0, 3.0, 4.0], horizon=2)
    >>> y
    array([[2., 3.],
           [3., 4.]])
    """
    import pandas as pd  # late: a process that only predicts has no other use for it

    check_integer("horizon", horizon)
    frame = as_frame(series)
    n_rows = len(frame) - horizon
    if n_rows < 1:
        raise ValueError(
            f"series must have more values than horizon={horizon}, got {len(frame)} of them"
        )
    X = frame.iloc[:n_rows]
    targets = [frame.iloc[ahead : ahead + n_rows] for ahead in range(1, horizon + 1)]
    y = pd.concat([target.set_axis(X.index) for target in targets], axis=1)
    if horizon > 1:
        y.columns = [
            f"{name}_step{ahead}" for ahead in range(1, horizon + 1) for name in frame.columns
        ]
    target = y.iloc[:, 0] if y.shape[1] == 1 else y
    if isinstance(series, pd.Series | pd.DataFrame):
        return X, target
    return X.to_numpy(), target.to_numpy()


def as_frame(series: Any) -> Any:
    """Make a DataFrame of a series, a column each; that of a nameless Series is "value"."""
    import pandas as pd

    if isinstance(series, pd.Series):
        return series.to_frame("value" if series.name is None else series.name)
    return series if isinstance(series, pd.DataFrame) else pd.DataFrame(np.asarray(series))


def _windows(series: NDArray, before: NDArray) -> NDArray:
    """View `series`, with the rows `before` ahead of it, as one row of lags a time step."""
    n_features = series.shape[1]
    width = (len(before) + 1) * n_features
    flat = np.concatenate([before, series], dtype=series.dtype).ravel()
    return sliding_window_view(flat, width)[::n_features]


def _begins_with(series: NDArray, head: NDArray) -> bool:
    """Tell whether `series` starts with `head`, to within what scaling it anew may round."""
    if len(series) < len(head):
        return False
    precision = max(np.finfo(series.dtype).eps, np.finfo(head.dtype).eps) ** 0.75
    tolerance = precision * np.nanmax(np.abs(head), axis=0, initial=0.0)
    return np.allclose(series[: len(head)], head, rtol=0.0, atol=tolerance, equal_nan=True)


def _check_series(X: ArrayLike, estimator: LookbackWindower) -> NDArray:
    return check_array(
        X,
        dtype=[np.float64, np.float32],
        ensure_all_finite="allow-nan",
        estimator=estimator,
        input_name="X",
    )


def _check_parameters(windower: LookbackWindower) -> None:
    check_integer("look_back", windower.look_back)
    check_choice("padding", windower.padding, PADDINGS)
    check_choice("context", windower.context, CONTEXTS)
