"""What the README says runs, as it stands there."""

import os
import re
from pathlib import Path

import pytest

README = Path(__file__).parents[1] / "README.md"


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning:sklearn")
def test_the_python_blocks_run_one_after_the_other(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}
    for block in blocks("python"):
        exec(compile(block, str(README), "exec"), names)
    assert {"model.joblib", "airline.skops", "lstm_model.h5"} <= set(os.listdir(tmp_path))
    assert 350 < names["next_month"][0] < 700
    assert names["year"].index[-1].strftime("%Y-%m") == "1961-12"
    assert abs(names["fortnight"] - names["shop"]["sold"][186:]).max() < 0.5
    assert names["result"].frame.shape == (240, 9)


def test_the_commands_are_those_that_run():  # the demonstration does in its own tests
    demonstration, tests = blocks("console")
    assert demonstration == 'pip install ".[plot]" && python -m skl_lstm\n'
    assert tests.endswith("python -m pytest -n 2\n")


def test_every_extra_for_users_stands_in_the_table():
    text = README.read_text(encoding="utf-8")
    project = (README.parent / "pyproject.toml").read_text(encoding="utf-8")
    (extras,) = re.findall(r"^all = \[\"skl-lstm\[(.*)\]\"\]$", project, re.MULTILINE)
    for extra in ("all", *extras.split(",")):
        assert f"`{extra}`" in text


def test_every_parameter_stands_in_the_tables_with_its_default():
    import inspect

    import skl_lstm

    text = README.read_text(encoding="utf-8")
    for name in (
        "LookbackWindower",
        "KnownRowsRegressor",
        "SeriesScaledRegressor",
        "PanelTimeSeriesSplit",
        "LSTMForecaster",
        "LSTMClassifier",
    ):
        for parameter in inspect.signature(getattr(skl_lstm, name)).parameters.values():
            default = repr(parameter.default).replace("'", '"')
            required = parameter.default is parameter.empty
            shown = "required" if required else f"`{default}`"
            assert f"| `{parameter.name}` | {shown} |" in text
