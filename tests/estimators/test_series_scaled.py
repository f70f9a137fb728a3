"""Each series is scaled by its own training rows, and predictions are brought back."""

import pickle
import warnings

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.dummy import DummyRegressor
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.exceptions import NotFittedError, SkipTestWarning
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import check_estimator

from skl_lstm import (
    SeriesScaledRegressor,
    SeriesWarning,
    load_model,
    make_supervised,
    save_model,
)
from skl_lstm.compositions.parts import reach
from skl_lstm.estimators.series_scaled import measured

METHODS = ["standard", "mean", "minmax"]
SHOPS = {"a": [1.0, 2.0, 4.0, 3.0, 6.0], "b": [300.0, 100.0, 500.0, 400.0, 200.0]}


class Recorder(RegressorMixin, BaseEstimator):
    """Keeps what it was fitted on and asked for; predicts `answer` for each output, or y."""

    def __init__(self, answer=0.0):
        self.answer = answer

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def fit(self, X, y, **fit_params):
        self.X_, self.y_, self.fit_params_ = X, y, fit_params
        return self

    def predict(self, X, **predict_params):
        self.asked_, self.predict_params_ = X, predict_params
        return np.full((len(X), *np.shape(self.y_)[1:]), self.answer)


def by_level(series=SHOPS, **columns):
    """Return a table of series one below the other, the shop a level of its index."""
    parts = {
        shop: pd.DataFrame({"sold": values}, pd.date_range("2024", periods=len(values)))
        for shop, values in series.items()
    }
    return pd.concat(parts, names=["shop", "day"]).assign(**columns)


def by_column(series=SHOPS, **columns):
    """Return the same table day by day, the shop a column."""
    table = by_level(series, **columns).reset_index("shop")
    return table.sort_index(kind="stable")


def following(X):
    """Return what follows each row of its shop, and 0 after the last one."""
    return X.groupby("shop")["sold"].shift(-1, fill_value=0.0)


def of_columns(regressor, *columns):
    """Return a pipeline that leaves the other columns out, such as the name of the series."""
    return make_pipeline(make_column_transformer(("passthrough", list(columns))), regressor)


# What reads a table with the group still in it, and looks at no other row.
BY_ROW = [
    (by_level, LinearRegression()),
    (by_column, of_columns(LinearRegression(), "sold")),
]


@pytest.mark.parametrize("table", [by_level, by_column])
@pytest.mark.parametrize(
    ("method", "locations", "scales"),
    [
        ("standard", [3.2, 300.0], [np.sqrt(2.96), np.sqrt(20000.0)]),
        ("mean", [0.0, 0.0], [3.2, 300.0]),
        ("minmax", [1.0, 100.0], [5.0, 400.0]),
    ],
)
def test_x_and_y_are_scaled_by_statistics_of_x_of_their_series(table, method, locations, scales):
    X = table()
    y = following(X)
    model = SeriesScaledRegressor(Recorder(), group="shop", method=method).fit(X, y)
    assert model.groups_ == ["a", "b"]
    assert model.columns_ == ["sold"]
    assert_allclose(model.locations_[:, 0], locations)
    assert_allclose(model.scales_[:, 0], scales)
    shops = X.reset_index()["shop"].to_numpy()
    for shop, location, scale in zip("ab", locations, scales, strict=True):
        own = shops == shop
        seen, target = model.regressor_.X_[own], model.regressor_.y_[own]
        assert_allclose(seen["sold"], (X[own]["sold"] - location) / scale)
        assert_allclose(target, (y[own] - location) / scale)


@pytest.mark.parametrize("table", [by_level, by_column])
def test_predictions_are_brought_back_to_the_units_of_their_series(table):
    X = table()
    model = SeriesScaledRegressor(Recorder(answer=2.0), group="shop").fit(X, following(X))
    predictions = model.predict(X)
    shops = X.reset_index()["shop"].to_numpy()
    assert_allclose(predictions[shops == "a"], 3.2 + 2 * np.sqrt(2.96))
    assert_allclose(predictions[shops == "b"], 300 + 2 * np.sqrt(20000))
    pd.testing.assert_frame_equal(model.regressor_.asked_, model.regressor_.X_)


@pytest.mark.parametrize(("table", "regressor"), BY_ROW)
def test_one_model_serves_series_of_any_size(table, regressor):
    sizes = {"a": 1.0, "b": 1000.0, "c": 1e-3}
    waves = {shop: size * np.sin(np.arange(30)) for shop, size in sizes.items()}
    X = table(waves)
    y = following(X)
    model = SeriesScaledRegressor(regressor, group="shop").fit(X, y)
    shops = X.reset_index()["shop"].to_numpy()
    first = model.predict(X)[shops == "a"]
    for shop, size in sizes.items():
        assert_allclose(model.predict(X)[shops == shop], size * first, rtol=1e-9)


def test_the_group_may_be_several_names():
    X = by_level().assign(town="t").set_index("town", append=True).swaplevel()
    X = X.reset_index("shop")
    model = SeriesScaledRegressor(Recorder(), group=["town", "shop"])
    model.fit(X, X["sold"].to_numpy())
    assert model.groups_ == [("t", "a"), ("t", "b")]
    assert_allclose(model.predict(X[:5]), 3.2)
    renamed = X.assign(shop=X["shop"].replace("a", "new"))
    assert_allclose(model.predict(renamed[:5]), (3.2 + 300) / 2)


@pytest.mark.parametrize("label", [pd.Timestamp("2024-05-01"), 7, 2.5, True, ("x", 1)])
def test_labels_may_be_of_any_kind(label):
    X = by_level({"a": [1.0, 2.0], "b": [5.0, 7.0]}).reset_index("shop")
    other = {pd.Timestamp: pd.Timestamp("2025-05-01"), tuple: ("y", 1)}.get(type(label), False)
    X["shop"] = pd.Series([label, label, other, other], index=X.index)
    if isinstance(label, int | float) and label is not True:
        X["shop"] = X["shop"].map(lambda each: each or label + 1)
    model = SeriesScaledRegressor(Recorder(), group="shop").fit(X, X["sold"].to_numpy())
    assert_allclose(model.predict(X), [1.5, 1.5, 6.0, 6.0])


@pytest.mark.parametrize("method", METHODS)
def test_a_series_that_was_not_seen_has_the_median_of_the_statistics(method):
    X = by_level({**SHOPS, "c": [7.0, 9.0]})
    model = SeriesScaledRegressor(Recorder(answer=1.0), group="shop", method=method)
    model.fit(X, following(X))
    location, scale = np.median(model.locations_), np.median(model.scales_)
    new = by_level({"b": [100.0], "new": [10.0]})
    predictions = model.predict(new)
    assert_allclose(predictions[1], location + scale)
    assert_allclose(predictions[0], model.locations_[1, 0] + model.scales_[1, 0])
    assert_allclose(model.regressor_.asked_["sold"].iloc[1], (10.0 - location) / scale)


@pytest.mark.parametrize(
    ("method", "flat", "location"),
    [
        ("standard", [5.0, 5.0, np.nan], 5.0),
        ("standard", [0.1] * 7, 0.1),  # whose mean is another number, by rounding
        ("standard", [8.0], 8.0),
        ("minmax", [5.0, 5.0], 5.0),
        ("mean", [0.0, 0.0], 0.0),
        ("standard", [np.nan, np.nan], (2.0 + 30.0) / 2),
        ("minmax", [np.nan], (1.0 + 20.0) / 2),
        ("mean", [np.nan], 0.0),
    ],
)
def test_a_series_without_a_scale_has_the_median_of_the_others(method, flat, location):
    X = by_level({"a": [1.0, 3.0], "b": [20.0, 40.0], "c": flat})
    model = SeriesScaledRegressor(Recorder(), group="shop", method=method)
    model.fit(X, np.zeros(len(X)))
    assert_allclose(model.locations_[2, 0], location)
    assert model.scales_[2, 0] == np.median(model.scales_[:2, 0])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("flat", [0.0, np.nan])
def test_the_scale_is_1_if_no_series_has_one(method, flat):
    X = by_level({"a": [flat, flat], "b": [flat]})
    model = SeriesScaledRegressor(Recorder(), group="shop", method=method)
    model.fit(X, np.zeros(len(X)))
    assert_array_equal(model.locations_, np.zeros((2, 1)))
    assert_array_equal(model.scales_, np.ones((2, 1)))


@pytest.mark.parametrize("method", METHODS)
def test_a_constant_series_goes_through_fit_and_predict_without_a_warning(method, recwarn):
    X = by_level({"a": [4.0] * 5, "b": [1.0, 2.0, 3.0, 1.0, 2.0], "c": [0.0] * 5})
    model = SeriesScaledRegressor(group="shop", method=method).fit(X, following(X))
    assert np.isfinite(model.predict(X)).all()
    assert not recwarn.list


def several(horizon):
    """Return a table with two targets and a price, and their next `horizon` rows side by side."""
    X = by_level(
        price=np.arange(10.0),
        visits=[1, 3, 2, 5, 4, 10, 30, 20, 50, 40],
    )
    ahead = [
        X.groupby("shop")[name].shift(-step).rename(name if horizon == 1 else f"{name}_step{step}")
        for step in range(1, horizon + 1)
        for name in ("visits", "sold")
    ]
    return X, pd.concat(ahead, axis=1)


@pytest.mark.parametrize("horizon", [1, 2])
@pytest.mark.parametrize("given", [True, False])
def test_outputs_have_the_scales_of_the_columns_in_turn(horizon, given):
    X, y = several(horizon)
    columns = ["visits", "sold"] if given else None
    model = SeriesScaledRegressor(Recorder(answer=1.0), group="shop", columns=columns)
    model.fit(X, y.to_numpy() if given else y)
    assert model.columns_ == ["visits", "sold"]
    mean, std = (getattr(X.groupby("shop"), name)() for name in ("mean", "std"))
    std *= np.sqrt(4 / 5)
    assert_allclose(model.locations_, mean[["visits", "sold"]])
    assert_allclose(model.scales_, std[["visits", "sold"]])
    expected = np.tile((mean + std)[["visits", "sold"]], (1, horizon))
    assert_allclose(model.predict(X), np.repeat(expected, 5, axis=0))
    target = np.asarray(model.regressor_.y_)
    assert target.shape == y.shape
    for i, name in enumerate(y):
        column = name.split("_")[0]
        wanted = (y[name] - mean[column].reindex(y.index, level="shop")) / std[column].reindex(
            y.index, level="shop"
        )
        assert_allclose(target[:, i], wanted)
    assert_array_equal(model.regressor_.X_["price"], X["price"])


def test_the_columns_are_those_that_make_supervised_noted():
    shop = by_level(price=np.arange(10.0)).loc["a"]
    X, y = make_supervised(shop, target="sold", known="price", horizon=2)
    X = pd.concat({"a": X}, names=["shop"])
    X.attrs = y.attrs
    model = SeriesScaledRegressor(Recorder(), group="shop").fit(X, y.to_numpy())
    assert model.columns_ == ["sold"]
    assert model.regressor_.X_.attrs == X.attrs
    del X.attrs["skl_lstm"]
    assert model.fit(X, y).columns_ == ["sold"]
    assert model.regressor_.y_.attrs == y.attrs


def test_the_only_column_beside_the_group_needs_no_name():
    X = by_column()
    model = SeriesScaledRegressor(Recorder(), group="shop").fit(X, X["sold"].to_numpy())
    assert model.columns_ == ["sold"]
    y = X["sold"].rename("another")
    assert model.fit(X, y).columns_ == ["sold"]


def test_the_names_of_a_part_of_y_prevail_over_what_was_noted():
    X, y = several(horizon=1)
    y.attrs = {"skl_lstm": {"target": list(y), "known": [], "horizon": 1}}
    model = SeriesScaledRegressor(Recorder(), group="shop")
    assert model.fit(X, y["sold"]).columns_ == ["sold"]


def test_names_of_y_that_are_no_columns_tell_nothing():
    X = by_level(price=np.arange(10.0))
    model = SeriesScaledRegressor(Recorder(), group="shop", columns="price")
    assert model.fit(X, following(X).rename("demand")).columns_ == ["price"]


@pytest.mark.parametrize("dtype", ["float32", "float64", "Float32", "Float64"])
def test_columns_of_floats_keep_their_type(dtype):
    X = by_level().astype(dtype)
    model = SeriesScaledRegressor(Recorder(), group="shop").fit(X, X["sold"].to_numpy())
    assert model.regressor_.X_.dtypes["sold"] == dtype
    model.predict(X)
    assert model.regressor_.asked_.dtypes["sold"] == dtype
    assert model.locations_.dtype == model.scales_.dtype == np.float64


@pytest.mark.parametrize("dtype", ["int64", "uint8", "Int64", "bool", "object"])
def test_other_columns_become_float64(dtype):
    X = by_level({"a": [0, 1, 1], "b": [1, 0, 1]}).astype(dtype)
    model = SeriesScaledRegressor(Recorder(), group="shop").fit(X, X["sold"].to_numpy())
    assert model.regressor_.X_.dtypes["sold"] == np.float64
    assert_allclose(model.locations_, 2 / 3)


def test_a_missing_value_of_a_nullable_column_stays_missing():
    X = by_level().astype("Float64")
    X.iloc[1, 0] = pd.NA
    model = SeriesScaledRegressor(Recorder(), group="shop").fit(X, np.zeros(10))
    assert model.locations_[0, 0] == (1 + 4 + 3 + 6) / 4
    assert_array_equal(model.regressor_.X_["sold"].isna(), np.arange(10) == 1)


def test_the_regressor_gets_the_table_as_it_came_but_for_the_scaled_columns():
    X = by_column(note="text", price=np.arange(10, dtype=np.int16))
    X = X[["note", "sold", "shop", "price"]].astype({"shop": "category"})
    X.attrs["source"] = "till"
    y = following(X.assign(shop=X["shop"].astype(str)))
    before = X.copy(), y.copy()
    model = SeriesScaledRegressor(Recorder(), group="shop").fit(X, y)
    model.predict(X)
    for seen in (model.regressor_.X_, model.regressor_.asked_):
        assert list(seen) == list(X)
        assert seen.attrs == X.attrs
        pd.testing.assert_frame_equal(seen.drop(columns="sold"), X.drop(columns="sold"))
    pd.testing.assert_frame_equal(X, before[0])
    pd.testing.assert_series_equal(y, before[1])


@pytest.mark.parametrize(
    "y",
    [
        pd.Series(np.arange(10.0), by_level().index, name="sold"),
        pd.Series(np.arange(10.0), by_level().index),
        pd.DataFrame({"sold": np.arange(10.0)}, by_level().index),
        pd.DataFrame(np.ones((10, 3)), by_level().index, columns=list("uvw")),
    ],
    ids=["series", "unnamed", "frame", "outputs"],
)
def test_y_of_pandas_keeps_its_form(y):
    y.attrs["told"] = 1
    model = SeriesScaledRegressor(Recorder(), group="shop").fit(by_level(), y)
    seen = model.regressor_.y_
    assert type(seen) is type(y)
    assert seen.attrs == y.attrs
    assert seen.index.equals(y.index)
    if y.ndim == 1:
        assert seen.name == y.name
    else:
        assert list(seen) == list(y)
    assert model.predict(by_level()).shape == y.shape


@pytest.mark.parametrize(
    ("y", "dtype"),
    [
        (list(range(10)), np.float64),
        (np.arange(10), np.float64),
        (np.arange(10, dtype=np.float32), np.float32),
        (np.ones((10, 1)), np.float64),
    ],
)
def test_other_y_is_an_array_of_floats(y, dtype):
    model = SeriesScaledRegressor(Recorder(), group="shop").fit(by_level(), y)
    seen = model.regressor_.y_
    assert isinstance(seen, np.ndarray)
    assert seen.dtype == dtype
    assert seen.shape == model.predict(by_level()).shape == np.shape(y)


def test_missing_values_pass_through():
    X = by_level()
    X.iloc[3, 0] = np.nan
    y = following(X)
    trees = HistGradientBoostingRegressor(max_iter=2, min_samples_leaf=1)
    known = y.notna().to_numpy()
    model = SeriesScaledRegressor(trees, group="shop").fit(X[known], y[known])
    assert np.isfinite(model.predict(X)).all()
    unknown = SeriesScaledRegressor(Recorder(answer=np.nan), group="shop").fit(X, y)
    assert_array_equal(np.isnan(unknown.regressor_.X_["sold"]), X["sold"].isna())
    assert_array_equal(np.isnan(unknown.regressor_.y_), y.isna())
    assert np.isnan(unknown.predict(X)).all()


def test_further_arguments_reach_the_regressor():
    X, weight = by_level(), np.arange(10.0)
    model = SeriesScaledRegressor(Recorder(), group="shop")
    model.fit(X, following(X), sample_weight=weight, stage=2)
    assert model.regressor_.fit_params_ == {"sample_weight": weight, "stage": 2}
    model.predict(X, return_std=True)
    assert model.regressor_.predict_params_ == {"return_std": True}


def test_the_score_is_that_of_all_series_without_unknown_targets():
    X = by_level()
    y = following(X)
    model = SeriesScaledRegressor(group="shop").fit(X, y)
    assert model.score(X, y) == r2_score(y, model.predict(X))
    known = np.arange(10) != 6
    weight = np.arange(10.0)
    expected = r2_score(y[known], model.predict(X)[known], sample_weight=weight[known])
    assert model.score(X, y.where(known), weight) == expected


@pytest.mark.parametrize(("table", "regressor"), BY_ROW)
def test_no_value_of_another_row_changes_a_prediction(table, regressor):
    X = table()
    train, test = X[:6], X[6:]
    model = SeriesScaledRegressor(regressor, group="shop").fit(train, following(train))
    changed = test.copy()
    changed.iloc[1:, list(X).index("sold")] = 1e6
    assert model.predict(changed)[0] == model.predict(test)[0]
    assert_array_equal(
        np.concatenate([model.predict(test[i : i + 1]) for i in range(len(test))]),
        model.predict(test),
    )


def folds(X):
    """Return splits in which each test fold holds later days than its training rows."""
    days = X.index.get_level_values("day")
    ends = days.unique().sort_values()[[10, 15, 20]]
    return [
        (
            np.flatnonzero(days < end),
            np.flatnonzero((days >= end) & (days < end + pd.Timedelta(5, "D"))),
        )
        for end in ends
    ]


@pytest.mark.parametrize(("table", "regressor"), BY_ROW)
def test_in_cross_validation_the_statistics_are_those_of_the_training_rows(table, regressor):
    rng = np.random.default_rng(0)
    X = table({"a": rng.normal(size=25), "b": rng.normal(500, 90, size=25)})
    y = following(X)
    cv = folds(X)
    last = X.copy()
    last.iloc[cv[-1][1], list(X).index("sold")] *= 1e3
    model = SeriesScaledRegressor(regressor, group="shop")
    runs = [
        cross_validate(model, each, y, cv=cv, return_estimator=True, error_score="raise")
        for each in (X, last)
    ]
    assert_array_equal(runs[0]["test_score"][:-1], runs[1]["test_score"][:-1])
    for (train, _), *fitted in zip(cv, *(run["estimator"] for run in runs), strict=True):
        expected = X.iloc[train].groupby("shop")["sold"].mean()
        for each in fitted:
            assert_allclose(each.locations_[:, 0], expected)
            assert_array_equal(each.scales_, fitted[0].scales_)


def test_a_search_sets_parameters_of_the_regressor_inside():
    X = by_column({shop: np.sin(np.arange(25)) * size for shop, size in (("a", 1), ("b", 99))})
    model = SeriesScaledRegressor(of_columns(Ridge(), "sold"), group="shop")
    grid = {"regressor__ridge__alpha": [1e-3, 1e3], "method": METHODS}
    search = GridSearchCV(model, grid, cv=folds(X), error_score="raise").fit(X, following(X))
    assert search.best_params_["regressor__ridge__alpha"] == 1e-3
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize("group", ["shop", ["shop"]])
def test_clones_and_pickles_are_the_same_model(group):
    X = by_level()
    model = SeriesScaledRegressor(Ridge(), group=group, columns=["sold"], method="mean")
    assert clone(model).get_params(deep=False).keys() == model.get_params(deep=False).keys()
    model.fit(X, following(X))
    again = clone(model).fit(X, following(X))
    copy = pickle.loads(pickle.dumps(model))
    for other in (again, copy):
        assert_array_equal(other.predict(X), model.predict(X))


@pytest.mark.parametrize(
    ("X", "group"),
    [
        (by_level(), "shop"),
        (by_column({1: SHOPS["a"], 2: SHOPS["b"]}), "shop"),
        (by_level(town=2), ["shop", "town"]),
    ],
    ids=["level", "column", "both"],
)
@pytest.mark.needs("skops")
def test_it_is_saved_without_pickle(tmp_path, X, group):
    model = SeriesScaledRegressor(Ridge(), group=group, columns="sold").fit(X, following(X))
    save_model(model, tmp_path / "model.skops")
    again = load_model(tmp_path / "model.skops")
    assert_array_equal(again.predict(X), model.predict(X))
    assert again.groups_ == model.groups_


def test_a_refused_fit_leaves_the_earlier_one():
    X = by_level()
    model = SeriesScaledRegressor(group="shop").fit(X, following(X))
    before = model.predict(X)
    with pytest.raises(ValueError, match="NaN"):
        model.fit(X.assign(price=1.0), following(X).where(X["sold"] > 2))
    assert_array_equal(model.predict(X), before)


def test_a_linear_regression_is_the_default():
    X = by_level()
    model = SeriesScaledRegressor(group="shop").fit(X, following(X))
    assert type(model.regressor_) is LinearRegression


def test_names_and_number_of_columns_are_kept():
    X = by_column(price=1.0)
    model = SeriesScaledRegressor(Recorder(), group="shop").fit(X, following(X))
    assert model.n_features_in_ == 3
    assert list(model.feature_names_in_) == ["shop", "sold", "price"]


def test_columns_may_have_other_names_than_text():
    X = by_level().rename(columns={"sold": 0}).assign(**{"1": 0.0}).rename(columns={"1": 1})
    model = SeriesScaledRegressor(Recorder(), group="shop", columns=0).fit(X, np.zeros(10))
    assert model.columns_ == [0]
    assert not hasattr(model, "feature_names_in_")
    assert_allclose(model.predict(X)[:5], 3.2)
    tuples = by_level().rename(columns={"sold": ("sold", "net")})
    tuples.columns = pd.Index([("sold", "net")], tupleize_cols=False)
    model = SeriesScaledRegressor(Recorder(), group="shop", columns=[("sold", "net")])
    assert_allclose(model.fit(tuples, np.zeros(10)).predict(tuples)[:5], 3.2)


def test_a_series_of_pandas_is_a_table_of_one_column():
    X = by_level()["sold"]
    model = SeriesScaledRegressor(group="shop").fit(X, np.arange(10.0))
    assert_array_equal(model.predict(X), model.predict(X.to_frame()))


@pytest.mark.parametrize(
    "regressor",
    [
        LinearRegression(),
        HistGradientBoostingRegressor(),
        MultiOutputRegressor(Ridge()),
        DummyRegressor(),
    ],
    ids=lambda regressor: type(regressor).__name__,
)
def test_its_tags_are_those_of_the_regressor(regressor):
    tags, own = get_tags(SeriesScaledRegressor(regressor, group="shop")), get_tags(regressor)
    assert tags.estimator_type == "regressor"
    assert tags.input_tags.allow_nan == own.input_tags.allow_nan
    assert not tags.input_tags.sparse
    assert tags.target_tags == own.target_tags
    assert tags.regressor_tags == own.regressor_tags


def test_checks_that_pass_arrays_are_left_out():
    with pytest.warns(SkipTestWarning, match="Explicit SKIP"):
        check_estimator(SeriesScaledRegressor(group="shop"))


def test_it_looks_at_no_other_row():
    X = by_level()
    assert reach(SeriesScaledRegressor(group="shop").fit(X, following(X))) == 1


WIDE = by_level(price=1.0, note="text")


@pytest.mark.parametrize(
    ("parameters", "X", "y", "message"),
    [
        (
            {"method": "max"},
            by_level(),
            np.zeros(10),
            r"^method must be one of \('standard', 'mean', 'minmax'\), got 'max'$",
        ),
        (
            {"group": "town"},
            by_level(),
            np.zeros(10),
            r"^group must be a column of X, \['sold'\], or a level of its index, "
            r"\['shop', 'day'\], got 'town'$",
        ),
        (
            {},
            by_level().to_numpy(),
            np.zeros(10),
            "^X must be a DataFrame of pandas, with 'shop' as a column or a level of its index, "
            "got ndarray; ",
        ),
        ({}, by_level()[::-1], np.zeros(10), "^X must have the rows of a series in time order"),
        (
            {},
            WIDE[["price", "sold", "price"]],
            np.zeros(10),
            r"^X must have columns of different names, got \['price', 'sold', 'price'\]$",
        ),
        (
            {},
            WIDE,
            np.zeros(10),
            r"^columns must name the columns of X that y continues, one or several of "
            r"\['sold', 'price', 'note'\], got None, and y does not tell by its names$",
        ),
        (
            {},
            WIDE,
            pd.Series(np.zeros(10), WIDE.index, name="demand"),
            "^columns must name the columns of X that y continues, .* got None",
        ),
        (
            {"columns": ["sold", "demand"]},
            WIDE,
            np.zeros((10, 2)),
            r"^columns must name columns of X, \['sold', 'price', 'note'\], got \['demand'\]$",
        ),
        (
            {"columns": "shop"},
            by_column(),
            np.zeros(10),
            r"^columns must name columns of X, \['sold'\], got \['shop'\]$",
        ),
        (
            {"columns": ["sold", "sold"]},
            WIDE,
            np.zeros((10, 2)),
            r"^columns must name each column once, got \['sold', 'sold'\]$",
        ),
        (
            {"columns": []},
            WIDE,
            np.zeros(10),
            r"^columns must name at least one column of X, one of \['sold', 'price', 'note'\], "
            r"got \[\]$",
        ),
        (
            {"columns": ["sold", "price"]},
            WIDE,
            pd.DataFrame(np.zeros((10, 2)), WIDE.index, columns=["sold_step1", "sold_step2"]),
            r"^columns must be \['sold'\], which y is named after, got \['sold', 'price'\]; "
            r"rename y if it continues these$",
        ),
        (
            {"columns": ["sold", "price"]},
            WIDE,
            np.zeros((10, 3)),
            r"^columns must name the columns that y continues, got \['sold', 'price'\], but y has "
            r"n_outputs=3$",
        ),
        (
            {"columns": ["sold", "price"]},
            WIDE,
            np.zeros(10),
            r"^columns must name the columns that y continues, .*, but y has n_outputs=1$",
        ),
        (
            {"columns": "note"},
            WIDE,
            np.zeros(10),
            "^X must hold numbers, but column 'note' holds values such as 'text'",
        ),
        ({}, by_level() * np.inf, np.zeros(10), "^Input X contains infinity"),
        ({}, by_level(), np.full(10, np.inf), "^Input y contains infinity"),
        ({}, by_level(), None, "requires y to be passed, but the target y is None.$"),
        ({}, by_level(), np.zeros(9), "inconsistent numbers of samples"),
        ({}, by_level(), np.zeros((10, 1, 1)), "dim 3"),
        ({}, by_level(), ["x"] * 10, "could not convert string to float"),
    ],
)
def test_what_cannot_be_scaled_is_refused(parameters, X, y, message):
    model = SeriesScaledRegressor(Recorder(), **{"group": "shop", **parameters})
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)
    assert not [name for name in vars(model) if name.endswith("_")]


@pytest.mark.parametrize("table", [by_level, by_column])
def test_names_of_series_of_another_kind_than_in_fit_are_refused(table):
    X = table()
    model = SeriesScaledRegressor(Recorder(), group="shop").fit(X, following(X))
    numbered = table({1: SHOPS["a"], 2: SHOPS["b"]})
    with pytest.raises(
        ValueError,
        match=r"^X must have text in 'shop', as in fit, got numbers, which would be other series$",
    ):
        model.predict(numbered)


def test_numbers_of_another_type_name_the_same_series():
    X = by_column({1: [1.0, 3.0], 2: [7.0, 9.0]})
    model = SeriesScaledRegressor(Recorder(), group="shop").fit(X, following(X))
    for dtype in ("float32", "Int16", "category", object):
        assert_allclose(model.predict(X.astype({"shop": dtype})), [2.0, 8.0, 2.0, 8.0])


def test_other_columns_than_in_fit_are_refused():
    X = by_level()
    model = SeriesScaledRegressor(Recorder(), group="shop").fit(X, following(X))
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(X.rename(columns={"sold": "demand"}))
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(X.reset_index("shop"))
    with pytest.raises(ValueError, match=r"^X must be a DataFrame of pandas, "):
        model.predict(X.to_numpy())


def test_a_parameter_of_another_name_is_refused_with_the_nearest():
    with pytest.raises(TypeError, match="did you mean 'columns'"):
        SeriesScaledRegressor(group="shop", column="sold")
    with pytest.raises(TypeError, match="missing a required argument: 'group'"):
        SeriesScaledRegressor(LinearRegression())


def test_before_fit_there_is_nothing_to_predict_with():
    with pytest.raises(NotFittedError, match="SeriesScaledRegressor"):
        SeriesScaledRegressor(group="shop").predict(by_level())


def naive(values, method):
    """Return the location and the scale of a series; None for what it does not have."""
    known = values[~np.isnan(values)]
    if not len(known):
        return (0.0 if method == "mean" else None), None
    if method == "mean":
        return 0.0, np.abs(known).mean() or None
    low, high = known.min(), known.max()
    if method == "minmax":
        return low, high - low or None
    return known.mean(), known.std() if low < high else None


def median(values, default):
    known = [value for value in values if value is not None]
    return np.median(known) if known else default


values = st.integers(-50, 50).map(float) | st.just(np.nan)
tables = st.dictionaries(
    st.sampled_from("abcdefg"), st.lists(values, min_size=1, max_size=6), min_size=1
)


@given(
    train=tables,
    test=tables,
    method=st.sampled_from(METHODS),
    level=st.booleans(),
    data=st.data(),
)
def test_fit_and_predict_are_those_of_a_loop_over_the_series(train, test, method, level, data):
    def drawn(series):
        """Return a table with its rows in any order, but each series in that of time."""
        table = by_level(series).reset_index("shop")
        places = data.draw(st.permutations(range(len(table))))
        shops = table["shop"].to_numpy()
        rank = np.empty(len(table), dtype=int)
        for shop in series:
            own = np.flatnonzero(shops == shop)
            rank[own] = np.sort(np.asarray(places)[own])
        table = table.iloc[np.argsort(rank)]
        return table.set_index("shop", append=True) if level else table

    X, later = drawn(train), drawn(test)
    y = np.arange(2.0 * len(X)).reshape(-1, 2)
    model = SeriesScaledRegressor(Recorder(answer=0.5), group="shop", method=method).fit(X, y)

    own = {shop: naive(np.array(train[shop]), method) for shop in sorted(train)}
    locations, scales = zip(*own.values(), strict=True)
    location, scale = median(locations, 0.0), median(scales, 1.0)
    own = {
        shop: (location if a is None else a, scale if b is None else b)
        for shop, (a, b) in own.items()
    }
    assert model.groups_ == list(own)
    predictions = model.predict(later)
    for table, got in ((X, model.regressor_.X_), (later, model.regressor_.asked_)):
        assert got.index.equals(table.index)
        for i, shop in enumerate(table.reset_index()["shop"]):
            a, b = own.get(shop, (location, scale))
            assert_allclose(got["sold"].iloc[i], (table["sold"].iloc[i] - a) / b, atol=1e-12)
            if table is X:
                assert_allclose(model.regressor_.y_[i], (y[i] - a) / b, atol=1e-12)
            else:
                assert_allclose(predictions[i], [a + 0.5 * b] * 2, atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_statistics_of_a_value_far_from_zero_are_exact(method):
    rows = 1e9 + np.array([[0.0], [1.0], [2.0], [5.0], [5.0]])
    locations, scales = measured(rows, np.array([0, 3]), method)
    expected = {
        "standard": ([1e9 + 1, 1e9 + 5], [np.sqrt(2 / 3)] * 2),
        "mean": ([0, 0], [1e9 + 1, 1e9 + 5]),
        "minmax": ([1e9, 1e9 + 5], [2.0, 2.0]),
    }[method]
    assert_array_equal(locations[:, 0], expected[0])
    assert_allclose(scales[:, 0], expected[1], rtol=1e-12)


def test_y_in_other_units_than_its_column_is_told():
    X, y = _sold()
    inner = SeriesScaledRegressor(group="shop", columns="sold")
    with pytest.warns(SeriesWarning, match="y has values from .* both must be in the same units"):
        TransformedTargetRegressor(inner, transformer=StandardScaler()).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        inner.fit(X, y)


def _sold():
    days = pd.date_range("2024-01-01", periods=20, name="day")
    rng = np.random.default_rng(0)
    first, second = (pd.DataFrame({"sold": rng.normal(300 * i, 30, 20)}, days) for i in (1, 2))
    table = pd.concat({"a": first, "b": second}, names=["shop", "day"])
    return make_supervised(table, group="shop")
