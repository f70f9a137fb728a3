"""What a backtest reports: measures, comparison, chance, and its looks in a notebook."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_absolute_error, mean_pinball_loss, root_mean_squared_error
from sklearn.model_selection import TimeSeriesSplit
from sklearn.pipeline import make_pipeline

from skl_lstm import (
    Backtest,
    ForecastDisplay,
    LookbackWindower,
    backtest,
    load_airline_passengers,
)


def frame_of(errors, *, steps=1, stride=1, **columns):
    """Return forecasts of models whose errors, one row for each origin, are given."""
    parts = []
    for name, values in errors.items():
        values = np.asarray(values, dtype=float).reshape(-1, steps)
        origin = np.repeat(stride * np.arange(len(values)), steps)
        step = np.tile(np.arange(steps) + 1, len(values))
        truth = 10.0 + np.arange(values.size)
        part = {
            "model": name,
            "fold": 0,
            "origin": origin,
            "step": step,
            "time": origin + step,
            "truth": truth,
            "forecast": truth + values.ravel(),
            "scale": 2.0,
            "rms_scale": 4.0,
        }
        parts.append(pd.DataFrame({**part, **columns}))
    return pd.concat(parts, ignore_index=True)


def test_models_are_compared_by_their_mean_error_best_first():
    errors = {"a": [1, -3, 2, 0], "seasonal_naive": [2, -4, 1, 1], "b": [4, 4, 4, 4]}
    table = Backtest(frame_of(errors)).compare()
    assert list(table.index) == ["a", "seasonal_naive", "b"]
    assert table.index.name == "model"
    assert_allclose(table["MAE"], [1.5, 2, 4])
    assert_allclose(table["RMSE"], np.sqrt([14 / 4, 22 / 4, 16]))
    assert_allclose(table["MASE"], [0.75, 1, 2])
    assert_allclose(table["RMSSE"], table["RMSE"] / 4)
    assert_allclose(table["ratio"], [0.75, 1, 2])
    assert_allclose(table["better"], [0.75, np.nan, 0])
    against = Backtest(frame_of(errors)).compare(to="b", metric="RMSE")
    assert_allclose(against["ratio"], table["RMSE"] / 4)


def test_chance_is_the_share_of_signs_that_give_as_large_a_difference():
    # Differences of 1, 2, 3, 4: of sixteen signs, two give a mean as far from zero.
    exact = Backtest(frame_of({"a": [1, 1, 1, 1], "seasonal_naive": [2, 3, 4, 5]})).compare()
    assert exact.loc["a", "p_value"] == pytest.approx(2 / 16)
    assert np.isnan(exact.loc["seasonal_naive", "p_value"])
    same = Backtest(frame_of({"a": [1, 2, 3, 4], "seasonal_naive": [1, 2, 3, 4]})).compare()
    assert same.loc["a", "p_value"] == 1.0
    one = Backtest(frame_of({"a": [1], "seasonal_naive": [2]})).compare()
    assert np.isnan(one.loc["a", "p_value"])


def test_chance_is_small_for_a_real_difference_and_seldom_for_none():
    rng = np.random.default_rng(0)
    found = []
    for _ in range(60):
        errors = {name: rng.normal(size=40) for name in ("a", "seasonal_naive")}
        found.append(Backtest(frame_of(errors)).compare().loc["a", "p_value"])
    assert 0 < np.mean(np.array(found) < 0.1) < 0.25
    better = {"a": rng.normal(size=40), "seasonal_naive": 3 * rng.normal(size=40)}
    assert Backtest(frame_of(better)).compare().loc["a", "p_value"] < 0.01


def test_origins_whose_forecasts_overlap_are_one_sample():
    errors = {"a": np.ones(24), "seasonal_naive": np.arange(24) + 2.0}
    # Eight origins of three steps, two and two of which overlap if they are two rows apart.
    apart = Backtest(frame_of(errors, steps=3, stride=3)).compare()
    overlapping = Backtest(frame_of(errors, steps=3, stride=2)).compare()
    assert apart.loc["a", "p_value"] == pytest.approx(2 / 2**8)
    assert overlapping.loc["a", "p_value"] == pytest.approx(2 / 2**4)


def test_rows_that_one_model_does_not_know_are_left_out_for_all():
    frame = frame_of({"a": [1, np.nan, 3], "seasonal_naive": [2, 100, 2]})
    assert Backtest(frame).compare().loc["seasonal_naive", "MAE"] == 2
    frame.loc[frame["origin"] == 0, "truth"] = np.nan
    assert Backtest(frame).compare().loc["a", "MAE"] == 3
    frame["truth"] = np.nan
    with pytest.raises(ValueError, match=r"^frame must hold a row that every model has a forecas"):
        _ = Backtest(frame).summary


def test_intervals_are_measured_by_what_they_cover_and_by_their_ends():
    rng = np.random.default_rng(0)
    frame = frame_of({"a": rng.normal(size=50)}, lower=0.0, upper=0.0)
    frame["lower"], frame["upper"] = frame["forecast"] - 1.0, frame["forecast"] + 0.5
    naive = frame.assign(model="seasonal_naive", lower=np.nan, upper=np.nan)
    result = Backtest(pd.concat([frame, naive], ignore_index=True), coverage=0.8)
    table = result.compare()
    assert list(table.columns[:7]) == [
        *("MAE", "RMSE", "sMAPE", "MASE", "RMSSE", "pinball", "coverage")
    ]
    inside = frame["truth"].between(frame["lower"], frame["upper"])
    assert table.loc["a", "coverage"] == pytest.approx(inside.mean())
    ends = [
        mean_pinball_loss(frame["truth"], frame[end], alpha=alpha)
        for end, alpha in (("lower", 0.1), ("upper", 0.9))
    ]
    assert table.loc["a", "pinball"] == pytest.approx(np.mean(ends))
    assert table.loc["seasonal_naive", ["pinball", "coverage"]].isna().all()


def test_a_name_that_a_library_uses_does_no_harm():
    series = load_airline_passengers().astype(float)
    table = pd.concat({"a": series, "b": series + 5}, names=["cutoff"]).to_frame("y")
    model = make_pipeline(LookbackWindower(3, padding="edge", group="cutoff"), LinearRegression())
    result = backtest(model, table, cv=2, stride=2)
    rows = result.frame[result.frame["model"] == "model"]
    found = result.compare().loc["model"]
    assert found["MAE"] == pytest.approx(mean_absolute_error(rows["truth"], rows["forecast"]))
    assert found["RMSE"] == pytest.approx(root_mean_squared_error(rows["truth"], rows["forecast"]))
    assert list(result.by_series.loc["model"].index) == ["a", "b"]


def test_several_columns_are_compared_each():
    series = load_airline_passengers().astype(float)
    both = pd.DataFrame({"up": series, "down": -(series**0.5)})
    model = make_pipeline(LookbackWindower(12, padding="edge"), LinearRegression())
    result = backtest(model, both, cv=4, stride=3)
    table = result.compare()
    assert table.index.names == ["column", "model"]
    for name in both:
        alone = Backtest(result.frame[result.frame["column"] == name].drop(columns="column"))
        pd.testing.assert_frame_equal(table.loc[name], alone.compare())
    assert result.summary.index.names == ["model", "column", "step"]
    assert list(result.summary.loc["model"].loc["down"].index) == ["all", 1, 2, 3]


def test_the_picture_has_a_path_from_each_origin():
    plt = pytest.importorskip("matplotlib.pyplot")
    series = load_airline_passengers()
    folds = TimeSeriesSplit(2, test_size=12)  # each with origins of its own
    intervals = {"coverage": 0.8, "interval_params": {"refits": 1}}
    model = make_pipeline(LookbackWindower(12, padding="edge"), LinearRegression())
    options = {"cv": folds, "steps": 4, "stride": 4, "refit": False, **intervals}
    result = backtest(model, series, **options)
    picture = result.plot()
    frame = result.frame[result.frame["model"] == "model"]
    drawn = picture.paths[0]["model"].get_ydata()
    assert np.isnan(drawn).sum() == frame["origin"].nunique() - 1 == 5
    assert_allclose(drawn[~np.isnan(drawn)], frame["forecast"])
    assert list(picture.bands[0]) == ["model"]
    errors = picture.errors[0]
    assert_allclose(errors["model"].get_ydata(), result.summary.loc["model", "MAE"][1:])
    assert list(errors) == result.models
    assert picture.axes[0, 0].get_ylabel() == "passengers"
    display = ForecastDisplay.from_predictions(series, predicted=result)
    predicted = display.predicted_line_.get_ydata()
    assert_allclose(predicted[~np.isnan(predicted)], frame["forecast"])
    plt.close("all")


def test_only_the_measures_that_are_asked_for():
    frame = frame_of({"a": [1, -3], "seasonal_naive": [2, -4]})
    result = Backtest(frame, scoring=["RMSE", "MAE"])
    assert list(result.summary) == ["RMSE", "MAE"]
    assert list(result.compare()) == ["RMSE", "MAE", "ratio", "better", "p_value"]
    assert list(Backtest(frame, scoring="MASE").summary) == ["MASE"]


def test_a_notebook_shows_the_comparison():
    result = backtest(LinearRegression(), load_airline_passengers(), cv=2, stride=2)
    text, html = repr(result), result._repr_html_()
    extent = "2 origins, 2 steps ahead, 1960-09-01 to 1960-12-01"
    assert text.startswith(f"Backtest of {extent}\n")
    assert f"<b>Backtest</b> of {extent}" in html
    for name in ("seasonal_naive", "MASE", "p_value"):
        assert name in text
        assert name in html
    assert "<details>" in html


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scoring": "mae"}, "got 'mae'; did you mean 'MAE'?"),
        ({"scoring": ["MAE", "R2"]}, "scoring must name measures among ['MAE', 'RMSE', "),
        ({"scoring": []}, "scoring must name different measures, got []"),
        ({"scoring": ["MAE", "MAE"]}, "scoring must name different measures, got ['MAE', 'MAE']"),
        ({"scoring": "coverage"}, "coverage must be given for scoring='coverage', got None"),
        ({"frame": 1}, "frame must be a DataFrame of pandas with the columns ['model', 'fold', "),
        ({"scoring": max}, "scoring must name measures among ['MAE', 'RMSE', "),
    ],
)
def test_what_cannot_be_measured_is_refused(arguments, message):
    settings = {"frame": frame_of({"a": [1, 2]}), **arguments}
    with pytest.raises(ValueError) as refused:
        Backtest(settings.pop("frame"), **settings)
    assert message in str(refused.value)


def test_models_must_have_forecast_the_same():
    one = backtest(LinearRegression(), load_airline_passengers(), cv=2, stride=2).frame
    other = backtest(LinearRegression(), load_airline_passengers(), cv=4, stride=2).frame
    frames = [
        pd.concat([one, one]),
        pd.concat([one, other]),
        pd.concat([one, other.replace({"model": {"model": "other"}})]),
        one.drop(index=3),
    ]
    for frame in frames:
        with pytest.raises(ValueError, match=r"^frame must have one row of each model for e"):
            Backtest(frame)
    together = pd.concat([one, one[one["model"] == "model"].assign(model="other")])
    assert Backtest(together).compare().loc["other", "ratio"] > 0


def test_what_the_frame_lacks_is_not_measured():
    frame = frame_of({"a": [1, 2], "seasonal_naive": [2, 1]})
    assert list(Backtest(frame.drop(columns="scale")).summary) == ["MAE", "RMSE", "sMAPE", "RMSSE"]
    with pytest.raises(ValueError, match=r"^frame must have \['scale'\] for scoring='MASE'"):
        Backtest(frame.drop(columns="scale"), scoring="MASE")
    with pytest.raises(ValueError, match=r"^frame must have \['lower', 'upper'\] for cov"):
        Backtest(frame, coverage=0.9)
    with pytest.raises(ValueError, match=r"^coverage must be a number in \(0, 1\), got 90$"):
        Backtest(frame, coverage=90)


@pytest.mark.parametrize(
    "kind", ["csv", pytest.param("parquet", marks=pytest.mark.needs("pyarrow"))]
)
def test_a_frame_that_was_stored_is_the_same(kind, tmp_path):
    result = backtest(LinearRegression(), load_airline_passengers(), cv=3, stride=2)
    path = tmp_path / f"backtest.{kind}"
    if kind == "csv":
        result.frame.to_csv(path)  # with its index, which is no series
        frame = pd.read_csv(path, parse_dates=["origin", "time"])
    else:
        result.frame.to_parquet(path)
        frame = pd.read_parquet(path)
    pd.testing.assert_frame_equal(Backtest(frame).compare(), result.compare())


def test_a_series_that_does_not_change_has_no_scale():
    days = pd.date_range("2024-01-01", periods=40, name="day")
    rng = np.random.default_rng(0)
    values = {"a": 5.0 + rng.normal(size=40), "b": np.full(40, 5.0)}
    table = pd.concat(
        {name: pd.DataFrame({"v": each}, index=days) for name, each in values.items()},
        names=["shop"],
    )
    model = make_pipeline(LookbackWindower(2, padding="edge", group="shop"), LinearRegression())
    result = backtest(model, table, cv=6, steps=2, stride=2)
    assert (
        result.frame.loc[result.frame["shop"] == "b", ["scale", "rms_scale"]].isna().all(axis=None)
    )
    by_series = result.by_series
    assert by_series.loc["model"].loc["b", ["MASE", "RMSSE"]].isna().all()
    table = result.compare(metric="MASE")
    alone = result.frame[result.frame["shop"] == "a"]
    pd.testing.assert_series_equal(
        table["MASE"], Backtest(alone).compare(metric="MASE")["MASE"][table.index]
    )
    assert table.loc["model", "p_value"] > 0


def test_many_origins_are_compared_by_drawn_signs():
    rng = np.random.default_rng(0)
    same = {name: rng.normal(size=2000) for name in ("a", "seasonal_naive")}
    assert 0.05 < Backtest(frame_of(same)).compare().loc["a", "p_value"] <= 1
    far = {"a": same["a"], "seasonal_naive": 2 * same["seasonal_naive"]}
    assert Backtest(frame_of(far)).compare().loc["a", "p_value"] == 1e-4  # the smallest there is


def test_what_cannot_be_compared_is_refused():
    result = Backtest(frame_of({"a": [1, 2]}))
    assert result.compare().loc["a", "ratio"] == 1  # to itself, since there is no other
    with pytest.raises(ValueError) as refused:
        result.compare("naive")
    assert str(refused.value) == "to must be one of ['a'], got 'naive'"
    with pytest.raises(ValueError, match=r"^metric must name measures among .*; did you mean"):
        result.compare("a", "mae")
    with pytest.raises(ValueError, match=r"^metric must be an error, .* got 'coverage'$"):
        result.compare("a", "coverage")
    with pytest.raises(ValueError, match=r"did you mean 'a'\?$"):
        result.compare("A")
