"""The examples run as they stand."""

import runpy
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))


@pytest.mark.slow
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("error::skl_lstm.SeriesWarning")
def test_an_example_runs(example, monkeypatch, tmp_path):
    if "import dask" in example.read_text(encoding="utf-8"):
        pytest.importorskip("dask.dataframe")
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(example), run_name="__main__")
