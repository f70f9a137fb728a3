"""The demonstration does as much as the length of a series allows."""

import pytest

from skl_lstm.demonstration.plan import make_plan


def test_enough_values_get_the_whole_search():
    plan = make_plan(98, 12)
    assert (plan.season, plan.n_held_out, plan.folds.n_splits, plan.steps) == (12, 24, 4, 12)
    assert plan.grid["window__look_back"] == [12, 13]
    assert make_plan(97, 12)[1:3] == (16, plan.folds)
    assert make_plan(80, 12).folds.n_splits == 2


def test_a_long_season_is_none():
    assert make_plan(1000, 1440).season == 1


def test_three_years_of_months_keep_their_season():
    assert make_plan(36, 12)[:2] == (12, 6)


def test_a_season_that_the_first_fold_does_not_see_is_left_out():
    plan = make_plan(20, 12)
    assert plan.season == 1
    assert plan.grid["window__look_back"] == [2, 4]


@pytest.mark.parametrize("season", [1, 5, 12, 24, 52])
def test_every_plan_leaves_rows_to_train_on(season):
    for n_values in range(19, 200):
        plan = make_plan(n_values, season)
        longest = max(plan.grid["window__look_back"])
        n_first = n_values - plan.n_held_out - 1 - plan.folds.n_splits * plan.folds.test_size
        assert n_first > longest > 0
        # What an interval needs: errors of forecasts from rows after a window.
        assert (
            plan.steps
            + max((n_values - plan.steps) // 2, 19 if plan.coverage == 0.9 else 9)
            + longest
            <= n_values
        )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"n_values": 18}, "needs 16 values before the 3 held out, got 18 in all"),
        ({"n_values": 50, "n_held_out": 40}, "needs 16 values before the 40 held out, got 50"),
        ({"n_values": 36, "steps": 13}, "--steps must be at most 10 with 36 values, got 13"),
        (
            {"n_values": 100, "steps": 9, "n_ahead": 7},
            "--steps must be at most 7 with 100 values and 7 rows to forecast, got 9",
        ),
    ],
)
def test_what_a_series_is_too_short_for_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        make_plan(season=12, **given)


def test_the_rows_that_a_file_leaves_open_are_forecast():
    assert make_plan(100, 7, n_ahead=20).steps == 20
