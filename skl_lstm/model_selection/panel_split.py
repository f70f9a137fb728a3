"""Folds of a table of several series, cut at the same time in every series."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import BaseCrossValidator, TimeSeriesSplit

from skl_lstm.checks import check_integer, naming_the_nearest
from skl_lstm.warn import warn
from skl_lstm.windowing.frames import as_frame
from skl_lstm.windowing.groups import as_times, place_of

if TYPE_CHECKING:
    import pandas as pd

Folds = Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]


class PanelTimeSeriesSplit(BaseCrossValidator):
    """Cross-validator that cuts several series at the same times.

    It is scikit-learn's ``TimeSeriesSplit`` of the distinct times of a table instead of its rows:
    whatever their order, rows go to the training or test part of a fold by their time alone. No
    fold trains on one series at a time that it is tested at, or before, in another.

    Parameters
    ----------
    n_splits : int, default=5
        Number of folds, at least 2.
    time : name, default=None
        The level of X's index, or the column of X, that holds the times: dates, periods or whole
        numbers. If None, the only level, or the only one that holds dates or periods.
    max_train_size : int, default=None
        Largest number of times to train on: the last ones before the test. All of them if None.
    test_size : int, default=None
        Number of times in a test part; if None, that of all times divided by ``n_splits + 1``,
        rounded down.
    gap : int, default=0
        Number of times left out between the training and the test part.

    See Also
    --------
    panel_scorer : Errors of a model in which each series counts alike.

    Notes
    -----
    Times are counted, not measured: one that no series has a row for is not there, so a hole in
    all series makes a part reach further back. A series without rows at the times of a part is
    missing in it; so is, at first, one that begins late.

    Without `time`, an index of numbers that are all different is refused, since these number rows
    rather than tell when they were; with a row for each time, ``TimeSeriesSplit`` does the same.

    It answers how well known series are forecast. How well a model serves series that it has not
    seen, scikit-learn's ``GroupKFold`` tells: its folds consist of whole series, as below.

    Examples
    --------
    Two shops, the second of which opened later:

    >>> import pandas as pd
    >>> from skl_lstm import PanelTimeSeriesSplit
    >>> months = pd.period_range("2024-01", periods=6, freq="M")
    >>> rows = [("a", month) for month in months] + [("b", month) for month in months[2:]]
    >>> index = pd.MultiIndex.from_tuples(rows, names=["shop", "month"])
    >>> X = pd.DataFrame({"price": [3, 4, 4, 5, 5, 6, 7, 7, 8, 9]}, index=index)
    >>> y = pd.Series([9, 8, 8, 7, 7, 6, 3, 3, 2, 1], index=index)
    >>> cv = PanelTimeSeriesSplit(n_splits=2, test_size=1)
    >>> for train, test in cv.split(X):
    ...     print(train, test)
    [0 1 2 3 6 7] [4 8]
    [0 1 2 3 4 6 7 8] [5 9]

    In a search, and one that judges models by series left out of training as a whole:

    >>> from sklearn.linear_model import Ridge
    >>> from sklearn.model_selection import GridSearchCV, GroupKFold
    >>> search = GridSearchCV(Ridge(), {"alpha": [0, 1]}, cv=cv).fit(X, y)
    >>> new_series = GridSearchCV(Ridge(), {"alpha": [0, 1]}, cv=GroupKFold(n_splits=2))
    >>> new_series = new_series.fit(X, y, groups=X.index.get_level_values("shop"))
    """

    @naming_the_nearest
    def __init__(
        self,
        n_splits: int = 5,
        *,
        time: Any = None,
        max_train_size: int | None = None,
        test_size: int | None = None,
        gap: int = 0,
    ) -> None:
        self.n_splits = n_splits
        self.time = time
        self.max_train_size = max_train_size
        self.test_size = test_size
        self.gap = gap

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Folds:
        """Return the rows of each fold.

        Parameters
        ----------
        X : DataFrame or Series of n_samples rows
            The table, with its times; its rows may be in any order.
        y : array-like of shape (n_samples,), default=None
            Ignored.
        groups : array-like of shape (n_samples,), default=None
            Ignored, with a warning.

        Returns
        -------
        folds : iterator of tuples of ndarray of int
            Positions of the rows to train on and of those to test on, in the order of the rows.

        Raises
        ------
        ValueError
            If a parameter is invalid, X does not tell the times of its rows, or there are too
            few of them.
        """
        splitter = self._splitter()
        if groups is not None:
            warn("groups is ignored by PanelTimeSeriesSplit, whose folds depend on time alone")
        return iter(folds_by_time(times_of_rows(X, self.time), splitter))

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """Return the number of folds.

        Parameters
        ----------
        X, y, groups : object, default=None
            Ignored.

        Returns
        -------
        n_splits : int
            The parameter.
        """
        return self.n_splits

    def _splitter(self) -> TimeSeriesSplit:
        check_integer("n_splits", self.n_splits, 2)
        check_integer("gap", self.gap, 0)
        for name in ("max_train_size", "test_size"):
            if getattr(self, name) is not None:
                check_integer(name, getattr(self, name))
        return TimeSeriesSplit(
            self.n_splits,
            max_train_size=self.max_train_size,
            test_size=self.test_size,
            gap=self.gap,
        )


def folds_by_time(times: pd.Index, splitter: TimeSeriesSplit) -> list[tuple[NDArray, NDArray]]:
    """Return the rows of each fold of a splitter of distinct times."""
    import pandas as pd

    number, distinct = pd.factorize(times, sort=True)
    try:
        folds = list(splitter.split(np.arange(len(distinct))))
    except ValueError as error:
        raise ValueError(f"{error} The samples are the distinct times of X.") from None
    return [(_within(number, train), _within(number, test)) for train, test in folds]


def times_of_rows(X: Any, time: Any) -> pd.Index:
    """Return the time of each row of a table: those in its column or level `time`."""
    import pandas as pd

    if not (hasattr(X, "iloc") or hasattr(X, "columns")):
        raise ValueError(
            "X must be a DataFrame with the times of its rows in its index or a column, got "
            f"{type(X).__name__}; TimeSeriesSplit splits rows that are one series"
        )
    frame = as_frame(X)
    if time is None:
        return _times_of_index(frame.index)
    if not pd.api.types.is_hashable(time):
        raise ValueError(f"time must be the name of one column or level of X, got {time!r}")
    if place_of(time, frame, "X", "time") == "level":
        times = frame.index.get_level_values(time)
    elif isinstance(frame[time], pd.DataFrame):
        raise ValueError(f"X must have columns of different names, got {time!r} twice")
    else:
        times = pd.Index(frame[time])
    demand = f"have dates, periods or whole numbers in {time!r}"
    return as_times(times, "X", demand, repr(time))


def _times_of_index(index: pd.Index) -> pd.Index:
    """Return the times of the rows, if the index alone tells which of its levels has them."""
    import pandas as pd

    if isinstance(index, pd.MultiIndex):
        of_times = [i for i, level in enumerate(index.levels) if _holds_dates(level)]
        if len(of_times) != 1:
            raise ValueError(
                "time must be given unless just one level of X's index holds dates or periods, "
                f"got {len(of_times)} of them among the levels {list(index.names)}"
            )
        index = index.get_level_values(of_times[0])
    demand = "be indexed by dates, periods or whole numbers, unless time names a column of it"
    times = as_times(index, "X", demand, "its index")
    if pd.api.types.is_integer_dtype(times.dtype) and times.is_unique:
        raise ValueError(
            "X must have the times of its rows in its index, got numbers that are all different "
            "and seem to number the rows; name the column or level that holds times in time=, or "
            "use TimeSeriesSplit for rows that are one series in time order"
        )
    return times


def _holds_dates(level: pd.Index) -> bool:
    import pandas as pd

    is_dates = isinstance(level, pd.DatetimeIndex | pd.PeriodIndex)
    return is_dates or level.inferred_type == "date"


def _within(number: NDArray[np.intp], part: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the rows whose time is among consecutive ones."""
    return np.flatnonzero((number >= part[0]) & (number <= part[-1]))
