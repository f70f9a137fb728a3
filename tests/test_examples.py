"""The examples run as they stand."""

import runpy
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))

# What only an extra installs, by what an example that needs it says.
NEEDED = {
    "save_model": "skops.io",
    "to_keras": "keras",
    "dask": "dask.dataframe",
}


@pytest.fixture
def plt(monkeypatch, tmp_path):
    plt = pytest.importorskip("matplotlib.pyplot")
    plt.switch_backend("agg")
    monkeypatch.chdir(tmp_path)
    yield plt
    plt.close("all")


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("error::skl_lstm.SeriesWarning")
def test_an_example_runs(example, plt):
    text = example.read_text(encoding="utf-8")
    for said, module in NEEDED.items():
        if said in text:
            pytest.importorskip(module)
    runpy.run_path(str(example), run_name="__main__")
    assert plt.get_fignums(), "an example has a picture"
