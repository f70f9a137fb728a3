"""A model is judged by series, so that the largest one does not decide alone."""

import pickle
import re
import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from sklearn.dummy import DummyRegressor
from sklearn.linear_model import Ridge
from sklearn.metrics import (
    check_scoring,
    mean_absolute_error,
    mean_squared_error,
    r2_score,
    root_mean_squared_error,
)
from sklearn.model_selection import GridSearchCV, cross_val_score, cross_validate

from skl_lstm import PanelTimeSeriesSplit, panel_scorer

DAYS = pd.date_range("2024-01-01", periods=4, name="day")
SHOPS = np.repeat(["small", "large"], 4)
X = pd.DataFrame({"shop": SHOPS, "guess": 0.0}, index=DAYS.append(DAYS))
Y = np.array([1, 3, 1, 3, 100, 300, 100, 300.0])
# Relative errors: 1 / 2 in the small shop, 20 / 200 in the large one.
GUESS = Y + np.array([1, -1, 1, -1, 20, -20, 20, -20])


class Guesses:
    """A model that predicts what it was made with."""

    def __init__(self, predictions):
        self.predictions = predictions

    def predict(self, X):
        return self.predictions


def score(y, predictions, group="shop", X=X, **parameters):
    return panel_scorer(group, **parameters)(Guesses(predictions), X, y)


def refused(message):
    return pytest.raises(ValueError, match=f"^{re.escape(message)}$")


def test_each_series_counts_alike_relative_to_its_size():
    assert_allclose(score(Y, GUESS), -(1 / 2 + 20 / 200) / 2)


def test_by_size_it_is_the_sum_of_errors_by_that_of_values():
    expected = -np.abs(Y - GUESS).sum() / np.abs(Y).sum()
    assert_allclose(score(Y, GUESS, weights="size"), expected)


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.floats(0.1, 1e3), st.floats(-1e3, 1e3)),
        min_size=1,
        max_size=20,
    ),
    st.floats(1, 100),
)
def test_the_score_is_that_of_groupby(rows, unit):
    frame = pd.DataFrame(rows, columns=["shop", "y", "guess"])
    frame.index = pd.date_range("2024-01-01", periods=len(frame))
    errors = (frame["y"] - frame["guess"]).abs().groupby(frame["shop"])
    sizes = frame["y"].abs().groupby(frame["shop"])
    y, guess = frame["y"].to_numpy(), frame["guess"].to_numpy()
    alike = score(y, guess, X=frame[["shop"]])
    assert_allclose(alike, -(errors.mean() / sizes.mean()).mean())
    pooled = score(y, guess, X=frame[["shop"]], weights="size")
    assert_allclose(pooled, -errors.sum().sum() / sizes.sum().sum())
    in_other_units = np.where(frame["shop"] == 0, unit, 1)
    assert_allclose(score(y * in_other_units, guess * in_other_units, X=frame[["shop"]]), alike)


def test_rows_that_are_not_known_are_left_out():
    y, guess = Y.copy(), GUESS.copy()
    y[0] = guess[5] = np.nan
    rows = [1, 2, 3, 4, 6, 7]
    for weights in ("alike", "size"):
        known = score(Y[rows], GUESS[rows], X=X.iloc[rows], weights=weights)
        assert_allclose(score(y, guess, weights=weights), known)


def test_a_series_without_a_known_row_is_left_out():
    y = np.where(SHOPS == "small", np.nan, Y)
    for weights in ("alike", "size"):
        assert_allclose(score(y, GUESS, weights=weights), -20 / 200)


def test_unknown_values_may_be_of_any_type_of_pandas():
    y = pd.Series(Y, index=X.index).astype("Float64")
    y.iloc[4:] = pd.NA
    assert_allclose(score(y, GUESS), -1 / 2)


def test_a_series_of_zeros_is_measured_by_the_size_of_all():
    y = np.where(SHOPS == "small", 0, Y)
    guess = np.where(SHOPS == "small", 5, GUESS)
    assert_allclose(score(y, guess), -(5 / 100 + 20 / 200) / 2)
    assert_allclose(score(y, guess, weights="size"), -(4 * 5 + 4 * 20) / 800)


def test_targets_of_several_steps_are_averaged():
    y, guess = np.column_stack([Y, Y]), np.column_stack([GUESS, Y])
    assert_allclose(score(y, guess), -(0.5 / 2 + 10 / 200) / 2)
    assert_allclose(score(pd.DataFrame(y), guess), score(y, guess))
    guess[0, 1] = np.nan
    rows = np.arange(1, 8)
    assert_allclose(score(y, guess), score(y[rows], guess[rows], X=X.iloc[rows]))


def test_one_step_may_be_a_column():
    assert score(Y[:, np.newaxis], GUESS) == score(Y, GUESS[:, np.newaxis]) == score(Y, GUESS)


def test_other_metrics_are_relative_to_the_size_too():
    guess = Y + np.array([2, 0, 0, 0, 20, -20, 20, -20])
    expected = -(1 / 2 + 20 / 200) / 2
    assert_allclose(score(Y, guess, metric=root_mean_squared_error), expected)
    assert_allclose(score(Y, GUESS, metric=mean_absolute_error), score(Y, GUESS))
    several = np.column_stack([Y, Y])
    assert_allclose(
        score(several, several + 1, metric=root_mean_squared_error), score(several, several + 1)
    )
    pooled = score(Y, guess, metric=root_mean_squared_error, weights="size")
    assert_allclose(pooled, -(1 + 20) / (2 + 200))


@pytest.mark.parametrize(
    ("group", "levels"),
    [
        ("shop", ["shop"]),
        (["shop"], ["shop"]),
        (["item", "shop"], ["shop"]),
        (["item", "shop"], ["shop", "item"]),
    ],
)
def test_series_are_told_apart_by_columns_or_levels(group, levels):
    table = X.assign(item=1)
    for each in (table, table.set_index(levels, append=True)):
        assert_allclose(score(Y, GUESS, group, each), score(Y, GUESS))


def test_a_part_with_one_number_for_each_row_is_scored():
    numbers = X.iloc[[0, 4]].set_axis([7, 8])
    assert_allclose(score(Y[[0, 4]], GUESS[[0, 4]], X=numbers), -(1 + 20 / 100) / 2)


@pytest.fixture
def sales():
    """A shop that depends on the weather, and one a thousand times as large that does not."""
    days = pd.date_range("2024-01-01", periods=20, name="day")
    index = pd.MultiIndex.from_product([["kiosk", "mall"], days], names=["shop", "day"])
    random = np.random.default_rng(0)
    sunny = np.tile([0.0, 1.0], 20)
    is_mall = np.repeat([0.0, 1.0], 20)
    X = pd.DataFrame({"sunny": sunny * (1 - is_mall), "is_mall": is_mall}, index=index)
    y = 1 + 3 * X["sunny"] + is_mall * (4000 + random.normal(scale=100, size=40))
    return X, y


def test_a_search_and_several_metrics_take_it(sales):
    cv = PanelTimeSeriesSplit(3)
    scoring = {"alike": panel_scorer("shop"), "size": panel_scorer("shop", weights="size")}
    search = GridSearchCV(
        Ridge(),
        {"alpha": [1e-6, 0.1, 10]},
        cv=cv,
        scoring=scoring,
        refit="alike",
        n_jobs=2,
        error_score="raise",
    ).fit(*sales)
    assert search.best_params_ == {"alpha": 1e-6}
    results = cross_validate(Ridge(0.1), *sales, cv=cv, scoring=scoring)
    for name, scorer in scoring.items():
        alone = cross_val_score(Ridge(0.1), *sales, cv=cv, scoring=scorer)
        assert_allclose(results[f"test_{name}"], alone)
        found = [search.cv_results_[f"split{fold}_test_{name}"][1] for fold in range(3)]
        assert_allclose(found, alone)
    assert search.score(*sales) == scoring["alike"](search, *sales)


def test_the_large_series_does_not_decide(sales):
    X, y = sales
    good_for_kiosk = Guesses(np.where(X["is_mall"] == 1, y * 1.2, y))
    good_for_mall = Guesses(np.where(X["is_mall"] == 1, y * 1.1, y * 3))
    alike, pooled = panel_scorer("shop"), panel_scorer("shop", weights="size")
    assert alike(good_for_kiosk, X, y) > alike(good_for_mall, X, y)
    assert pooled(good_for_kiosk, X, y) < pooled(good_for_mall, X, y)


def test_it_works_with_weights_and_where_metadata_is_routed(sales):
    X, y = sales
    scoring = {"alike": panel_scorer("shop")}
    parameters = {"cv": PanelTimeSeriesSplit(3), "scoring": scoring, "refit": "alike"}
    search = GridSearchCV(Ridge(), {"alpha": [1.0]}, error_score="raise", **parameters)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # newer versions warn that weights do not reach scores
        weighted = search.fit(X, y, sample_weight=np.ones(len(y))).best_score_
    with sklearn.config_context(enable_metadata_routing=True):
        assert_allclose(search.fit(X, y).best_score_, weighted)


def test_it_is_a_scorer_that_can_be_compared_and_pickled():
    scorer = panel_scorer("shop", metric=mean_absolute_error, weights="size")
    assert check_scoring(DummyRegressor(), scorer) is scorer
    assert repr(panel_scorer("shop")) == "PanelScorer(group='shop', metric=None, weights='alike')"
    content = pickle.dumps(scorer)
    assert pickle.loads(content) == scorer != panel_scorer("shop")
    assert b"model_selection" not in content
    assert sklearn.base.clone(scorer, safe=False) == scorer


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"group": []}, "group must be one name, or several different ones, got []"),
        (
            {"metric": "mae"},
            "metric must be a callable of y_true and y_pred, such as mean_absolute_error of "
            "sklearn.metrics, or None, got 'mae'",
        ),
        ({"weights": "equal"}, "weights must be one of ('alike', 'size'), got 'equal'"),
        ({"weights": None}, "weights must be one of ('alike', 'size'), got None"),
    ],
)
def test_invalid_parameters_are_refused_at_once(parameters, message):
    with refused(message):
        panel_scorer(**{"group": "shop", **parameters})


def test_a_table_that_does_not_tell_its_series_is_refused():
    with refused(
        "group must be a column of X, ['shop', 'guess'], or a level of its index, ['day'], got "
        "'store'"
    ):
        score(Y, GUESS, "store")
    with pytest.raises(ValueError, match=r"^X must be a DataFrame of pandas, .* got ndarray; "):
        score(Y, GUESS, X=X.to_numpy())


@pytest.mark.parametrize(
    ("y", "guess", "shapes"),
    [
        (Y, GUESS[:-1], "(8,) and (7,)"),
        (Y[:-1], GUESS[:-1], "(7,) and (7,)"),
        (Y, np.column_stack([Y, Y]), "(8,) and (8, 2)"),
        (np.column_stack([Y, Y]), np.repeat(Y, 2), "(8, 2) and (16,)"),
    ],
)
def test_other_shapes_are_refused(y, guess, shapes):
    with refused(
        "y and the predictions must have a row for each of X and as many columns, got shapes "
        f"{shapes} for 8 rows"
    ):
        score(y, guess)


def test_infinite_predictions_are_refused():
    with pytest.raises(ValueError, match=r"^Input predictions contains infinity"):
        score(Y, np.where(Y == 1, np.inf, GUESS))


def test_rows_of_which_none_is_known_are_refused():
    y = np.where(SHOPS == "small", np.nan, Y)
    guess = np.where(SHOPS == "large", np.nan, GUESS)
    with refused(
        "y and the predictions must be known together in at least one row, got none in n_samples=8"
    ):
        score(y, guess)


def test_a_table_of_zeros_is_refused():
    y = np.where(SHOPS == "small", np.nan, 0)
    with refused(
        "y must have another value than zero to tell its size, got zeros in all 4 known rows"
    ):
        score(y, GUESS)


def of_each_step(y, predictions):
    return mean_squared_error(y, predictions, multioutput="raw_values")


@pytest.mark.parametrize(
    ("metric", "got"),
    [
        (r2_score, repr(r2_score(Y[4:], -Y[4:]))),
        (of_each_step, repr(of_each_step(Y[4:], -Y[4:]))),
        (lambda y, predictions: np.nan, "nan"),
        (lambda y, predictions: None, "None"),
    ],
    ids=["R²", "one for each step", "NaN", "None"],
)
def test_a_metric_that_is_no_error_is_refused(metric, got):
    with refused(
        "metric must return an error, a number of at least 0, as mean_absolute_error does, got "
        f"{got} in series 'large'"
    ):
        score(Y, -Y, metric=metric)
