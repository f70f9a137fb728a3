"""Tables of several series: which rows belong to which series, and when they were."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from skl_lstm.checks import is_number
from skl_lstm.windowing.calendar import is_time, label_text
from skl_lstm.windowing.columns import Roles
from skl_lstm.windowing.frames import as_frame, is_foreign
from skl_lstm.windowing.grouped_windows import GroupedWindows
from skl_lstm.windowing.span import as_numbers, is_numbered_afresh

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Panel:
    """A table of several series.

    Parameters
    ----------
    rows : DataFrame of shape (n, n_columns)
        The columns without those that name the series, indexed by time.
    codes : ndarray of int64 of shape (n,)
        Number of the series of each row.
    labels : Index of length n_series
        What the series are called, sorted; tuples, if several names tell them apart.
    names : list
        The columns or levels that hold the labels.
    columns : list
        Those of `names` that are columns.
    order : ndarray of int64 of shape (n,)
        Positions of the rows, series by series, oldest first.
    starts : ndarray of int64 of shape (n_series + 1,)
        Where each series begins in `order`, and where the last one ends.
    """

    rows: pd.DataFrame
    codes: NDArray[np.int64]
    labels: pd.Index
    names: list[Any]
    columns: list[Any]
    order: NDArray[np.int64]
    starts: NDArray[np.int64]

    @classmethod
    def of(cls, X: Any, group: Any, name: str = "X", *, whole: bool = True) -> Panel:
        """Tell the series of a table apart.

        Parameters
        ----------
        X : DataFrame or Series
            The table. Its index holds the time of each row, beside the levels that `group` names.
        group : name or list of names
            A column of X or a level of its index, as in ``X.groupby(by=group)``.
        name : str, default="X"
            What is passed, for messages.
        whole : bool, default=True
            Whether all rows are there, so that an index of numbers that are all different must
            number the rows; a part of the rows may have different times by chance.

        Raises
        ------
        ValueError
            If a name is no column and no level, or both; if a label is missing, or labels are of
            several kinds; or if the index does not hold the times of the rows, in order within a
            series and each once.
        """
        import pandas as pd

        names = names_of_group(group)
        if is_foreign(X) or not hasattr(X, "iloc"):
            raise ValueError(
                f"{name} must be a DataFrame of pandas, with {_quoted(names)} as a column or a "
                f"level of its index, got {type(X).__name__}; set_output(transform='pandas') on "
                "what stands before keeps names and index"
            )
        frame = as_frame(X)
        columns = [each for each in names if place_of(each, frame, name) == "column"]
        levels = [each for each in names if each not in columns]
        parts = [_factorized(each, frame, each in columns, name) for each in names]
        labels: Any
        codes, labels = parts[0]
        if len(parts) > 1:
            codes, labels = _combined(parts)
        labels = labels.set_names(names)
        codes = codes.astype(np.int64, copy=False)
        in_order = bool((codes[1:] >= codes[:-1]).all())
        order = np.arange(len(codes)) if in_order else np.argsort(codes, kind="stable")
        starts = np.searchsorted(codes[order], np.arange(len(labels) + 1))
        times = _times(frame.index, levels, names, name)
        numbered = not levels and len(labels) > 1 and times.is_unique
        if whole and numbered and pd.api.types.is_integer_dtype(times.dtype):
            raise ValueError(
                f"{name} must be indexed by the times of its rows, which tell what follows what, "
                f"got rows that are numbered; set_index(<time column>), or set_index("
                f"[{_quoted(names)}, <time column>]), makes such an index"
            )
        rows = frame.drop(columns=columns).set_axis(times)
        panel = cls(rows, codes, labels, names, columns, order, starts)
        panel._check_order(name)
        return panel

    @property
    def times(self) -> pd.Index:
        """Time of each row."""
        return self.rows.index

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Number of rows of each series."""
        return np.diff(self.starts)

    @property
    def longest(self) -> int:
        """Number of the first of the longest series."""
        return int(self.lengths.argmax())

    @property
    def firsts(self) -> NDArray[np.int64]:
        """Position of the first row of each series."""
        return self.order[self.starts[:-1]]

    @property
    def lasts(self) -> NDArray[np.int64]:
        """Position of the last row of each series."""
        return self.order[self.starts[1:] - 1]

    def labels_of(self, codes: NDArray[np.int64]) -> dict[Any, pd.Index]:
        """Return the labels of series by their numbers, under each name that tells them apart."""
        return {name: self.labels.get_level_values(name).take(codes) for name in self.names}

    def rows_of(self, code: int) -> NDArray[np.int64]:
        """Return the positions of the rows of one series, oldest first."""
        return self.order[self.starts[code] : self.starts[code + 1]]

    def series(self, code: int) -> pd.DataFrame:
        """Return the rows of one series, oldest first."""
        return self.rows.iloc[self.rows_of(code)]

    def only(self, rows: NDArray[np.bool_]) -> Panel:
        """Return the panel of some rows, of at least one of each series."""
        codes = self.codes[rows]
        order = np.argsort(codes, kind="stable")
        starts = np.searchsorted(codes[order], np.arange(len(self.labels) + 1))
        return replace(self, rows=self.rows[rows], codes=codes, order=order, starts=starts)

    def place_in_series(self) -> NDArray[np.int64]:
        """Return for each row how many rows of its series come before it."""
        place = np.empty(len(self.codes), dtype=np.int64)
        place[self.order] = np.arange(len(self.order)) - np.repeat(self.starts[:-1], self.lengths)
        return place

    def _check_order(self, name: str) -> None:
        numbers = as_numbers(self.times)[self.order]
        same_series = np.diff(self.codes[self.order]) == 0
        wrong = np.flatnonzero(same_series & (numbers[1:] <= numbers[:-1]))
        if not len(wrong):
            return
        at = wrong[0]
        before, after = (label_text(self.times[self.order[i]]) for i in (at, at + 1))
        label = text_of(self.labels[self.codes[self.order[at]]])
        if numbers[at] == numbers[at + 1]:
            raise ValueError(
                f"{name} must have one row for each time of a series, got {after} twice in "
                f"{_quoted(self.names)} {label}"
            )
        raise ValueError(
            f"{name} must have the rows of a series in time order, got {after} after {before} in "
            f"{_quoted(self.names)} {label}; sort it with sort_index() first"
        )


def check_not_empty(panel: Panel, name: str) -> None:
    """Raise ValueError if a panel has no rows, or no columns."""
    if panel.rows.empty:
        raise ValueError(
            f"{name} must have a row, and a column beside {_quoted(panel.names)}, got "
            f"{len(panel.rows)} rows of {list(panel.rows.columns)}"
        )


def refuse_other_order(X: Any, y: Any) -> None:
    """Raise ValueError if y of pandas has other rows than X, or has them in another order."""
    index: Any = getattr(y, "index", None)
    if not hasattr(index, "nlevels") or is_numbered_afresh(index) or index.equals(X.index):
        return
    raise ValueError(
        "y must have the rows of X, in the same order, got another index; sort the table before "
        "make_supervised, or select rows of both"
    )


def check_static(frame: pd.DataFrame, panel: Panel | None, roles: Roles, name: str) -> None:
    """Raise ValueError if a static column changes within a series."""
    for column in roles.static:
        values = frame[column]
        codes = np.zeros(len(values), dtype=np.int64) if panel is None else panel.codes
        n_values = values.groupby(codes).nunique(dropna=False).to_numpy()
        if n_values.max() > 1:
            at = int(n_values.argmax())
            of = "" if panel is None else f" in {series_at(panel.labels[at])}"
            raise ValueError(
                f"static must name columns of {name} with one value in a series, got {column!r} "
                f"with {n_values[at]} values{of}"
            )


def names_of_group(group: Any) -> list[Any]:
    """Return the names that `group` gives; a tuple is one name, as in pandas."""
    import pandas as pd

    names = list(group) if isinstance(group, list) else [group]
    hashable = all(pd.api.types.is_hashable(each) for each in names)
    if not names or not hashable or len(set(names)) < len(names):
        raise ValueError(f"group must be one name, or several different ones, got {group!r}")
    return names


def series_at(label: Any) -> str:
    """Return the label of a series as part of a message."""
    return f"series {text_of(label)}"


def text_of(label: Any) -> str:
    """Return the label of a series as text."""
    if isinstance(label, tuple):
        return repr(tuple(_plain(part) for part in label))
    return repr(_plain(label))


def kinds_of(labels: pd.Index) -> list[str]:
    """Name what kind of labels an index holds, at each of its levels."""
    import pandas as pd

    levels: Any = labels.levels if isinstance(labels, pd.MultiIndex) else [labels]
    return [" and ".join(sorted({_kind(label) for label in level})) for level in levels]


def index_of(labels: list[Any], names: list[Any]) -> pd.Index:
    """Return an index of labels that were kept as plain values."""
    import pandas as pd

    if len(names) > 1:
        return pd.MultiIndex.from_tuples(labels, names=names)
    return pd.Index(labels, name=names[0], tupleize_cols=False)


def times_told(*tables: Any) -> NDArray[np.int64] | None:
    """Return a number that grows with time for each row of several series.

    Parameters
    ----------
    *tables : GroupedWindows, DataFrame, Series or array-like
        Tables with the same rows; the first that tells decides. Those of pandas tell their times
        if their index has one level of dates or periods beside others, or repeats them.

    Returns
    -------
    times : ndarray of int64 of shape (n,) or None
        None if the rows do not tell, or are those of one series.
    """
    told = (_told_by(table) for table in tables)
    return next((times for times in told if times is not None), None)


def _told_by(table: Any) -> NDArray[np.int64] | None:
    if isinstance(table, GroupedWindows):
        return table.times
    index: Any = getattr(table, "index", None)
    if not hasattr(index, "nlevels"):
        return None
    import pandas as pd

    levels = [index.get_level_values(i) for i in range(index.nlevels)]
    dates = [each for each in levels if isinstance(each, pd.DatetimeIndex | pd.PeriodIndex)]
    if index.nlevels == 1:
        return as_numbers(index) if dates and not index.is_unique else None
    times = dates or [each for each in levels if pd.api.types.is_integer_dtype(each.dtype)]
    if len(times) > 1:
        raise ValueError(
            "y must have one level of times in its index, got several that may be, of the levels "
            f"{list(index.names)}; put LookbackWindower right before this step, or drop a level"
        )
    return as_numbers(times[0]) if times else None


def place_of(label: Any, frame: pd.DataFrame, name: str, parameter: str = "group") -> str:
    """Return whether a name that a parameter gives is that of a "column" or of a "level"."""
    is_column = label in frame.columns
    is_level = label is not None and label in frame.index.names
    if is_column and is_level:
        raise ValueError(
            f"{parameter} must be a column of {name} or a level of its index, but {label!r} is "
            "both"
        )
    if not is_column and not is_level:
        raise ValueError(
            f"{parameter} must be a column of {name}, {list(frame.columns)}, or a level of its "
            f"index, {list(frame.index.names)}, got {label!r}"
        )
    return "column" if is_column else "level"


def as_times(values: pd.Index, name: str, demand: str, where: str) -> pd.Index:
    """Return values as the times of rows, if they are dates, periods or whole numbers.

    `name`, `demand` and `where` say in messages what is passed, what it must do, and which part
    of it holds the values.
    """
    import pandas as pd

    if values.inferred_type == "date":
        values = pd.DatetimeIndex(values)
    if not is_time(values):
        example = text_of(values[0]) if len(values) else "none"
        raise ValueError(
            f"{name} must {demand}, got labels of {values.dtype} such as {example}; "
            "pd.to_datetime makes dates of text"
        )
    if values.hasnans:
        raise ValueError(f"{name} must have a time for each row, got NaT in {where}")
    return values


def _factorized(
    group: Any, frame: pd.DataFrame, is_column: bool, name: str
) -> tuple[NDArray[np.intp], pd.Index]:
    """Return the number of each label, and the labels, sorted."""
    import pandas as pd

    if is_column and isinstance(frame[group], pd.DataFrame):
        raise ValueError(f"{name} must have columns of different names, got {group!r} twice")
    codes: Any
    labels: Any
    if not is_column and isinstance(frame.index, pd.MultiIndex):
        codes, labels = _of_level(frame.index, group)
    else:
        codes, labels = pd.factorize(frame[group] if is_column else frame.index)
    if (codes < 0).any():
        raise ValueError(
            f"{name} must name the series of each row, got a missing label in {group!r} of row "
            f"{int(np.argmax(codes < 0))}"
        )
    labels = pd.Index(labels, tupleize_cols=False)
    if isinstance(labels, pd.CategoricalIndex):
        labels = labels.astype(labels.categories.dtype)
    one_of_each = {_kind(label): label for label in reversed(list(labels))}
    if len(one_of_each) > 1:
        first, second, *_ = (one_of_each[kind] for kind in sorted(one_of_each))
        raise ValueError(
            f"{name} must have labels of one kind in {group!r}, got {text_of(first)} and "
            f"{text_of(second)}, which would be different series"
        )
    try:
        order = np.asarray(labels.argsort())
    except TypeError:  # labels without an order keep that of the rows
        return codes, labels
    number = np.empty(len(order), dtype=np.intp)
    number[order] = np.arange(len(order))
    return number[codes], labels.take(order)


def _of_level(index: pd.MultiIndex, level: Any) -> tuple[NDArray, pd.Index]:
    """Return the number of each label of a level, as it is stored, and those labels that occur."""
    at = index.names.index(level)
    codes, labels = np.asarray(index.codes[at]), index.levels[at]
    used = np.zeros(len(labels) + 1, dtype=bool)
    used[codes] = True  # -1, of what is missing, is the last
    if used[:-1].all():
        return codes, labels
    number = np.cumsum(used) - 1
    number[-1] = -1
    return number[codes], labels[used[:-1]]


def _combined(
    parts: list[tuple[NDArray[np.intp], pd.Index]],
) -> tuple[NDArray[np.intp], pd.MultiIndex]:
    """Return the number of each combination of labels, and the combinations, sorted.

    By numbers alone, as labels of pandas' own combinations must have an order.
    """
    import pandas as pd

    codes, first = np.zeros(len(parts[0][0]), dtype=np.intp), np.empty(0, dtype=np.intp)
    for part_codes, part_labels in parts:
        _, first, codes = np.unique(
            codes * len(part_labels) + part_codes, return_index=True, return_inverse=True
        )
    levels: list[Any] = [part_labels for _, part_labels in parts]
    codes_of_levels: list[Any] = [part_codes[first] for part_codes, _ in parts]
    return codes, pd.MultiIndex(levels=levels, codes=codes_of_levels)


def _plain(label: Any) -> Any:
    return label.item() if isinstance(label, np.generic) else label


def _kind(label: Any) -> str:
    if isinstance(label, str):
        return "text"
    return "numbers" if is_number(label) else f"labels of {type(label).__name__}"


def _times(index: pd.Index, levels: list[Any], names: list[Any], name: str) -> pd.Index:
    """Return the level of an index that does not name the series, if it holds times."""
    others = [i for i, each in enumerate(index.names) if each not in levels or each is None]
    if len(others) != 1:
        raise ValueError(
            f"{name} must have one level of times in its index beside {_quoted(names)}, got the "
            f"levels {list(index.names)}"
        )
    demand = f"be indexed by dates, periods or whole numbers beside {_quoted(names)}"
    return as_times(index.get_level_values(others[0]), name, demand, "its index")


def _quoted(names: list[Any]) -> str:
    return ", ".join(repr(each) for each in names)
