"""The classifier: probabilities, labels of any type, weights, and scikit-learn around it."""

import re

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import (
    GridSearchCV,
    StratifiedKFold,
    cross_val_score,
    train_test_split,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, OneHotEncoder

from skl_lstm import LookbackWindower, LSTMClassifier, load_airline_passengers
from skl_lstm.training.state import TrainingState

QUICK = {"units": 4, "epochs": 2, "random_state": 0}
RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 5)).cumsum(axis=1)
RISES = X[:, -1] > X[:, 0]
THIRDS = np.digitize(X[:, -1], [-1.0, 1.0])


def classifier(**parameters):
    return LSTMClassifier(**{**QUICK, **parameters})


@pytest.mark.parametrize(
    "labels",
    [
        np.where(RISES, "up", "down"),
        np.where(RISES, "up", "down").astype(object),
        RISES,
        RISES.astype(int) * 7 - 3,
        RISES.astype(float),
        THIRDS,
        np.array(["low", "middle", "high"])[THIRDS],
    ],
    ids=lambda labels: f"{labels.dtype} {len(np.unique(labels))} classes",
)
def test_labels_of_any_type(labels):
    model = classifier(epochs=60, learning_rate=0.05).fit(X, labels)
    assert_array_equal(model.classes_, np.unique(labels))
    predicted = model.predict(X)
    assert predicted.dtype == labels.dtype
    assert np.mean(predicted == labels) > 0.9
    assert model.score(X, labels) == np.mean(predicted == labels)


@pytest.mark.parametrize("y", [RISES, THIRDS], ids=["two", "three"])
def test_probabilities_scores_and_classes_agree(y):
    model = classifier(epochs=20).fit(X, y)
    probabilities, scores = model.predict_proba(X), model.decision_function(X)
    assert probabilities.shape == (60, len(np.unique(y)))
    assert_allclose(probabilities.sum(axis=1), 1.0, rtol=1e-12)
    assert_array_equal(model.predict(X), model.classes_[probabilities.argmax(axis=1)])
    if scores.ndim == 1:
        assert_allclose(probabilities[:, 1], 1.0 / (1.0 + np.exp(-scores)), atol=1e-6)
    else:
        exponentials = np.exp(scores)
        softmax = exponentials / exponentials.sum(axis=1, keepdims=True)
        assert_allclose(probabilities, softmax, atol=1e-6)
    assert model.predict_proba(X.astype(np.float32)).dtype == np.float32


@pytest.mark.slow
@pytest.mark.parametrize("y", [RISES, THIRDS], ids=["two", "three"])
@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 0.5, 1: 2.0}])
def test_weights_end_where_plain_keras_ends(y, class_weight, engine):
    keras = pytest.importorskip("keras")
    from sklearn.utils.class_weight import compute_sample_weight

    y = y.astype(int)
    ours = classifier(
        engine=engine, epochs=5, shuffle=False, batch_size=16, class_weight=class_weight
    ).fit(X, y)

    n_outputs = 1 if y.max() == 1 else 3
    model = keras.Sequential([keras.Input((5, 1)), keras.layers.LSTM(4)])
    model.add(keras.layers.Dense(n_outputs, "sigmoid" if n_outputs == 1 else "softmax"))
    start = TrainingState.fresh(ours.network_, ours.seed_)
    model.set_weights(ours.network_.views(start.parameters))
    kind = "binary_crossentropy" if n_outputs == 1 else "sparse_categorical_crossentropy"
    model.compile("adam", kind)
    weight = compute_sample_weight(class_weight, y) if class_weight else None
    model.fit(
        X[..., np.newaxis],
        y,
        sample_weight=weight,
        epochs=5,
        batch_size=16,
        shuffle=False,
        verbose=0,
    )
    for our_part, their_part in zip(ours.weights_, model.get_weights(), strict=True):
        assert_allclose(our_part, their_part, atol=1e-5)
    theirs = model.predict(X[..., np.newaxis], verbose=0)
    assert_allclose(ours.predict_proba(X)[:, -n_outputs:], theirs, atol=1e-5)


def test_class_weight_multiplies_sample_weight():
    weight = np.linspace(0.5, 2.0, 60)
    both = classifier(class_weight={True: 3.0}).fit(X, RISES, sample_weight=weight)
    by_hand = classifier().fit(X, RISES, sample_weight=weight * np.where(RISES, 3.0, 1.0))
    assert_allclose(both.weights_[0], by_hand.weights_[0], atol=1e-7)


@pytest.mark.parametrize(("class_weight", "share"), [(None, 4 / 60), ("balanced", 0.5)])
def test_where_nothing_tells_the_classes_apart_their_weights_do(class_weight, share):
    rare, nothing = np.arange(60) % 15 == 0, np.ones((60, 5))
    model = classifier(epochs=200, learning_rate=0.05, class_weight=class_weight)
    assert_allclose(model.fit(nothing, rare).predict_proba(nothing)[:, 1], share, atol=0.03)


@pytest.mark.parametrize("y", [RISES, THIRDS], ids=["two", "three"])
def test_accuracy_stands_in_the_history(y, engine):
    model = classifier(engine=engine, metrics=["accuracy"], validation_split=0.25).fit(X, y)
    assert_allclose(model.history_["val_accuracy"][-1], model.score(X[45:], y[45:]), atol=1e-6)
    assert len(model.history_["accuracy"]) == 2


def test_a_loss_of_the_users_choice(engine):
    model = classifier(engine=engine, loss="mse", epochs=5).fit(X, THIRDS)
    one_hot = np.eye(3)[THIRDS]
    losses = model.partial_fit(X, THIRDS).history_["loss"]
    assert losses[-1] < losses[0]
    assert abs(np.mean((model.predict_proba(X) - one_hot) ** 2) - losses[-1]) < 0.05


def test_handwritten_digits_read_row_by_row():
    images, digits = load_digits(return_X_y=True)
    train, test, train_digits, test_digits = train_test_split(
        images / 16, digits, test_size=0.25, random_state=0, stratify=digits
    )
    model = LSTMClassifier(
        units=32, features_per_step=8, epochs=40, learning_rate=0.005, random_state=0
    ).fit(train, train_digits)
    assert model.network_.n_steps == 8
    assert model.engine_ == "native"
    assert model.score(test, test_digits) >= 0.95


@pytest.mark.slow
def test_stacked_and_stateful_with_dropout(engine):
    model = classifier(
        engine=engine,
        units=(4, 3),
        stateful=True,
        batch_size=4,
        dropout=0.1,
        recurrent_dropout=0.1,
    ).fit(X, THIRDS)
    theirs = model.to_keras().predict(X[..., np.newaxis], batch_size=1, verbose=0)
    assert_allclose(model.predict_proba(X), theirs, atol=1e-5)
    following = model.predict_proba(X[50:], initial_state="fit")
    assert not np.allclose(following, model.predict_proba(X[50:]))
    assert_array_equal(
        model.predict(X[50:], initial_state="fit"), model.classes_[following.argmax(axis=1)]
    )
    assert_allclose(
        model.decision_function(X[50:], initial_state="fit").argmax(axis=1),
        following.argmax(axis=1),
    )


def test_a_search_by_area_under_the_curve():
    search = GridSearchCV(
        classifier(epochs=20, learning_rate=0.05),
        {"units": [2, 6]},
        scoring="roc_auc",
        cv=StratifiedKFold(3),
    ).fit(X, RISES)
    assert search.best_score_ > 0.9
    score = roc_auc_score(RISES, search.decision_function(X))
    assert_allclose(score, roc_auc_score(RISES, search.predict_proba(X)[:, 1]), atol=1e-3)
    several = cross_val_score(
        classifier(epochs=20, learning_rate=0.05), X, THIRDS, scoring="roc_auc_ovr", cv=3
    )
    assert np.isfinite(several).all()


@pytest.mark.parametrize("method", ["sigmoid", "isotonic"])
def test_probabilities_can_be_calibrated(method):
    model = CalibratedClassifierCV(classifier(epochs=20), method=method, cv=3).fit(X, RISES)
    assert_allclose(model.predict_proba(X).sum(axis=1), 1.0)
    assert model.score(X, RISES) > 0.7


def test_behind_windows_of_a_series():
    growth = np.diff(np.log(load_airline_passengers()))
    series, rises = growth[:-1, np.newaxis], growth[1:] > 0
    model = make_pipeline(
        MinMaxScaler(), LookbackWindower(12), classifier(epochs=100, learning_rate=0.02)
    ).fit(series[:100], rises[:100])
    assert model.predict(series).shape == (142,)
    assert model.score(series[100:], rises[100:]) > 0.85
    changed = series.copy()
    changed[120:] *= -2.0
    assert_array_equal(model.predict_proba(changed)[:120], model.predict_proba(series)[:120])


def test_training_goes_on(engine):
    settings = {"engine": engine, "shuffle": False, "batch_size": 16}
    once = classifier(**settings, epochs=4).fit(X, THIRDS)
    twice = classifier(**settings, warm_start=True).fit(X, THIRDS).fit(X, THIRDS)
    by_epoch = classifier(**settings)
    for _ in range(4):
        by_epoch.partial_fit(X, THIRDS)
    for other in (twice, by_epoch):
        assert_allclose(other.weights_[0], once.weights_[0], atol=1e-6)
        assert other.n_iter_ == 4


def test_all_classes_may_be_named_before_they_come():
    model = classifier().partial_fit(X[THIRDS < 2], THIRDS[THIRDS < 2], classes=[2, 0, 1])
    assert_array_equal(model.classes_, [0, 1, 2])
    assert model.partial_fit(X, THIRDS).predict_proba(X).shape == (60, 3)
    assert model.partial_fit(X[:1], THIRDS[:1], classes=[0, 1, 2]).n_iter_ == 3


def test_a_one_hot_encoder_before_must_give_dense_data():
    symbols, rises = np.array([["a", "b"], ["b", "a"], ["a", "a"]]), [True, False, False]
    with pytest.raises(TypeError, match="X must be dense, got sparse data: set sparse_output=Fal"):
        make_pipeline(OneHotEncoder(), classifier()).fit(symbols, rises)
    model = make_pipeline(OneHotEncoder(sparse_output=False), classifier()).fit(symbols, rises)
    with pytest.raises(TypeError, match="X must be dense, got sparse data: set sparse_output=Fal"):
        model[-1].predict(OneHotEncoder().fit_transform(symbols))


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.zeros(60), "y must hold at least two classes, got one class: 0.0"),
        (["one"] * 60, "y must hold at least two classes, got one class: one"),
        (X[:, 0], "Unknown label type: continuous"),
        (None, "This LSTMClassifier estimator requires y to be passed"),
        ([], "y must hold a label for each row of X, got none"),
        (RISES[:-1], "inconsistent numbers of samples: [60, 59]"),
        (np.eye(3)[THIRDS], "y should be a 1d array, got an array of shape (60, 3)"),
    ],
)
def test_bad_labels_are_named(y, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        classifier().fit(X, y)


@pytest.mark.parametrize("class_weight", ["even", 3])
def test_a_bad_class_weight_is_named(class_weight):
    with pytest.raises(ValueError, match=f"class_weight.* Got {class_weight!r} instead"):
        classifier(class_weight=class_weight).fit(X, RISES)


@pytest.mark.parametrize(
    ("y", "loss"),
    [
        (RISES, "categorical_crossentropy"),
        (THIRDS, "sparse_categorical_crossentropy"),
    ],
)
def test_a_cross_entropy_for_other_targets_is_refused(y, loss):
    with pytest.raises(ValueError, match=f"loss must be 'auto' or .* got '{loss}'"):
        classifier(loss=loss).fit(X, y)


def test_one_call_of_partial_fit_cannot_tell_what_is_balanced():
    with pytest.raises(ValueError, match=r"class_weight must be a dict or None in partial_fit"):
        classifier(class_weight="balanced").partial_fit(X, RISES)


def test_labels_that_cannot_be_sorted_are_named():
    with pytest.raises(TypeError, match="y must hold labels that can be sorted"):
        classifier().fit(X, np.array(["a", 1] * 30, dtype=object))


def test_labels_that_come_too_late_are_named():
    model = classifier(warm_start=True).fit(X, THIRDS)
    late = np.where(THIRDS == 2, 5, THIRDS)
    for goes_on in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match=re.escape("y holds the labels [5], which are not")):
            goes_on(X, late)
    with pytest.raises(ValueError, match=re.escape("classes must be those of the first call")):
        model.partial_fit(X, THIRDS, classes=[0, 1])
    assert model.n_iter_ == 2


def test_labels_never_seen_count_as_wrong_as_scikit_learn_has_it():
    model = classifier(epochs=60, learning_rate=0.05).fit(X, RISES.astype(int))
    unseen = np.full(60, 9)
    assert model.score(X, unseen) == 0.0
    with pytest.raises(ValueError, match="labels"):
        log_loss(THIRDS, model.predict_proba(X))


def test_a_row_of_which_nothing_is_known_has_no_class():
    model = classifier().fit(X, RISES)
    gap = X.copy()
    gap[7] = np.nan
    assert np.isnan(model.predict_proba(gap)[7]).all()
    assert np.isnan(model.decision_function(gap)[7])
    with pytest.raises(ValueError, match="X has 1 rows with no known value, the first is"):
        model.predict(gap)


@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function"])
def test_an_unfitted_classifier_says_so(method):
    with pytest.raises(NotFittedError, match="This LSTMClassifier instance is not fitted yet"):
        getattr(classifier(), method)(X)


def test_a_clone_has_the_same_parameters():
    model = classifier(class_weight="balanced", units=(3, 2), metrics=["accuracy"])
    assert clone(model).get_params() == model.get_params()
    assert "quantile" not in model.get_params()
