"""The tables of docs/benchmarks/ and the figures in its text, from the JSON of the benchmarks.

``docs/figures/NAME.json`` is what ``benchmarks/NAME.py --json`` wrote. `write` makes Markdown
tables of it in ``docs/_generated``, which the pages include, and returns the figures that their
text names, which they take as substitutions. So a page says what the JSON says, also when it is
made anew.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tables import accuracy, experiments, many_series, speed
from tables.accuracy import MANY, NAIVE, ONE, SEASONAL
from tables.experiments import KERAS
from tables.facts import figure, ratio
from tables.measured import MISSING, OURS, Measured, read

FIGURES = Path(__file__).parents[1] / "figures"
GENERATED = Path(__file__).parents[1] / "_generated"

# The scripts of each page, with the arguments that its figures are made with.
PAGES = {
    "performance": {
        "fit_airline": "",
        "grid_search": "",
        "distributed_search": "",
        "epoch_sizes": "",
        "predict_latency": "",
        "forecast_steps": "",
        "cold_start": "",
        "window_memory": "",
        "many_fits": "",
        "model_file": "",
        "installation": "",
        "backtest": "--data FOLDER",
    },
    "accuracy": {
        "accuracy": "--data FOLDER",
        "activations": "--data FOLDER",
        "etth1": "--data FOLDER",
        "interval_coverage": "",
        "quantiles": "",
        "search_ahead": "",
    },
    "many_series": {"m4": "--data FOLDER", "panel": ""},
    "experiments": {"published_experiments": ""},
}
ARGUMENTS = {name: given for scripts in PAGES.values() for name, given in scripts.items()}


def command(name: str) -> str:
    """Return the command that makes the figures of a script."""
    words = ("python", f"benchmarks/{name}.py", ARGUMENTS[name])
    return " ".join(filter(None, (*words, f"--json docs/figures/{name}.json")))


# The tables that pages include, each with its scripts.
TABLES: dict[str, tuple[tuple[str, ...], Callable[..., str]]] = {
    "training": (("fit_airline", "grid_search", "distributed_search"), speed.compared),
    "epochs": (("epoch_sizes",), speed.epochs),
    "shares": (("epoch_sizes",), speed.shares),
    "prediction": (("predict_latency", "forecast_steps"), speed.compared),
    "new_process": (("cold_start", "model_file"), speed.compared),
    "installation": (("installation",), speed.compared),
    "memory": (("window_memory",), speed.memory),
    "many_fits": (("many_fits",), speed.compared),
    "backtests": (("backtest",), speed.backtests),
    "panels": (("panel",), many_series.panels),
    "large_panel": (("panel",), many_series.large_panel),
    "accuracy_summary": (("accuracy",), accuracy.accuracy_summary),
    "accuracy_one_step": (("accuracy",), accuracy.accuracy_of(ONE)),
    "accuracy_many_steps": (("accuracy",), accuracy.accuracy_of(MANY)),
    "activations": (("activations",), accuracy.activations),
    "etth1": (("etth1",), accuracy.etth1),
    "coverage": (("interval_coverage",), accuracy.coverage),
    "quantiles": (("quantiles",), accuracy.quantiles),
    "search_ahead": (("search_ahead",), accuracy.search_ahead),
    "picks": (("search_ahead",), accuracy.picks),
    "m4": (("m4",), many_series.m4),
    "m4_times": (("m4",), many_series.m4_times),
    "experiments": (("published_experiments",), experiments.experiments),
    "without_leaks": (("published_experiments",), experiments.without_leaks),
}

# The figures that the text of pages names, each with its script.
C, DASK = "C, gcc -O3 -march=native", "Dask, 2 workers"
FACTS: dict[str, tuple[str, Callable[[Measured], str]]] = {
    "recipe_wins_one_step": ("accuracy", accuracy.wins(ONE, NAIVE, False)),
    "recipe_wins_one_step_unseen": ("accuracy", accuracy.wins(ONE, NAIVE, True)),
    "recipe_wins_many_steps": ("accuracy", accuracy.wins(MANY, SEASONAL, False)),
    "recipe_wins_many_steps_unseen": (
        "accuracy",
        accuracy.wins(MANY, SEASONAL, True),
    ),
    "default_near": ("interval_coverage", accuracy.within_five_points(OURS)),
    "symmetric_near": ("interval_coverage", accuracy.within_five_points("symmetric")),
    "adaptive_near": ("interval_coverage", accuracy.within_five_points("adaptive")),
    "times_c": ("fit_airline", ratio("fit of", OURS, C)),
    "two_threads": ("grid_search", ratio("GridSearchCV of 24", OURS, f"{OURS}, 2 threads")),
    "two_processes": ("distributed_search", ratio("search of 24", OURS, "joblib, 2 processes")),
    "two_dask": ("distributed_search", ratio("search of 24", OURS, DASK)),
    "dask_task": ("distributed_search", figure("time for each of", DASK)),
    "pytorch_512": ("epoch_sizes", ratio("one epoch at (512,", "PyTorch", OURS)),
    "share_512": ("epoch_sizes", figure("share of sgemm's speed at (512,")),
    "one_row": ("predict_latency", figure("predict of 1 row,")),
    "first_fit_on_a_machine": ("cold_start", figure("first fit on a machine")),
    "first_fit_of_a_process": ("cold_start", figure("first fit of a process")),
    "installed": ("installation", figure("size of all packages", f"{OURS}[plot]")),
    "installed_with_keras": ("installation", figure("size of all packages", f"{OURS}[keras]")),
    "demonstration_first": ("installation", figure("demonstration, the first time")),
    "demonstration_later": ("installation", figure("demonstration, later")),
    "import_time": ("cold_start", figure("import")),
    "experiments_seconds": ("published_experiments", experiments.seconds_of(OURS)),
    "experiments_seconds_keras": (
        "published_experiments",
        experiments.seconds_of(KERAS),
    ),
    "experiments_within": ("published_experiments", experiments.within_one_deviation),
}


def how_made(scripts: list[Measured]) -> str:
    """Return the machines and versions of some scripts, and the commands that make their JSON."""
    by_machine: dict[str, list[str]] = {}
    for script in scripts:
        processor, cores, system, *packages = script.machine.items()
        versions = [f"{name} {version}" for name, version in packages if version != MISSING]
        place = f"{processor[1]}, {cores[1]} cores, {system[1]}; {', '.join(versions)}"
        by_machine.setdefault(place, []).append(f"`{script.name}.py`")
    lines = []
    for place, names in by_machine.items():
        lines += [f"Measured on {place}: {', '.join(names)}.", ""]
    lines += ["From a checkout with the extra `bench`, these commands make the figures anew:", ""]
    return "\n".join([*lines, "```console", *(command(s.name) for s in scripts), "```", ""])


def write(figures: Path = FIGURES, to: Path = GENERATED) -> dict[str, str]:
    """Write all tables and the picture; return the figures that the text names."""
    to.mkdir(exist_ok=True)
    found = {name: read(figures / f"{name}.json", command(name)) for name in ARGUMENTS}
    for name, (scripts, make) in TABLES.items():
        _keep(to / f"{name}.md", make(*(found[script] for script in scripts)))
    for page, of_page in PAGES.items():
        _keep(to / f"made_{page}.md", how_made([found[script] for script in of_page]))
    _keep(to / "accuracy_picture.md", accuracy.picture(found["accuracy"], to))
    return {name: make(found[script]) for name, (script, make) in FACTS.items()}


def _keep(file: Path, text: str) -> None:
    """Write a text unless the file holds it, so that its page is not built again."""
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        file.write_text(text, encoding="utf-8")
