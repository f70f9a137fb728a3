"""Pictures of training show each model's losses by epoch."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_array_equal
from pictures import fitted_on, names, points
from sklearn.compose import TransformedTargetRegressor
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skl_lstm import (
    LookbackWindower,
    LossCurveDisplay,
    LSTMClassifier,
    LSTMForecaster,
    make_supervised,
)


def lstm(**parameters):
    settings = {"units": 2, "epochs": 3, "validation_split": 0.2, "random_state": 0}
    return LSTMForecaster(**{**settings, **parameters})


def composed(model):
    return TransformedTargetRegressor(
        make_pipeline(MinMaxScaler(), LookbackWindower(3), model), transformer=MinMaxScaler()
    )


@pytest.fixture(scope="module")
def trained(series):
    return composed(lstm()).fit(*make_supervised(series))


@pytest.mark.parametrize("inside", ["forecaster", "pipeline", "target", "search"])
def test_the_losses_of_a_model_are_found_wherever_it_stands(inside, trained, series):
    if inside == "search":
        X, y = make_supervised(series)
        model = GridSearchCV(trained, {"regressor__lstmforecaster__units": [3]}, cv=2).fit(X, y)
        forecaster = model.best_estimator_.regressor_[-1]
    else:
        forecaster = trained.regressor_[-1]
        model = {"target": trained, "pipeline": trained.regressor_, "forecaster": forecaster}[
            inside
        ]
    display = LossCurveDisplay.from_estimator(model)
    for lines, name in (
        (display.training_lines_, "loss"),
        (display.validation_lines_, "val_loss"),
    ):
        epochs, losses = points(lines["training"])
        assert_array_equal(epochs, [1, 2, 3])
        assert_array_equal(losses, forecaster.history_[name])
    assert names(display.ax_) == ["training", "validation", "epoch kept"]
    assert display.ax_.get_xlabel() == "epoch"
    assert display.ax_.get_ylabel() == "loss (mse)"


def test_several_models_are_drawn_in_one_picture(series):
    windows = LookbackWindower(3).fit_transform(series.to_frame() / 1000)
    models = {
        "short": lstm(epochs=1).fit(windows, series / 1000),
        "long": lstm(epochs=5, loss="mae", validation_split=0.0).fit(windows, series / 1000),
    }
    ax = plt.figure().add_subplot()
    display = LossCurveDisplay.from_estimator(models, ax=ax)
    assert display.ax_ is ax
    assert names(ax) == ["short", "long", "validation", "epoch kept"]
    assert list(display.validation_lines_) == ["short"]
    assert ax.get_ylabel() == "loss"
    # By which a single epoch is seen, and the models are told apart without colors.
    assert display.training_lines_["short"].get_marker() == "o"
    assert display.training_lines_["long"].get_marker() == "s"
    assert (
        display.training_lines_["long"].get_color() != display.training_lines_["short"].get_color()
    )
    numbered = LossCurveDisplay.from_estimator(list(models.values()))
    assert list(numbered.training_lines_) == ["model 1", "model 2"]


@pytest.mark.parametrize(
    ("losses", "scale"),
    [([1.0, 0.1], "log"), ([1.0, 0.2], "linear"), ([1.0, -0.1], "linear"), ([np.nan], "linear")],
)
def test_losses_of_different_sizes_are_all_seen(losses, scale):
    display = LossCurveDisplay.from_histories({"a": {"loss": losses}})
    assert display.ax_.get_yscale() == scale


@pytest.mark.parametrize("n_epochs", [1, 2, 500])
def test_epochs_are_whole(n_epochs):
    display = LossCurveDisplay.from_histories({"a": {"loss": np.linspace(1, 2, n_epochs)}})
    ticks = display.ax_.get_xticks()
    assert_array_equal(ticks, ticks.round())


def test_a_classifier_is_drawn_too(series):
    windows = LookbackWindower(3).fit_transform(series.to_frame() / 1000)
    classifier = LSTMClassifier(units=2, epochs=2).fit(windows, series > 300)
    assert LossCurveDisplay.from_estimator(classifier).ax_.get_ylabel() == "loss"


def test_what_has_no_losses_is_refused(series):
    model, *_ = fitted_on(series)
    message = "must hold one LSTM estimator, got Pipeline that holds none"
    with pytest.raises(ValueError, match=message):
        LossCurveDisplay.from_estimator(model)
    with pytest.raises(ValueError, match="histories must hold at least one history, got none"):
        LossCurveDisplay.from_estimator({})
