"""A search for 12 months ahead, judged by the next month or by the next 12.

Which model does a search pick if each candidate is judged by its forecasts of 12 months,
``forecast_scorer(12)``, and which one if it is judged by the next month, as by default? And how
good are the forecasts of both for 12 months? The series is that of the airline passengers, of
which the last 24 months are held out. The candidates are windows of 3 to 24 months with either of
two window scalings; all else is a default. Both searches judge the same networks on the same four
folds of 18 months. Then each candidate forecasts the 12 months after each of the 13 origins that
have as many held-out months after them, fitted once on the 120 months before, and fitted again
each month.

A network is one draw, so each candidate has ten seeds, and the candidate of the best mean score is
picked. A search of one seed is a draw too: for each seed the pick is taken, and the mean error
that the picked candidate has with all seeds. And of each pair of candidates, as if there were no
others, the pick is compared with what turns out to be better. Errors are mean absolute errors in
thousands of passengers. Candidates, folds and seeds were settled before any held-out error was
seen; the pairs were added after, when both searches had picked the same candidate.
"""

from __future__ import annotations

import itertools
from typing import Any

import pandas as pd
from _harness import Report, arguments
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import Pipeline

from skl_lstm import (
    LookbackWindower,
    LSTMForecaster,
    backtest,
    forecast_scorer,
    load_airline_passengers,
    make_supervised,
)

N_HELD_OUT, STEPS = 24, 12
FOLDS = TimeSeriesSplit(4, test_size=18)
LOOK_BACK, SCALING, SEED = "window__look_back", "lstm__window_scaling", "lstm__random_state"
CANDIDATES = {LOOK_BACK: [3, 6, 12, 18, 24], SCALING: ["last", "standard"]}
FEW = {LOOK_BACK: [3, 6], SCALING: ["last"], "lstm__epochs": [2]}
SEEDS = 10

SCORES = {"one month": "neg_mean_absolute_error", "12 months": forecast_scorer(STEPS)}
HELD_OUT = {"fitted once": False, "fitted each month": True}


def model() -> Pipeline:
    return Pipeline([("window", LookbackWindower()), ("lstm", LSTMForecaster())])


def search(series: pd.Series, grid: dict[str, list[Any]]) -> pd.DataFrame:
    """Return each candidate with each seed: its parameters, and its errors by both scores."""
    X, y = make_supervised(series)
    found = GridSearchCV(model(), grid, cv=FOLDS, scoring=SCORES, refit=False).fit(X, y)
    results, places = found.cv_results_, []
    for one in results["params"]:
        places.append((f"{one[LOOK_BACK]} months, {one[SCALING]}", one[SEED]))
    errors = {score: -results[f"mean_test_{score}"] for score in SCORES}
    index = pd.MultiIndex.from_tuples(places, names=["candidate", "seed"])
    return pd.DataFrame({"parameters": results["params"], **errors}, index)


def held_out_error(series: pd.Series, parameters: dict[str, Any], refit: bool) -> float:
    """Return the error of 12 months ahead, from each month that has them."""
    frame = backtest(
        model().set_params(**parameters),
        series,
        cv=N_HELD_OUT - STEPS + 1,
        steps=STEPS,
        stride=1,
        refit=refit,
    ).frame
    ours = frame[frame["model"] == "model"]
    return float((ours["forecast"] - ours["truth"]).abs().mean())


def picks_of_single_seeds(errors: pd.Series, means: pd.Series) -> list[float]:
    """Return the mean error of the candidate that each seed picks."""
    return [float(means[one.idxmin()[0]]) for _, one in errors.groupby("seed")]


def picks_of_pairs(scores: pd.Series, means: pd.Series) -> float:
    """Return the percentage of pairs of which the score picks the one that is better later."""
    pairs = list(itertools.combinations(means.index, 2))
    right = [(scores[a] < scores[b]) == (means[a] < means[b]) for a, b in pairs]
    return 100 * sum(right) / len(right)


def main() -> None:
    options = arguments(__doc__, runs=SEEDS)
    report = Report(__doc__, options)
    series = load_airline_passengers()
    grid = {**(FEW if options.quick else CANDIDATES), SEED: list(range(options.runs))}
    table = search(series[:-N_HELD_OUT], grid)
    for way, refit in HELD_OUT.items():
        table[way] = [held_out_error(series, one, refit) for one in table["parameters"]]
    errors = table.drop(columns="parameters")
    for column, values in errors.items():
        part = "held out, 12 months" if column in HELD_OUT else "folds"
        of_candidates = values.groupby("candidate", sort=False)
        report.add(f"{part}, {column}", {name: list(each) for name, each in of_candidates}, "MAE")
    means = errors.groupby("candidate", sort=False).mean()
    best = {score: means[score].idxmin() for score in SCORES}
    for way in HELD_OUT:
        report.add(
            f"held out, 12 months, {way}: what all seeds pick",
            {f"by {score}: {name}": list(errors.loc[name, way]) for score, name in best.items()},
            "MAE",
        )
        report.add(
            f"held out, 12 months, {way}: mean errors of what each seed picks",
            {f"by {score}": picks_of_single_seeds(errors[score], means[way]) for score in SCORES},
            "MAE",
        )
        report.add(
            f"held out, 12 months, {way}: pairs of candidates of which the better one is picked",
            {f"by {score}": [picks_of_pairs(means[score], means[way])] for score in SCORES},
            "%",
        )
    report.close()


if __name__ == "__main__":
    main()
