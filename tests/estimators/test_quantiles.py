"""Several quantiles come from one network: they do not cross, and the median is predicted."""

import copy
import pickle

import joblib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.metrics import mean_absolute_error, mean_pinball_loss, r2_score
from sklearn.model_selection import GridSearchCV, TimeSeriesSplit
from sklearn.pipeline import make_pipeline

from skl_lstm import (
    LookbackWindower,
    LSTMClassifier,
    LSTMForecaster,
    ModelFileError,
    load_model,
    make_supervised,
    save_model,
)

QUANTILES = [0.1, 0.5, 0.9]
RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4))
ONE = np.tanh(X[:, 3]) + 0.3 * RNG.normal(size=60)
TWO = np.column_stack([ONE, 1.0 + X[:, 0]])
TARGETS = pytest.mark.parametrize("y", [ONE, TWO], ids=["one target", "two targets"])


def forecaster(**parameters):
    settings = {"units": 3, "epochs": 3, "loss": "pinball", "random_state": 0}
    return LSTMForecaster(**{**settings, "quantile": QUANTILES, **parameters})


FITTED = {1: forecaster(epochs=1).fit(X, ONE), 2: forecaster(epochs=1).fit(X, TWO)}

# The losses of a single quantile, from a version that could not learn several.
SINGLE = [0.33286810864228755, 0.3315518541145138, 0.3302629857692712]


def loss_of(y, quantiles):
    """Mean pinball loss over quantiles and outputs, as scikit-learn measures it."""
    return np.mean(
        [mean_pinball_loss(y, quantiles[..., i], alpha=alpha) for i, alpha in enumerate(QUANTILES)]
    )


@pytest.mark.parametrize(
    ("y", "quantile", "shape"),
    [
        (ONE, QUANTILES, (60, 3)),
        (TWO, QUANTILES, (60, 2, 3)),
        (TWO[:, :1], QUANTILES, (60, 1, 3)),
        (ONE, 0.9, (60, 1)),
        (TWO, [0.9], (60, 2, 1)),
        (ONE, np.array([0.5, 0.75]), (60, 2)),
    ],
)
def test_each_value_of_y_has_every_quantile(y, quantile, shape):
    model = forecaster(quantile=quantile).fit(X, y)
    quantiles = model.predict_quantiles(X)
    assert quantiles.shape == shape
    assert model.quantiles_ == tuple(np.ravel(quantile).tolist())
    assert model.n_outputs_ == np.prod(shape[1:])
    place = list(model.quantiles_).index(0.5) if shape[-1] > 1 else 0
    assert_array_equal(model.predict(X), quantiles[..., place])
    assert model.predict(X).shape == y.shape
    assert model.predict_quantiles(X.astype(np.float32)).dtype == np.float32


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 2]), st.floats(0.1, 100.0))
def test_quantiles_never_cross(seed, n_targets, size):
    model = copy.copy(FITTED[n_targets])
    rng = np.random.default_rng(seed)
    model.weights_ = [rng.normal(scale=size, size=part.shape) for part in model.weights_]
    quantiles = model.predict_quantiles(rng.normal(size=(20, 4)))
    assert (np.diff(quantiles, axis=-1) >= 0).all()


@TARGETS
def test_sorting_does_not_increase_the_loss(y):
    model = forecaster(epochs=1, units=8).fit(X, y)
    raw = model._outputs(X).reshape(len(X), 3, -1)
    assert (np.diff(raw, axis=1) < 0).any()
    unsorted = np.moveaxis(raw, 1, 2).reshape(*y.shape, 3)
    assert loss_of(y, model.predict_quantiles(X)) < loss_of(y, unsorted)


@pytest.mark.parametrize("window_scaling", [None, "last", "standard"])
@TARGETS
def test_the_loss_is_the_mean_over_quantiles_and_outputs(y, window_scaling, engine):
    model = forecaster(
        engine=engine, epochs=2, validation_split=0.5, window_scaling=window_scaling
    )
    if window_scaling is None:
        model.fit(X, y)
        raw = np.moveaxis(model._outputs(X[30:]).reshape(30, 3, -1), 1, 2)
        expected = loss_of(y[30:], raw.reshape(30, *y.shape[1:], 3))
        assert_allclose(model.history_["val_loss"][-1], expected, rtol=1e-5)
        return
    model.set_params(features_per_step=y.size // 60, target=list(range(y.size // 60))).fit(X, y)
    windows, scaling = X[30:].reshape(30, -1, y.size // 60), model.window_scaling_
    location, scale = scaling.measure(windows)
    raw = model._outputs(X[30:]).reshape(30, 3, -1)
    in_units = (raw - location[:, np.newaxis]) / scale[:, np.newaxis]
    truth = (y[30:].reshape(30, -1) - location) / scale
    expected = loss_of(truth, np.moveaxis(in_units, 1, 2))
    assert_allclose(model.history_["val_loss"][-1], expected, rtol=1e-5)


@pytest.mark.slow
def test_they_cover_their_shares_where_the_spread_varies():
    rng = np.random.default_rng(1)
    spread = np.exp(np.sin(np.arange(1400) / 8.0))
    series = np.sin(np.arange(1400) / 8.0) + 0.3 * spread * rng.normal(size=1400)
    X, y = make_supervised(series)
    model = make_pipeline(
        LookbackWindower(12), forecaster(units=12, epochs=40, learning_rate=0.01, batch_size=64)
    ).fit(X[:1000], y[:1000])
    quantiles = model[-1].predict_quantiles(model[:-1].transform(X[1000:]))
    below = (y[1000:, np.newaxis] < quantiles).mean(axis=0)
    assert_allclose(below, QUANTILES, atol=0.06)
    width = quantiles[:, 2] - quantiles[:, 0]
    assert np.corrcoef(width, spread[1001:])[0, 1] > 0.7


def test_one_in_a_list_is_a_single_one():
    single, listed = forecaster(quantile=0.7).fit(X, TWO), forecaster(quantile=[0.7]).fit(X, TWO)
    for one, other in zip(single.weights_, listed.weights_, strict=True):
        assert_array_equal(one, other)
    assert single.history_ == listed.history_


def test_a_single_one_is_learned_as_before():
    model = forecaster(quantile=0.7, units=2, shuffle=False).fit(X, ONE)
    assert_allclose(model.history_["loss"], SINGLE, rtol=1e-6)


@TARGETS
def test_metrics_are_of_the_median(y, engine):
    model = forecaster(engine=engine, metrics=["mae", "mse"], validation_split=0.5).fit(X, y)
    predicted = model.predict(X[30:])
    expected = mean_absolute_error(y[30:], predicted)
    assert_allclose(model.history_["val_mae"][-1], expected, rtol=1e-5)
    expected = np.square(y[30:] - predicted).mean()
    assert_allclose(model.history_["val_mse"][-1], expected, rtol=1e-5)


@pytest.mark.slow
def test_a_metric_of_labels_is_refused_by_keras():
    model = forecaster(metrics=["accuracy"], engine="keras")
    message = "metrics must be those of numbers with several quantiles, got 'accuracy'"
    with pytest.raises(ValueError, match=f"^{message}$"):
        model.fit(X, ONE)


@TARGETS
def test_the_score_is_that_of_the_median(y):
    model = forecaster().fit(X, y)
    assert model.score(X, y) == pytest.approx(r2_score(y, model.predict(X)))


def test_training_continues(engine):
    once = forecaster(engine=engine, epochs=4).fit(X, TWO)
    twice = forecaster(engine=engine, epochs=2, warm_start=True).fit(X, TWO).fit(X, TWO)
    by_epoch = forecaster(engine=engine)
    for _ in range(4):
        by_epoch.partial_fit(X, TWO)
    for other in (twice, by_epoch):
        assert_allclose(other.predict_quantiles(X), once.predict_quantiles(X), atol=1e-5)


@pytest.mark.parametrize("changes", [{"quantile": 0.5}, {"quantile": [0.5, 0.9]}])
def test_training_continues_with_as_many_quantiles(changes):
    model = forecaster(warm_start=True, quantile=QUANTILES).fit(X, TWO[:, [0, 0]])
    before = model.predict_quantiles(X)
    model.set_params(**changes)
    n_targets = 6 // np.size(changes["quantile"])
    with pytest.raises(ValueError) as refused:
        model.fit(X, np.repeat(TWO[:, :1], n_targets, axis=1))
    assert str(refused.value) == (
        "training must continue with as many quantiles, 3, but the parameters now require "
        f"{np.size(changes['quantile'])}"
    )
    assert_array_equal(model.predict_quantiles(X), before)


def test_early_stopping_keeps_the_best_epoch():
    settings = {"epochs": 60, "learning_rate": 0.3, "patience": 3, "early_stopping": True}
    model = forecaster(validation_split=0.5, **settings).fit(X, ONE)
    raw = model._outputs(X[30:])
    assert model.n_iter_ < 60
    assert_allclose(loss_of(ONE[30:], raw), min(model.history_["val_loss"]), rtol=1e-5)


def test_rows_of_zero_weight_and_unknown_targets_do_not_count():
    weight = np.r_[np.zeros(30), np.ones(30)]
    unknown = np.r_[np.full(30, np.nan), ONE[30:]]
    settings = {"shuffle": False, "batch_size": 30, "optimizer": "sgd"}
    weighted = forecaster(**settings).fit(X, ONE, sample_weight=weight)
    with pytest.warns(UserWarning, match="30 of 60 rows with a missing lag or target"):
        known = forecaster(**settings).fit(X[::-1], unknown[::-1])
    alone = forecaster(**settings).fit(X[30:], ONE[30:])
    assert_allclose(weighted.predict_quantiles(X), alone.predict_quantiles(X), atol=1e-5)
    assert known.n_iter_ == 3


def test_missing_lags_are_filled_as_for_predict():
    model = forecaster().fit(X, ONE)
    gaps = X.copy()
    gaps[3, 1], gaps[5] = np.nan, np.nan
    filled = gaps.copy()
    filled[3, 1] = gaps[3, 0]
    quantiles = model.predict_quantiles(gaps)
    assert_array_equal(quantiles[3], model.predict_quantiles(filled)[3])
    assert np.isnan(quantiles[5]).all()
    assert np.isnan(quantiles).sum() == 3


def test_a_state_goes_on_and_a_stream_predicts_the_median():
    model = forecaster(stateful=True, batch_size=1).fit(X[:40], TWO[:40])
    later = model.predict_quantiles(X[40:], initial_state="fit")
    assert not np.allclose(later, model.predict_quantiles(X[40:]))
    assert_array_equal(later[..., 1], model.predict(X[40:], initial_state="fit"))
    stream = pickle.loads(pickle.dumps(model.stream("fit")))
    assert_array_equal([stream.predict_next(x) for x in X[40:]], later[..., 1])


def test_several_targets_keep_their_units():
    rng = np.random.default_rng(2)
    series = np.column_stack([rng.normal(size=80), 1000.0 + 5.0 * rng.normal(size=80)])
    X, y = make_supervised(series, horizon=3)
    scaled = forecaster(window_scaling="last", target=[0, 1], epochs=10)
    model = make_pipeline(LookbackWindower(4), scaled).fit(X, y)
    quantiles = model[-1].predict_quantiles(model[:-1].transform(X))
    assert quantiles.shape == (len(X), 6, 3)
    assert (np.abs(quantiles[:, ::2]) < 20).all()
    assert (np.abs(quantiles[:, 1::2] - 1000.0) < 100).all()


def test_y_must_have_a_column_for_each_target():
    model = forecaster(window_scaling="last", features_per_step=2, target=[0, 1])
    model.set_params(quantile=[0.5, 0.9])
    message = (
        "^y must have a multiple of 2 columns, one for each target column in each step, got 3$"
    )
    with pytest.raises(ValueError, match=message):
        model.fit(X, np.column_stack([TWO, ONE]))


@pytest.mark.parametrize("window_scaling", [None, "last"])
@TARGETS
@pytest.mark.slow
def test_keras_models_predict_the_same_and_come_back(y, window_scaling, tmp_path):
    model = forecaster(metrics=["mae"], window_scaling=window_scaling)
    if window_scaling:
        model.set_params(features_per_step=y.size // 60, target=list(range(y.size // 60)))
    model.fit(X, y)
    made = model.to_keras()
    windows = X.reshape(60, -1, y.size // 60) if window_scaling else X[..., np.newaxis]
    expected = model._outputs(X)
    assert_allclose(made.predict(windows, verbose=0), expected, rtol=1e-4, atol=1e-5)
    raw = np.moveaxis(expected.reshape(60, 3, -1), 1, 2).reshape(*y.shape, 3)
    losses = [loss_of(y, raw), mean_absolute_error(y, model.predict(X))]
    assert_allclose(made.evaluate(windows, y, verbose=0), losses, rtol=1e-4)
    if window_scaling:
        return
    made.save(tmp_path / "made.keras")
    made.save(tmp_path / "made.h5")
    for source in (made, tmp_path / "made.keras", tmp_path / "made.h5"):
        again = LSTMForecaster.from_keras(source)
        assert (again.loss, again.quantile, again.metrics) == ("pinball", QUANTILES, ["mae"])
        assert_allclose(again.predict_quantiles(X), model.predict_quantiles(X), atol=1e-6)
        again.partial_fit(X, y)


@pytest.mark.slow
def test_keras_measures_a_single_quantile_row_by_row():
    model = forecaster(quantile=0.9).fit(X, ONE)
    loss = mean_pinball_loss(ONE, model.predict(X), alpha=0.9)
    made = model.to_keras()
    assert_allclose(made.evaluate(X[..., np.newaxis], ONE, verbose=0), loss, rtol=1e-4)
    again = LSTMForecaster.from_keras(made)
    assert (again.loss, again.quantile, again.quantiles_) == ("pinball", 0.9, (0.9,))


def test_what_is_set_after_the_fit_changes_no_prediction(tmp_path):
    model = forecaster().fit(X, ONE)
    quantiles = model.predict_quantiles(X)
    for changes in ({"quantile": 0.3}, {"loss": "mse"}):
        model.set_params(**changes)
        model.save(tmp_path / "model.h5")
        for each in (model, LSTMForecaster.load(tmp_path / "model.h5")):
            assert each.quantiles_ == tuple(QUANTILES)
            assert_array_equal(each.predict_quantiles(X), quantiles)
    single = forecaster(quantile=0.3).fit(X, ONE).set_params(quantile=0.7)
    single.save(tmp_path / "model.h5")
    assert LSTMForecaster.load(tmp_path / "model.h5").quantiles_ == (0.3,)


@pytest.mark.parametrize("store", [joblib, pickle], ids=["joblib", "pickle"])
def test_pickles_come_back(store, tmp_path):
    model = forecaster().fit(X, TWO)
    with open(tmp_path / "model", "wb") as file:
        store.dump(model, file)
    with open(tmp_path / "model", "rb") as file:
        loaded = store.load(file)
    assert_array_equal(loaded.predict_quantiles(X), model.predict_quantiles(X))


def test_a_pickle_without_the_quantiles_has_those_of_the_parameters():
    model = forecaster(quantile=0.9).fit(X, ONE)
    state = dict(model.__getstate__())
    del state["quantiles_"]
    earlier = LSTMForecaster.__new__(LSTMForecaster)
    earlier.__setstate__(state)
    assert earlier.quantiles_ == (0.9,)
    assert_array_equal(earlier.predict_quantiles(X)[:, 0], model.predict(X))


def test_a_skops_file_comes_back(tmp_path):
    pytest.importorskip("skops")
    model = make_pipeline(LookbackWindower(2), forecaster()).fit(X, ONE)
    save_model(model, tmp_path / "model.skops")
    loaded = load_model(tmp_path / "model.skops")
    windows = model[:-1].transform(X)
    assert_array_equal(loaded[-1].predict_quantiles(windows), model[-1].predict_quantiles(windows))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"quantiles_": (0.5, 0.9)}, "outputs cannot predict the quantiles (0.5, 0.9)"),
        ({"quantiles_": (0.5, 0.1, 0.9)}, "quantile must hold each number once"),
        ({"quantiles_": (0.1, 0.2, 0.9)}, "quantile must hold 0.5, the median"),
        ({"_y_ndim": 2}, None),
        ({"quantiles_": (), "_y_ndim": 1}, "cannot predict y of 1 dimensions"),
    ],
)
def test_quantiles_that_do_not_fit_the_network_are_not_stored(changes, message, tmp_path):
    pytest.importorskip("skops")
    model = forecaster().fit(X, ONE)
    vars(model).update(changes)
    for store in (model.save, lambda path: save_model(model, path)):
        if message is None:
            store(tmp_path / "model.h5")
            continue
        with pytest.raises(ModelFileError) as refused:
            store(tmp_path / "model.h5")
        assert message in str(refused.value)


def test_a_search_can_choose_them():
    grid = {"quantile": [0.5, QUANTILES, (0.25, 0.5, 0.75)]}
    search = GridSearchCV(forecaster(), grid, cv=TimeSeriesSplit(2)).fit(X, ONE)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_estimator_.quantile in grid["quantile"]


def test_they_are_a_parameter_like_others():
    model = forecaster()
    assert clone(model).get_params()["quantile"] == QUANTILES
    assert "quantile=[0.1, 0.5, 0.9]" in repr(model)
    given = np.array(QUANTILES)
    assert model.set_params(quantile=given).quantile is given
    assert model.fit(X, ONE).quantile is given


@pytest.mark.parametrize(
    ("quantile", "message"),
    [
        (1.0, "quantile must be a number in (0, 1), got 1.0"),
        (None, "quantile must be a number in (0, 1), got None"),
        ([], "quantile must hold numbers in (0, 1), got []"),
        ([0.5, 1], "quantile must hold numbers in (0, 1), got [0.5, 1]"),
        ([0.5, float("nan")], "quantile must hold numbers in (0, 1), got [0.5, nan]"),
        ([0.5, "0.9"], "quantile must hold numbers in (0, 1), got [0.5, '0.9']"),
        ([0.9, 0.5], "quantile must hold each number once, the smallest first, got [0.9, 0.5]"),
        (
            [0.1, 0.5, 0.5],
            "quantile must hold each number once, the smallest first, got [0.1, 0.5, 0.5]",
        ),
        (
            [0.1, 0.9],
            "quantile must hold 0.5, the median, which is what predict returns, got [0.1, 0.9]",
        ),
        ("0.5", "quantile must be a number in (0, 1) or a list of them, got '0.5'"),
        ({0.5}, "quantile must be a number in (0, 1) or a list of them, got {0.5}"),
    ],
)
def test_what_are_no_quantiles_is_named(quantile, message):
    for loss in ("pinball", "mse"):
        with pytest.raises(ValueError) as refused:
            forecaster(quantile=quantile, loss=loss).fit(X, ONE)
        assert str(refused.value) == message


def test_another_loss_learns_none():
    with pytest.raises(ValueError) as refused:
        forecaster(loss="mse").fit(X, ONE)
    assert str(refused.value) == (
        "quantile must be a number unless loss='pinball', which alone learns several, got "
        "[0.1, 0.5, 0.9]"
    )


def test_only_who_learned_quantiles_predicts_them():
    mean = LSTMForecaster(epochs=1)
    assert not hasattr(mean, "predict_quantiles")
    mean.fit(X, ONE).set_params(loss="pinball")
    with pytest.raises(AttributeError, match="has no attribute 'predict_quantiles'") as refused:
        mean.predict_quantiles(X)
    mean.set_params(loss="mse")
    with pytest.raises(AttributeError) as refused:
        mean.predict_quantiles(X)
    assert str(refused.value.__cause__) == (
        "predict_quantiles needs quantiles, which only loss='pinball' learns, got loss='mse'"
    )
    assert mean.quantiles_ == ()
    assert hasattr(forecaster(), "predict_quantiles")
    assert hasattr(forecaster().fit(X, ONE).set_params(loss="mse"), "predict_quantiles")
    assert not hasattr(LSTMClassifier(), "predict_quantiles")
