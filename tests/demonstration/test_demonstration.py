"""The command line shows what the package does, and prepares a machine for it."""

import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import pytest

import skl_lstm
from skl_lstm import (
    forecast,
    forecast_interval,
    load_airline_passengers,
    load_kernel,
    make_supervised,
)
from skl_lstm.__main__ import main


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory):
    """What the demonstration prints, and the folder that it leaves."""
    folder = tmp_path_factory.mktemp("demonstration")
    done = subprocess.run(
        [sys.executable, "-m", "skl_lstm", "--output", str(folder)],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    return done.stdout, folder


def errors(text, name):
    """Give RMSE, MAE and MASE of the rows of this name: one step ahead, then many."""
    lines = [line for line in text.splitlines() if line.startswith(name)]
    return [[float(number) for number in line[len(name) :].split()] for line in lines]


@pytest.mark.slow
def test_the_search_is_shown_best_first(demonstration):
    text, _ = demonstration
    table = text.split("MAE")[1].split("The values held out")[0].splitlines()[1:13]
    assert len({tuple(line.split()[:3]) for line in table}) == 12
    found = [float(line.split()[3]) for line in table]
    assert found == sorted(found)


@pytest.mark.slow
def test_the_naive_forecasts_have_the_errors_computed_by_hand(demonstration):
    text, _ = demonstration
    series = load_airline_passengers().to_numpy().astype(float)
    known, truth = series[:120], series[120:]
    scale = np.abs(known[12:] - known[:-12]).mean()
    expected = {
        "naive: the last value": [series[119:-1], np.repeat(known[-1], 24)],
        "seasonal naive: a season before": [series[108:-12], np.tile(known[-12:], 2)],
    }
    for name, forecasts in expected.items():
        for shown, predictions in zip(errors(text, name), forecasts, strict=True):
            error = np.abs(predictions - truth)
            wanted = [np.sqrt((error**2).mean()), error.mean(), error.mean() / scale]
            np.testing.assert_allclose(shown, wanted, rtol=5e-3)


@pytest.mark.slow
def test_the_model_beats_the_seasonal_naive_forecast_with_each_seed(demonstration):
    text, _ = demonstration
    naive = errors(text, "seasonal naive: a season before")
    assert all(
        ours[-1] < theirs[-1]
        for ours, theirs in zip(errors(text, "the model"), naive, strict=True)
    )
    worst = [float(line.split()[-1]) for line in text.splitlines() if "seeds" in line]
    assert worst[0] < 0.5 * naive[0][-1]
    assert worst[1] < naive[1][-1]


@pytest.fixture
def _quick(monkeypatch):
    """Train for a moment, where how well the model does is not asked."""
    monkeypatch.setattr("skl_lstm.demonstration.demonstration.UPDATES", 20)


@pytest.mark.slow
@pytest.mark.usefixtures("_quick")
def test_what_is_held_out_does_not_change_what_is_chosen(tmp_path, capsys):
    tables = []
    for held_out in (np.linspace(1.0, 2.0, 24), np.linspace(900.0, 100.0, 24)):
        series = load_airline_passengers().astype(float)
        series.iloc[-24:] = held_out
        series.to_csv(tmp_path / "own.csv")
        own = ["--csv", str(tmp_path / "own.csv"), "--column", "passengers"]
        main([*own, "--date-column", "Month", "--output", str(tmp_path)])
        shown = capsys.readouterr().out
        tables.append(shown.split("MAE")[1].split("The values held out")[0])
    assert tables[0] == tables[1]


@pytest.mark.slow
def test_the_model_left_behind_forecasts_what_stands_in_the_csv(demonstration):
    text, folder = demonstration
    assert str(folder) in text
    load_kernel()  # as in the process that forecast
    model, series = joblib.load(folder / "model.joblib"), load_airline_passengers()
    left = pd.read_csv(folder / "forecast.csv", index_col=0, parse_dates=True)
    interval = forecast_interval(model, series, 12, 0.9)
    np.testing.assert_allclose(left, interval)
    np.testing.assert_allclose(left["forecast"], forecast(model, series, 12))
    assert left.index[0] == pd.Timestamp("1961-01-01")
    assert model.score(*make_supervised(series)) > 0.9


@pytest.mark.slow
def test_the_picture_is_a_picture(demonstration):
    plt = pytest.importorskip("matplotlib.pyplot")
    _, folder = demonstration
    image = plt.imread(folder / "forecast.png")
    assert image.shape[0] > 400
    assert len(np.unique(image.reshape(-1, image.shape[-1]), axis=0)) > 10


@pytest.mark.usefixtures("_quick")
@pytest.mark.parametrize(
    ("freq", "ahead"),
    [
        (None, "140"),
        pytest.param("QS", "1885-01-01", marks=pytest.mark.slow),
        pytest.param("h", "1850-01-06 20:00:00", marks=pytest.mark.slow),
        pytest.param("YS", "1990-01-01", marks=pytest.mark.slow),
    ],
)
def test_a_series_of_ones_own(freq, ahead, csv, tmp_path, capsys):
    # Below zero, so that it has no logarithms.
    values = np.sin(np.arange(140) * np.pi / 2) - np.arange(140) / 50
    options = ["--column", "v", "--output", str(tmp_path)]
    if freq is None:
        file = csv(values)
    else:
        dates = pd.date_range("1850-01-01", periods=140, freq=freq)
        file = csv(values, when=dates.year if freq == "YS" else dates)
        options += ["--date-column", "when"]
    main(["--csv", file, *options])
    shown = capsys.readouterr().out
    assert shown.startswith("v: 140 values, ")
    assert "nan" not in shown
    assert str(pd.read_csv(tmp_path / "forecast.csv", index_col=0).index[0]) == ahead


@pytest.mark.usefixtures("_quick")
def test_a_short_series_gets_a_smaller_search(csv, tmp_path, capsys):
    months = pd.date_range("2001-01", periods=36, freq="MS").strftime("%Y-%m").to_numpy()
    values = 100 + np.arange(36) + 10 * np.sin(np.arange(36) * np.pi / 6)
    main(["--csv", csv(values, Month=months), "--output", str(tmp_path)])
    shown = capsys.readouterr().out
    assert shown.startswith("The dates are those of 'Month'.\nThe values are those of 'v'.\n")
    assert "v: 36 values, 2001-01-01 to 2003-12-01. The last 6 are held out." in shown
    assert "Search among 6 settings on the first 30, 2 folds" in shown
    ahead = pd.read_csv(tmp_path / "forecast.csv", index_col=0, parse_dates=True)
    assert ahead.index.equals(pd.date_range("2004-01", periods=len(ahead), freq="MS"))
    assert ahead.notna().all(axis=None)


@pytest.mark.usefixtures("_quick")
def test_a_model_that_loses_to_the_seasonal_naive_forecast_is_told(csv, tmp_path, capsys):
    weeks = np.tile([5.0, 1.0, 9.0, 2.0, 7.0, 3.0, 8.0], 6)
    days = pd.date_range("2024-01-01", periods=42).strftime("%Y-%m-%d").to_numpy()
    main(["--csv", csv(weeks, day=days), "--output", str(tmp_path)])
    told = "The model loses to the seasonal naive forecast, whose MAE is 0\n"
    assert capsys.readouterr().out.count(told) == 2


@pytest.mark.usefixtures("_quick")
def test_dates_with_holes_are_consecutive_if_the_frequency_is_given(csv, tmp_path):
    days = pd.bdate_range("2024-01-01", periods=62).delete([9, 40]).strftime("%Y-%m-%d")
    options = ["--freq", "B", "--holdout", "8", "--steps", "3", "--output", str(tmp_path)]
    main(["--csv", csv(np.arange(60) % 7, day=days.to_numpy()), *options])
    ahead = pd.read_csv(tmp_path / "forecast.csv", index_col=0, parse_dates=True)
    assert list(ahead.index) == list(pd.bdate_range("2024-03-27", periods=3))


def test_rows_whose_known_columns_alone_are_filled_are_forecast(csv, tmp_path, capsys):
    price = np.random.default_rng(0).uniform(400, 600, 110)
    days = pd.date_range("2024-01-01", periods=110).strftime("%d.%m.%Y").to_numpy()
    sold = 4000 - 4 * price
    file = csv([*sold[:100], *[""] * 10], price=price, day=days)
    names = ["--column", "v", "--known", "price"]
    main(["--csv", file, *names, "--output", str(tmp_path)])
    assert "v: 100 values, 2024-01-01 to 2024-04-09. The last" in capsys.readouterr().out
    ahead = pd.read_csv(tmp_path / "forecast.csv", index_col=0, parse_dates=True)
    assert ahead.index.equals(pd.date_range("2024-04-10", periods=10))
    assert np.corrcoef(ahead["forecast"], sold[100:])[0, 1] > 0.9


@pytest.mark.slow
@pytest.mark.usefixtures("_quick")
def test_a_series_that_never_changes_has_nothing_to_compare_by(csv, tmp_path, capsys):
    main(["--csv", csv(np.ones(120)), "--column", "v", "--output", str(tmp_path)])
    shown = capsys.readouterr().out
    assert shown.count("No MASE: the seasonal naive forecast had no error before") == 2
    assert "nan" not in shown


@pytest.mark.slow
@pytest.mark.usefixtures("_quick")
def test_of_a_long_series_the_end_is_taken(csv, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("skl_lstm.demonstration.demonstration.MOST_VALUES", 120)
    main(["--csv", csv(np.arange(130.0)), "--column", "v", "--output", str(tmp_path)])
    assert "v: the last 120 of 130 values, 10 to 129. " in capsys.readouterr().out
    assert pd.read_csv(tmp_path / "forecast.csv", index_col=0).index[0] == 130


@pytest.mark.slow
@pytest.mark.usefixtures("_quick")
def test_without_matplotlib_all_else_is_done(csv, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.chdir(tmp_path)
    main(["--csv", csv(np.arange(120.0)), "--column", "v"])
    assert "no plot: ForecastDisplay needs matplotlib: pip" in capsys.readouterr().out
    left = {file.name for file in (tmp_path / "skl_lstm_demonstration").iterdir()}
    assert left == {"model.joblib", "forecast.csv"}


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path, capsys):
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit, match="2"):
        main(["--output", str(tmp_path / "file" / "folder")])
    assert str(tmp_path / "file") in capsys.readouterr().err


def test_the_version_is_told(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"skl_lstm {skl_lstm.__version__}\n"


def test_warming_up_compiles_the_kernel(capsys):
    main(["--warm-up"])
    assert "compiled and cached" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--fast"], "unrecognized arguments: --fast"),
        (["--column", "a"], "--column requires --csv"),
        (["--date-column", "a"], "--date-column requires --csv"),
        (["--no-dates"], "--no-dates requires --csv"),
        (["--csv", "a", "--no-dates", "--freq", "D"], "--no-dates does not go with --date-column"),
        (["--csv", "a", "--sep", ";;"], "--sep: must be one character, got ';;'"),
        (["--csv", "a", "--decimal", ";"], "--decimal: invalid choice: ';'"),
        (["--holdout", "0"], "--holdout: must be a positive integer, got '0'"),
        (["--steps", "two"], "--steps: must be a positive integer, got 'two'"),
        (["--steps", "999"], "--steps must be at most 112 with 144 values, got 999"),
        (["--holdout", "130"], "needs 16 values before the 130 held out, got 144 in all"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options, message, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(options)
    assert message in capsys.readouterr().err
