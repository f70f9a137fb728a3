"""What a picture of forecasts shows in each panel: one target of one series."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from skl_lstm.checks import check_integer, is_number
from skl_lstm.drawing.lines import interval_name, places
from skl_lstm.drawing.paths import (
    NAIVE,
    apart,
    is_of_backtest,
    name_of_series,
    paths,
    series_columns,
    series_of_rows,
)
from skl_lstm.windowing.groups import Panel, text_of

if TYPE_CHECKING:
    import pandas as pd

# What is shown by default of the known values: so many times the steps of the forecast, of which
# a fifth at least is before the part held out. Without a forecast, so many values at least.
TIMES_STEPS = 10
SHARE_BEFORE = 0.2
LEAST_SHOWN = 100

ENDS = ["lower", "upper"]


@dataclass(frozen=True)
class Said:
    """What a model says of one target of one series.

    Parameters
    ----------
    line : Series or None
        The values, each at its own time, with NaN where a path begins anew.
    bands : dict of str to DataFrame
        The intervals, ``lower`` and ``upper``, by their names in the legend, the widest first.
    name : str or None
        What the line is called in the legend, if not by what it is of.
    n_steps : int
        Number of steps ahead.
    """

    line: pd.Series | None = None
    bands: dict[str, pd.DataFrame] = field(default_factory=dict)
    name: str | None = None
    n_steps: int = 0

    @property
    def tables(self) -> list[Any]:
        """The line and the bands that hold anything."""
        tables: list[Any] = [self.line, *self.bands.values()]
        return [table for table in tables if table is not None and len(table)]

    def since(self, start: Any) -> Said:
        """Return what is said of times from `start` on."""
        line = None if self.line is None else _since(self.line, start)
        bands = {name: _since(band, start) for name, band in self.bands.items()}
        return replace(self, line=line, bands=bands)


@dataclass(frozen=True)
class Shown:
    """What is shown in one panel.

    Parameters
    ----------
    history : Series
        The known values.
    fitted, predicted, forecast : Said
        What is said of the rows that the model was fitted on, of later ones, and of the future.
    series : str, default=""
        The label of the series, if there are several.
    """

    history: pd.Series
    fitted: Said
    predicted: Said
    forecast: Said
    series: str = ""

    @property
    def n_held_out(self) -> int:
        """Number of last known values of which something is predicted, or that come after."""
        said = [*self.predicted.tables, *self.forecast.tables]
        if not said:
            return 0
        begin = min(places(table.index).min() for table in said)
        return int((places(self.history.index) >= begin).sum())

    def recent(self, n_history: int | str | None) -> Shown:
        """Return the panel of the last known values, and of what is said of their times."""
        n, n_held_out = len(self.history), self.n_held_out
        if n_history == "auto":
            n_steps = self.forecast.n_steps or self.predicted.n_steps
            least = TIMES_STEPS * n_steps or LEAST_SHOWN
            if n_steps or n_held_out:
                n = min(n, max(least, round(n_held_out / (1 - SHARE_BEFORE))))
        elif n_history is not None:
            n = min(n, int(n_history))
        if n == len(self.history):
            return self
        start = places(self.history.index)[-n]
        return replace(
            self,
            history=self.history.iloc[-n:],
            fitted=self.fitted.since(start),
            predicted=self.predicted.since(start),
            forecast=self.forecast.since(start),
        )


def check_n_history(n_history: Any) -> None:
    """Raise ValueError unless it is "auto", None or a positive integer."""
    if not (n_history is None or (isinstance(n_history, str) and n_history == "auto")):
        if isinstance(n_history, str):
            raise ValueError(
                f"n_history must be 'auto', None or a positive integer, got {n_history!r}"
            )
        check_integer("n_history", n_history)


def shown_of(
    history: Any,
    fitted: Any,
    predicted: Any,
    forecast: Any,
    coverage: float | None,
    series: Any,
) -> list[Shown]:
    """Return what each panel shows.

    The parameters are those of :class:`ForecastDisplay`.

    Raises
    ------
    ValueError
        If something is of another kind, of other columns or series than the history, or of times
        of another kind.
    """
    if (frame := frame_of_backtest(forecast)) is not None:
        if predicted is not None:
            raise ValueError(
                "predicted must be None if forecast is of backtest, which is drawn as predicted"
            )
        predicted, forecast = frame, None
    elif (frame := frame_of_backtest(predicted)) is not None:
        predicted = frame
    given = {"fitted": fitted, "predicted": predicted, "forecast": forecast}
    given = {name: value for name, value in given.items() if value is not None}
    return [
        _shown(rows, each, coverage, label)
        for label, own_history, own in _by_series(history, given, series)
        for rows, each in _by_target(own_history, own)
    ]


def frame_of_backtest(given: Any) -> pd.DataFrame | None:
    """Return the frame of what :func:`backtest` returns, or that frame; None of all else."""
    frame = given if hasattr(given, "columns") else getattr(given, "frame", None)
    return frame if is_of_backtest(frame) else None


def codes_of(panel: Panel, series: Any) -> list[int]:
    """Return the numbers of the series that are named; of the first if None."""
    if series is None:
        return [0]
    named = series if isinstance(series, list) else [series]
    for label in named:
        if label not in panel.labels:
            raise ValueError(
                f"series must be a label in {panel.names}, such as {text_of(panel.labels[0])}, "
                f"got {label!r}"
            )
    if not named:
        raise ValueError(f"series must name at least one of {panel.names}, got []")
    codes: list[Any] = [panel.labels.get_loc(label) for label in named]
    return codes


def _by_series(
    history: Any, given: dict[str, Any], series: Any
) -> list[tuple[str, Any, dict[str, Any]]]:
    """Return the label of each series to show, its history, and what is said of it."""
    for name, value in {"history": history, **given}.items():
        if not hasattr(value, "iloc"):
            raise ValueError(f"{name} must be a Series or DataFrame, got {type(value).__name__}")
    names = next(filter(None, map(_names_of_series, (*given.values(), history))), [])
    if not names:
        if series is not None:
            raise ValueError(f"series must be None, since there is one, got {series!r}")
        return [("", history, given)]
    panel = Panel.of(history, names if len(names) > 1 else names[0], "history")
    parts = []
    for code in codes_of(panel, series):
        label = panel.labels[code]
        own = {name: _of_series(value, names, label) for name, value in given.items()}
        own = {name: value for name, value in own.items() if value is not None}
        parts.append((name_of_series(label), panel.series(code), own))
    return parts


def _names_of_series(value: Any) -> list[Any]:
    if is_of_backtest(value):
        return series_columns(value)
    return list(value.index.names[:-1])


def _of_series(value: Any, names: list[Any], label: Any) -> Any:
    """Return the part of a table that is of one series; None if there is none."""
    if is_of_backtest(value):
        rows = value[series_of_rows(value) == label]
        return rows if len(rows) else None
    try:
        return value.xs(label, level=names if len(names) > 1 else names[0])
    except KeyError:
        return None


def _by_target(history: Any, given: dict[str, Any]) -> list[tuple[pd.Series, dict[str, Any]]]:
    """Return the known values of each target, and what is said of it."""
    history = history.to_frame() if history.ndim == 1 else history
    columns = list(history.columns)
    told = {name: _targets(value) for name, value in given.items()}
    for name, targets in told.items():
        if targets is not None and not set(targets) <= set(columns):
            raise ValueError(
                f"{name} must be a Series, or have a column 'forecast', columns of quantiles, or "
                f"those of history, {columns}, got {targets}"
            )
    shown = next((targets for targets in told.values() if targets is not None), None)
    if shown is None and given and len(columns) > 1:
        names = [value.name for value in given.values() if value.ndim == 1]
        shown = [name for name in names if name in columns][:1]
        if not shown:
            raise ValueError(
                f"history must be the column that is forecast, got {columns} for what does not "
                "name one of them"
            )
    shown = columns if shown is None else shown
    for name, targets in told.items():
        if targets is None and len(shown) > 1:
            raise ValueError(f"{name} must have columns for {shown}, got one column")
    return [
        (
            history[target],
            {
                name: value if told[name] is None else _of_target(value, target)
                for name, value in given.items()
                if target in (told[name] or [target])
            },
        )
        for target in shown
    ]


def _targets(value: Any) -> list[Any] | None:
    """Return the names of the targets that something is said of; None if it is of one."""
    if is_of_backtest(value):
        return list(dict.fromkeys(value["column"])) if "column" in value else None
    if value.ndim == 1:
        return None
    if value.columns.nlevels > 1:
        return list(value.columns.get_level_values(0).unique())
    if "forecast" in value or all(map(_is_quantile, value.columns)):
        return None
    return list(value.columns)


def _of_target(value: Any, target: Any) -> Any:
    return value[value["column"] == target] if is_of_backtest(value) else value[target]


def _is_quantile(name: Any) -> bool:
    return is_number(name) and 0 < float(name) < 1


def _shown(
    history: pd.Series, given: dict[str, Any], coverage: float | None, series: str
) -> Shown:
    """Return what one panel shows."""
    said = {
        name: _said(name, given[name], coverage) if name in given else Said()
        for name in ("fitted", "predicted", "forecast")
    }
    _check_times({"history": [history], **{name: each.tables for name, each in said.items()}})
    return Shown(history, **said, series=series)


def _said(name: str, value: Any, coverage: float | None) -> Said:
    """Read one target of one series in any of the forms in which forecasts are returned."""
    if is_of_backtest(value):
        return _said_in_backtest(name, value, coverage)
    if value.ndim == 1:
        return Said(value if len(value) else None, n_steps=len(value))
    if "forecast" not in value:
        return _said_in_quantiles(name, value)
    bands = {interval_name(coverage): value[ENDS]} if set(ENDS) <= set(value.columns) else {}
    return Said(value["forecast"], bands, n_steps=len(value))


def _said_in_backtest(name: str, rows: pd.DataFrame, coverage: float | None) -> Said:
    models = list(dict.fromkeys(rows["model"]))
    own = [model for model in models if model not in NAIVE] or models
    if len(own) > 1:
        raise ValueError(
            f"{name} must be of one model, got {own}; frame[frame['model'] == {own[0]!r}] is of "
            "one, and Backtest.plot draws them all"
        )
    rows = rows[rows["model"] == own[0]]
    bands = {}
    if set(ENDS) <= set(rows.columns) and rows["lower"].notna().any():
        bands = {interval_name(coverage): paths(apart(rows))[ENDS]}
    return Said(paths(rows)["forecast"], bands, n_steps=int(rows["step"].max()))


def _said_in_quantiles(name: str, value: pd.DataFrame) -> Said:
    """Pair the lowest quantile with the highest, and so on inward; the median is the line."""
    in_order: list[Any] = sorted(value.columns, key=float)
    below = [each for each in in_order if each < 0.5]
    above = [each for each in in_order if each > 0.5]
    if len(below) != len(above):
        raise ValueError(f"{name} must have as many quantiles below 0.5 as above, got {in_order}")
    pairs = list(zip(below, reversed(above), strict=True))
    bands = {
        interval_name(round(float(high) - float(low), 9)): value[[low, high]].set_axis(
            ENDS, axis=1
        )
        for low, high in pairs
    }
    median = next((value[each] for each in in_order if each == 0.5), None)
    return Said(median, bands, "median", len(value))


def _check_times(tables: dict[str, list[Any]]) -> None:
    """Raise ValueError unless all are of the same kind of times."""
    indexes = [(name, table.index) for name, found in tables.items() for table in found]
    is_dated = places(indexes[0][1]).dtype.kind == "M"
    for name, index in indexes:
        kind = places(index).dtype.kind
        if kind not in "Miuf" or (kind == "M") != is_dated:
            raise ValueError(
                "history, fitted, predicted and forecast must all be indexed by dates or "
                f"periods, or all by numbers; got {type(index).__name__} of {index.dtype} for "
                f"{name}"
            )


def _since(table: Any, start: Any) -> Any:
    return table[places(table.index) >= start]
