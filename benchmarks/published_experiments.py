"""The published experiments: published figures, current plain Keras, skl_lstm.

Does skl_lstm reach the same results as plain Keras? Each experiment runs with 5 seeds in plain
Keras, which draws its own initial weights as in a tutorial, and in skl_lstm with either engine.
The airline experiments also run in skl_lstm without data leaks: scalers inside the pipeline, and
no row left out. A figure is the mean and the standard deviation over the seeds. "apart" is the
difference between the means of plain Keras and skl_lstm (native), in pooled standard deviations;
if it is greater than one, the script ends with an error.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from _experiments import Experiment, experiments, sine_rows, whole_sequence
from _harness import OURS, Report, arguments, installed
from _keras_peer import PlainKeras
from sklearn.base import clone

KERAS = "plain Keras"
OURS_BY_KERAS = f"{OURS} (Keras)"
HONEST = f"{OURS}, no leaks"
COLUMNS = ("published", KERAS, OURS, OURS_BY_KERAS, HONEST, "apart")
SECONDS = "seconds in total"

# What the names of one experiment of each kind begin with.
OF_EACH_KIND = ("1 ", "5 ", "7 ", "8 ", "9a ", "10a ")

Columns = dict[str, list[float]]


def run(experiment: Experiment, n_seeds: int, epochs: int | None) -> dict[str, Columns]:
    """Run the sides alternately with each seed; return the figures and seconds of each side."""
    figures: dict[str, Columns] = {}
    for seed in range(n_seeds):
        estimator = clone(experiment.estimator).set_params(random_state=seed)
        if epochs is not None:
            estimator.set_params(epochs=epochs)
        for side, measure in sides(experiment, estimator).items():
            start = time.perf_counter()
            measured = measure()
            measured[SECONDS] = time.perf_counter() - start
            for name, value in measured.items():
                figures.setdefault(name, {}).setdefault(side, []).append(float(value))
    return figures


def sides(experiment: Experiment, estimator: Any) -> dict[str, Callable[[], dict[str, float]]]:
    """Return, for each side, the function that trains and measures it."""

    def learn(side: Any) -> Callable[[], dict[str, float]]:
        return lambda: experiment.measure(side.fit(*experiment.train))

    native, by_keras = (clone(estimator).set_params(engine=name) for name in ("native", "keras"))
    all_sides = {OURS: learn(native)}
    if installed("keras", "tensorflow"):
        plain_keras = PlainKeras(estimator, estimator.random_state)
        all_sides |= {KERAS: learn(plain_keras), OURS_BY_KERAS: learn(by_keras)}
    if experiment.honest is not None:
        all_sides[HONEST] = lambda: experiment.honest(native)
    return all_sides


def apart(one: list[float], other: list[float]) -> float:
    """Return the difference between the means, in pooled standard deviations."""
    difference = abs(np.mean(one) - np.mean(other))
    deviation = np.sqrt((np.var(one, ddof=1) + np.var(other, ddof=1)) / 2.0)
    if not difference:
        return 0.0
    return float(difference / deviation) if deviation else math.inf


def line(title: str, cells: list[str]) -> str:
    return f"{title:<30}" + "".join(f"{cell:>20}" for cell in cells)


def mean_and_spread(values: list[float] | None) -> str:
    return "" if values is None else f"{np.mean(values):.4g} ± {np.std(values, ddof=1):.2g}"


def report_experiment(report: Report, experiment: Experiment, figures: dict[str, Columns]) -> None:
    """Print the experiment's part of the table and store its figures."""
    print(f"\n{experiment.name}")
    for name, columns in figures.items():
        published = experiment.published.get(name)
        comparable = KERAS in columns and name != SECONDS
        distance = apart(columns[KERAS], columns[OURS]) if comparable else None
        cells = [
            "" if published is None else f"{published:.4g}",
            *(mean_and_spread(columns.get(side)) for side in COLUMNS[1:-1]),
            "" if distance is None else f"{distance:.2f}",
        ]
        print(line(f"  {name}", cells), flush=True)
        report.results.append(
            {
                "what": f"{experiment.name}: {name}",
                "published": published,
                "figures": columns,
                "apart": distance,
            }
        )


def draw_sine(experiment: Experiment, path: Path) -> None:
    """Plot both predictions of the sine by skl_lstm and plain Keras, with the first seed."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    X, y = sine_rows()
    estimator = clone(experiment.estimator).set_params(random_state=0)
    learners = {OURS: estimator}
    if installed("keras", "tensorflow"):
        learners[KERAS] = PlainKeras(estimator, 0)
    figure, axes = plt.subplots(
        len(learners), sharex=True, figsize=(9, 2.6 * len(learners)), layout="constrained"
    )
    for ax, (name, learner) in zip(np.atleast_1d(axes), learners.items(), strict=True):
        fitted = learner.fit(X, y)
        ax.plot(y, color="0.75", linewidth=5, label="sin(x)")
        ax.plot(fitted.predict(X), label="point by point")
        ax.plot(whole_sequence(fitted, X[0], len(y)), "--", label="whole sequence")
        ax.set(title=name, ylabel="value")
    ax.set_xlabel("x")
    figure.legend(*ax.get_legend_handles_labels(), loc="outside right upper")
    figure.savefig(path, dpi=120)


def main() -> None:
    options = arguments(__doc__, files={"picture": "plot the predictions of the sine"})
    report = Report(__doc__, options)
    table = experiments()
    if options.quick:
        table = [each for each in table if each.name.startswith(OF_EACH_KIND)]
    clone(table[0].estimator).set_params(epochs=1).fit(*table[0].train)  # compiles the kernel
    print("\n" + line("", list(COLUMNS)))
    airline_seconds = 0.0
    for experiment in table:
        figures = run(experiment, options.runs, 3 if options.quick else None)
        report_experiment(report, experiment, figures)
        if experiment.honest is not None:
            airline_seconds += sum(figures[SECONDS][OURS])
    print(f"\nexperiments 1 to 5, all seeds, {OURS} (native): {airline_seconds:.2f} s in total")
    report.close()
    if options.picture is not None:
        draw_sine(next(each for each in table if each.name.startswith("8")), options.picture)
    if not options.quick:
        end_where_sides_differ(report)


def end_where_sides_differ(report: Report) -> None:
    """Print whether all means are within the noise; end with an error if one is not."""
    distances = {
        result["what"]: result["apart"] for result in report.results if result["apart"] is not None
    }
    too_far = [f"{what} ({distance:.2f})" for what, distance in distances.items() if distance > 1]
    if too_far:
        raise SystemExit(
            f"{len(too_far)} of {len(distances)} means are more than one standard deviation from "
            "those of plain Keras: " + "; ".join(too_far)
        )
    print(f"{len(distances)} of {len(distances)} means are within one standard deviation")


if __name__ == "__main__":
    main()
