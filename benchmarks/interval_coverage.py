"""Coverage of held-out values by their intervals: errors of one clone, skl_lstm.

How many values are inside their interval? The data are eight real series of very different kinds;
the last quarter of each is held out. At each of 24 to 36 origins in it, the model is fitted on all
rows up to the origin and forecasts one season ahead (11 years for sunspots, 5 for the Nile), with
nominal coverages of 90 % and 80 %. The result is the percentage of true values inside their
interval, over all origins and steps of a series. The other sides are intervals that are as wide on
both sides of the forecast, such intervals that follow the latest errors, and such with the errors
of one clone, as in split conformal prediction. All sides of an origin share the model and, apart
from the last, the errors of its clones: they are what ``forecast_interval`` computes, of which
the first origin is checked.

Forecasts from different origins overlap, so the counts are not independent: for a single series, a
few points of difference are due to chance.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from _harness import OURS, Report, arguments, installed
from joblib import Parallel, delayed
from numpy.testing import assert_allclose
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.compose import TransformedTargetRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skl_lstm import (
    LookbackWindower,
    LSTMForecaster,
    forecast_interval,
    load_airline_passengers,
    make_supervised,
)
from skl_lstm.forecasting.calibration import Calibration, ends, past_forecasts
from skl_lstm.forecasting.course import begin, path_ahead
from skl_lstm.forecasting.residual_scale import Scale

COVERAGES = (0.9, 0.8)
SIDES: dict[str, dict[str, Any]] = {
    OURS: {},
    "symmetric": {"symmetric": True},
    "adaptive": {"adaptive": True},
    "one clone, symmetric": {"symmetric": True, "refits": 1},
}


def network(look_back: int) -> list[Any]:
    return [
        StandardScaler(),
        LookbackWindower(look_back),
        LSTMForecaster(units=8, batch_size=16, learning_rate=0.01, random_state=0),
    ]


def in_levels(look_back: int) -> TransformedTargetRegressor:
    return TransformedTargetRegressor(
        make_pipeline(*network(look_back)), transformer=StandardScaler()
    )


def in_logarithms(look_back: int) -> TransformedTargetRegressor:
    """Return a model for series that grow by a percentage."""
    return TransformedTargetRegressor(
        make_pipeline(FunctionTransformer(np.log), *network(look_back)),
        transformer=make_pipeline(FunctionTransformer(np.log, np.exp), StandardScaler()),
    )


Case = tuple[pd.Series, int, Callable[[int], TransformedTargetRegressor]]


def cases() -> dict[str, Case]:
    """Return each series with the number of rows in a season and the function for its model."""
    found: dict[str, Case] = {"airline": (load_airline_passengers(), 12, in_logarithms)}
    if not installed("statsmodels"):
        return found
    from statsmodels import datasets

    def column(name: str, module: Any) -> pd.Series:
        return module.load_pandas().data[name]

    months = datasets.elnino.load_pandas().data.set_index("YEAR").to_numpy().ravel()
    carbon = datasets.co2.load_pandas().data["co2"].resample("MS").mean().interpolate()
    economy = datasets.macrodata
    return found | {
        "sunspots": (column("SUNACTIVITY", datasets.sunspots), 11, in_levels),
        "nile": (column("volume", datasets.nile), 5, in_levels),
        "co2": (carbon, 12, in_logarithms),
        "el nino": (pd.Series(months), 12, in_levels),
        "unemployment": (column("unemp", economy), 4, in_levels),
        "inflation": (column("infl", economy), 4, in_levels),
        "gdp": (column("realgdp", economy), 4, in_logarithms),
    }


def covered(
    series: pd.Series, origin: int, steps: int, model: Any, check: bool
) -> dict[tuple[str, float], NDArray[np.bool_]]:
    """Return which values after the origin are inside their interval of each side."""
    history, truth = series[:origin], series[origin : origin + steps].to_numpy()
    model = clone(model).fit(*make_supervised(history))
    course = begin(model, history, steps, None, None, None, None, None)
    forecast = path_ahead(model, course)
    scale = Scale.of(model, course.horizon)
    errors: dict[int | None, NDArray] = {}
    found = {}
    for side, settings in SIDES.items():
        for coverage in COVERAGES:
            how = Calibration(coverage, **settings)
            if how.refits not in errors:
                errors[how.refits] = scale.residuals(
                    *past_forecasts(model, course.past, course.roles.targets, 1, steps, how)
                )
            lower, upper = ends(scale, forecast, errors[how.refits], how)
            if check and coverage == COVERAGES[0]:
                public = forecast_interval(model, history, steps, coverage, **settings)
                assert_allclose(np.hstack([lower, upper]), public[["lower", "upper"]])
            inside = (lower[: len(truth), 0] <= truth) & (truth <= upper[: len(truth), 0])
            found[side, coverage] = inside
    return found


def main() -> None:
    options = arguments(__doc__, runs=1)
    report = Report(__doc__, options)
    shares: dict[tuple[str, float], list[float]] = {}
    for name, (series, season, kind) in list(cases().items())[: 1 if options.quick else None]:
        held_out = max(24, len(series) // 4)
        origins = range(len(series) - held_out, len(series), max(1, held_out // 24))
        hits = Parallel(n_jobs=-1, backend="threading")(
            delayed(covered)(series, origin, season, kind(season), origin == origins[0])
            for origin in (origins[:2] if options.quick else origins)
        )
        for coverage in COVERAGES:
            for side in SIDES:
                inside = np.concatenate([found[side, coverage] for found in hits])
                shares.setdefault((side, coverage), []).append(100 * float(inside.mean()))
            figures = {side: [shares[side, coverage][-1]] for side in SIDES}
            report.add(f"{name}: nominal coverage {coverage:.0%}", figures, "%", relate=False)
    for coverage in COVERAGES:
        means = {side: [float(np.mean(shares[side, coverage]))] for side in SIDES}
        report.add(f"mean: nominal coverage {coverage:.0%}", means, "%", relate=False)
    report.close()


if __name__ == "__main__":
    main()
