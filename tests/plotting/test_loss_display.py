"""Pictures of training show each model's losses by epoch."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
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

plt = pytest.importorskip("matplotlib.pyplot")


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


def test_without_early_stopping_the_last_epoch_is_kept(trained):
    display = LossCurveDisplay.from_estimator(trained)
    assert display.kept == {"training": 3}
    epochs, losses = points(display.kept_points_["training"])
    assert_array_equal(epochs, [3])
    assert_array_equal(losses, trained.regressor_[-1].history_["val_loss"][-1:])


@pytest.mark.parametrize("validation_split", [0.0, 0.25])
@pytest.mark.parametrize("patience", [3, 1000])
def test_with_early_stopping_the_epoch_whose_weights_were_kept_is_marked(
    validation_split, patience
):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((80, 3)).astype(np.float32)
    y = X[:, -1] + 0.5 * rng.standard_normal(80).astype(np.float32)
    model = lstm(units=16, epochs=30, learning_rate=0.1, validation_split=validation_split)
    model.set_params(early_stopping=True, patience=patience).fit(X, y)
    display = LossCurveDisplay.from_estimator(model)
    kept = display.kept["training"]
    name = "val_loss" if validation_split else "loss"
    assert kept == 1 + int(np.argmin(model.history_[name]))
    assert_array_equal(points(display.kept_points_["training"])[1], model.history_[name][kept - 1])
    if validation_split:  # that of training rows is measured before the epoch's last updates
        assert kept < model.n_iter_
        error = ((model.predict(X[60:]) - y[60:]) ** 2).mean()
        assert_allclose(error, model.history_[name][kept - 1], rtol=1e-5)


def test_an_epoch_that_is_not_told_is_not_marked(series):
    windows = LookbackWindower(3).fit_transform(series.to_frame() / 1000)[:-1]
    y = series[1:] / 1000
    model = lstm(early_stopping=True, patience=50, epochs=4).fit(windows, y)
    assert LossCurveDisplay.from_estimator(model).kept == {"training": 4}
    model.partial_fit(windows, y)  # keeps the last epoch, and a second fit would keep the best
    display = LossCurveDisplay.from_estimator(model)
    assert display.kept == {}
    assert display.kept_points_ == {}
    assert names(display.ax_) == ["training", "validation"]


def test_given_epochs_are_marked_on_the_validation_line_if_there_is_one():
    histories = {
        "a": {"loss": [3.0, 2.0, 1.0], "val_loss": [4.0, 3.5, 3.6]},
        "b": {"loss": [5.0, 4.5]},
        "c": {"loss": [2.0]},
    }
    display = LossCurveDisplay.from_histories(histories, kept={"a": 2, "b": 1})
    marks = {name: points(mark) for name, mark in display.kept_points_.items()}
    assert marks == {"a": ([2], [3.5]), "b": ([1], [5.0])}
    for name, mark in display.kept_points_.items():
        assert mark.get_color() == display.training_lines_[name].get_color()


@pytest.mark.parametrize(
    ("kept", "message"),
    [
        ({"b": 1}, r"kept must name models of histories, \['a'\], got 'b'"),
        ({"a": 0}, "kept must be a positive integer, got 0"),
        ({"a": 3}, "kept must be at most 2, the epochs of a, got 3"),
    ],
)
def test_an_epoch_that_was_not_is_refused(kept, message):
    with pytest.raises(ValueError, match=message):
        LossCurveDisplay.from_histories({"a": {"loss": [1.0, 0.5]}}, kept=kept)
    assert not plt.get_fignums()


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
