"""What a backtest found: forecasts beside what came, and how models compare."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from skl_lstm.checks import did_you_mean
from skl_lstm.drawing.backtest import MOST_ORIGINS, BacktestPicture, draw_backtest
from skl_lstm.drawing.paths import NAIVE, NEEDED, series_columns
from skl_lstm.forecasting.chance import chance, overlapping
from skl_lstm.forecasting.conformal import check_coverage
from skl_lstm.forecasting.measures import OF_INTERVALS, check_scoring, measured

if TYPE_CHECKING:
    import pandas as pd

    from skl_lstm.drawing.panels import SeveralAxes
    from skl_lstm.windowing.columns import Names

OVERALL = "all"

# What some measures need.
NEEDED_BY = {
    "MASE": ("scale",),
    "RMSSE": ("rms_scale",),
    "pinball": ("lower", "upper"),
    "coverage": ("lower", "upper"),
}


class Backtest:
    """Forecasts from past rows beside what came, of one or several models: what backtest returns.

    Parameters
    ----------
    frame : DataFrame
        One row for each model, origin and step ahead (and series, and forecast column, if there
        are several), as :func:`backtest` returns it in ``result.frame``, with the columns

        - ``model``: name of the model; the naive forecasts are ``naive`` (the last known value)
          and ``seasonal_naive`` (the value one season before),
        - ``fold``: number of the fold of `cv`, followed by the names of the series,
        - ``origin``, ``step``, ``time``: index of the last known row, number of rows ahead, and
          index of the forecast row,
        - ``column``: what is forecast, if there are several columns,
        - ``truth``, ``forecast``, and, with `coverage`, ``lower`` and ``upper``,
        - ``scale``, ``rms_scale``: the divisors of MASE and RMSSE.
    coverage : float, default=None
        Nominal coverage of the interval from ``lower`` to ``upper``; None if there is none.
    scoring : str or sequence of str, default=None
        Names of the measures to report; all of them if None:

        - ``"MAE"``, ``"RMSE"``: mean absolute error, and root of the mean squared error;
        - ``"sMAPE"``: mean of ``200 |truth - forecast| / (|truth| + |forecast|)``, in percent;
        - ``"MASE"``, ``"RMSSE"``: both in units of the errors of the seasonal naive forecast of
          the training rows, one season ahead;
        - ``"pinball"``: mean pinball loss of the two ends of the interval, each as the quantile
          that it stands for, with `coverage`;
        - ``"coverage"``: share of the true values inside the interval, with `coverage`.
    target : name, default=None
        What is forecast, if it is one column, for the label of a picture.

    Raises
    ------
    ValueError
        If the frame lacks a column, or `scoring` names an unknown measure.

    See Also
    --------
    backtest : Makes it.

    Notes
    -----
    Rows of which the true value or the forecast of any model is not known are left out of all
    measures, so that these compare models on the same values.

    For MASE, see Hyndman, R. J. and Koehler, A. B. (2006), *Another look at measures of forecast
    accuracy*, International Journal of Forecasting 22 (4); for RMSSE, Makridakis, S., Spiliotis,
    E. and Assimakopoulos, V. (2022), *M5 accuracy competition*, International Journal of
    Forecasting 38 (4).

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression, Ridge
    >>> from sklearn.pipeline import make_pipeline
    >>> from skl_lstm import Backtest, LookbackWindower, backtest, load_airline_passengers
    >>> models = {
    ...     name: make_pipeline(LookbackWindower(look_back, padding="edge"), LinearRegression())
    ...     for name, look_back in {"a quarter": 3, "a year": 12}.items()
    ... }
    >>> result = backtest(models, load_airline_passengers(), cv=12, stride=3, steps=3)
    >>> isinstance(result, Backtest)
    True
    >>> result.compare()[["MAE", "ratio", "p_value"]].round(2)  # doctest: +NORMALIZE_WHITESPACE
                      MAE  ratio  p_value
    model
    a year          20.45   0.57     0.08
    seasonal_naive  35.92   1.00      NaN
    a quarter       37.95   1.06     0.70
    naive           48.61   1.35     0.11
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        *,
        coverage: float | None = None,
        scoring: str | Sequence[str] | None = None,
        target: Hashable | None = None,
    ) -> None:
        if coverage is not None:
            check_coverage(coverage)
        self.frame = frame
        self.coverage = coverage
        self.target = target
        self._check_frame()
        self.scoring = self._checked_scoring(scoring)

    @property
    def models(self) -> list[str]:
        """The names of the models and of the naive forecasts."""
        return list(self.frame["model"].unique())

    @cached_property
    def summary(self) -> pd.DataFrame:
        """The measures by model (and column), first over ``"all"`` steps, then by step."""
        import pandas as pd

        by = ["model", *self._column]
        rows = self._known.sort_values("step", kind="stable")
        rows = pd.concat([rows.assign(step=OVERALL), rows])
        rows = rows.iloc[np.argsort(rows.groupby(by, sort=False).ngroup(), kind="stable")]
        return measured(rows, [*by, "step"], self.scoring, self.coverage)

    @cached_property
    def by_series(self) -> pd.DataFrame:
        """The measures by model and series (and column), over all steps, of several series."""
        if not self._series:
            raise AttributeError("by_series is of several series, but the backtest is of one")
        by = ["model", *self._series, *self._column]
        return measured(self._known, by, self.scoring, self.coverage)

    def compare(self, to: str | None = None, metric: str | None = None) -> pd.DataFrame:
        """Compare all models with one of them.

        Parameters
        ----------
        to : str, default=None
            Name of the model to compare with; the seasonal naive forecast if None, or else the
            first model.
        metric : str, default=None
            The measure that decides; the first of `scoring` if None.

        Returns
        -------
        table : DataFrame
            One row for each model (and column), the best one first: the measures over all steps
            and origins, and

            - ``ratio``: its measure divided by that of `to`; below 1, it is better;
            - ``better``: share of the origins from which it was better;
            - ``p_value``: how probable so large a difference would be by chance, if neither was
              better. Above 0.05 or so, the difference says little.

        Raises
        ------
        ValueError
            If there is no such model or measure, or it is not an error of the forecast.

        Notes
        -----
        The test is a permutation test on the differences between the measures of each origin: of
        two models that are equally good, each difference might as well have the other sign. It
        asks what the test of Diebold, F. X. and Mariano, R. S. (1995), *Comparing predictive
        accuracy*, Journal of Business & Economic Statistics 13 (3), asks, and serves a small
        number of origins too: with five of them no `p_value` is below 0.06, and with fewer than
        four it is NaN.

        Origins whose forecasts overlap in time with that of the first of them are taken together.
        The differences must not depend on each other otherwise: if a model is better for long
        and then worse for long, the `p_value` is too small.
        """
        import pandas as pd

        metric = self._metric(metric)
        if to is None:
            to = NAIVE[1] if NAIVE[1] in self.models else self.models[0]
        if to not in self.models:
            raise ValueError(
                f"to must be one of {self.models}, got {to!r}{did_you_mean(str(to), self.models)}"
            )
        names = list(dict.fromkeys([*self.scoring, metric]))
        by = [*self._column, "model"]
        table = measured(self._known, by, names, self.coverage)
        errors = measured(self._known, [*by, "origin"], [metric], self.coverage)[metric]
        ends = self.frame.groupby("origin")["time"].max()
        parts = {}
        for column, own in self._by_column(table):
            of_origins = self._of_column(errors, column).unstack("model").sort_index()
            blocks = overlapping(of_origins.index, ends)
            differences = of_origins.sub(of_origins[to], axis=0)
            better = (differences < 0).where(differences.notna()).mean()
            others = own.index != to
            own = own.assign(
                ratio=own[metric] / own[metric][to],
                better=better[own.index].where(others),
                p_value=[
                    chance(differences[name].groupby(blocks).mean().to_numpy())
                    for name in own.index
                ],
            )
            own["p_value"] = own["p_value"].where(others)
            parts[column] = own.sort_values(metric, kind="stable")
        if not self._column:
            return parts[None]
        return pd.concat(parts, names=["column"])

    def plot(
        self,
        models: Names | None = None,
        *,
        series: Names | None = None,
        column: Names | None = None,
        n_origins: int | None = MOST_ORIGINS,
        axes: SeveralAxes | None = None,
    ) -> BacktestPicture:
        """Draw each model's forecasts over the true values and, beside them, its error by step.

        Parameters
        ----------
        models : name or list of names, default=None
            The models whose forecasts are drawn. If None, all but the naive ones; of more than
            three, those three of the smallest mean absolute error. The errors of all models are
            drawn.
        series : label or list of labels, default=None
            The series to draw, each in a panel; the first four if None.
        column : name or list of names, default=None
            The targets to draw, each in a panel; the first four if None.
        n_origins : int, default=12
            Number of origins, the last ones, whose forecasts are drawn; all of them if None. The
            errors are those of all origins.
        axes : array-like of matplotlib Axes of shape (n_panels, 2), default=None
            Axes to draw on; those of a new figure if None.

        Returns
        -------
        picture : BacktestPicture
            What was drawn: the `figure`, its `axes`, and in each panel the line of the `truths`
            and the lines of each model's `paths` and `errors` by name.

        Raises
        ------
        ValueError
            If there is no such model, series or column, if `n_origins` is not a positive integer,
            or if `axes` are not as many.
        ImportError
            If matplotlib is missing: ``pip install "skl-lstm[plot]"``.
        """
        return draw_backtest(
            self.frame,
            models=models,
            series=series,
            column=column,
            n_origins=n_origins,
            coverage=self.coverage,
            ylabel="value" if self.target is None else str(self.target),
            axes=axes,
        )

    def __repr__(self) -> str:
        return f"Backtest of {self._extent()}\n{self.compare().round(4).to_string()}"

    def _repr_html_(self) -> str:
        table = self.compare()
        shown = table.to_html(float_format="{:.4g}".format, na_rep="", border=0)
        steps = self.summary.to_html(float_format="{:.4g}".format, na_rep="", border=0)
        return (
            f"<p><b>Backtest</b> of {self._extent()}</p>{shown}"
            f"<details><summary>by step</summary>{steps}</details>"
        )

    def _extent(self) -> str:
        """Return how many forecasts there are, of what and when, in a line."""
        frame = self._known
        n_origins, steps = frame["origin"].nunique(), frame["step"].max()
        first, last = frame["time"].min(), frame["time"].max()
        n_series = len(frame[self._series].drop_duplicates()) if self._series else 1
        series = f"{n_series} series, " if self._series else ""
        return (
            f"{series}{n_origins} {'origin' if n_origins == 1 else 'origins'}, {steps} "
            f"{'step' if steps == 1 else 'steps'} ahead, {_label(first)} to {_label(last)}"
        )

    @property
    def _series(self) -> list[Any]:
        """Names of what tells several series apart."""
        return series_columns(self.frame)

    @property
    def _column(self) -> list[str]:
        return ["column"] if "column" in self.frame else []

    @cached_property
    def _known(self) -> pd.DataFrame:
        """The rows that all models have a forecast of, and whose true value is known."""
        frame = self.frame
        known = frame[["truth", "forecast"]].notna().all(axis=1)
        same = [*self._series, "origin", "step", *self._column]
        rows = frame[known.groupby([frame[name] for name in same]).transform("all")]
        if rows.empty:
            raise ValueError(
                "frame must hold a row that every model has a forecast of and whose true value "
                "is known, got none"
            )
        return rows

    def _check_frame(self) -> None:
        """Raise ValueError unless all models have the same rows."""
        columns = list(getattr(self.frame, "columns", ()))
        lacking = [name for name in NEEDED if name not in columns]
        if lacking or not hasattr(self.frame, "loc"):
            raise ValueError(
                f"frame must be a DataFrame of pandas with the columns {list(NEEDED)}, got "
                f"{type(self.frame).__name__}" + (f" that lacks {lacking}" if columns else "")
            )
        keys = [*self._series, "origin", "step", *self._column]
        sizes = self.frame.groupby(keys, dropna=False)["model"].agg(["size", "nunique"])
        if not (sizes == len(self.models)).all(axis=None):
            raise ValueError(
                "frame must have one row of each model for each origin and step, got others: "
                "backtest forecasts with a dict of models from the same origins"
            )

    def _checked_scoring(self, scoring: Any) -> tuple[str, ...]:
        """Return the names of the measures, for all of which the frame must have the columns."""
        names = check_scoring(scoring, self.coverage)
        for name in names:
            lacking = [each for each in NEEDED_BY.get(name, ()) if each not in self.frame]
            if lacking and scoring is not None:
                raise ValueError(f"frame must have {lacking} for scoring={name!r}, but lacks them")
            if lacking and name in OF_INTERVALS:
                raise ValueError(
                    f"frame must have {lacking} for coverage={self.coverage}, but lacks them"
                )
        return tuple(name for name in names if set(NEEDED_BY.get(name, ())) <= set(self.frame))

    def _metric(self, metric: str | None) -> str:
        metric = self.scoring[0] if metric is None else metric
        if metric == "coverage":
            raise ValueError(f"metric must be an error, of which less is better, got {metric!r}")
        return check_scoring(metric, self.coverage, "metric")[0]

    def _by_column(self, table: pd.DataFrame) -> list[tuple[Any, pd.DataFrame]]:
        if not self._column:
            return [(None, table)]
        return [(name, table.loc[name]) for name in self.frame["column"].unique()]

    def _of_column(self, errors: pd.Series, column: Any) -> pd.Series:
        return errors.loc[column] if self._column else errors


def _label(time: Any) -> str:
    text = str(time)
    return text.removesuffix(" 00:00:00")
