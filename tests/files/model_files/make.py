"""Write the model files of the present format that tests keep for ever, and what they predict.

Run once, when the format is new (`python tests/files/model_files/make.py`); the files of a format
are never written again, since they stand for those that people have.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from skl_lstm import LSTMClassifier, LSTMForecaster
from skl_lstm.files.model_file import FORMAT

HERE = Path(__file__).parent


def rows():
    """Give windows of two series at three steps, six values ahead and three labels."""
    t = np.arange(24.0)
    X = np.column_stack(
        [np.sin(t), np.cos(t / 2), np.sin(t + 1), np.cos(t), np.sin(t / 3), t / 24]
    )
    y = np.column_stack([np.sin(t + 2), np.cos(t + 1)])
    labels = np.array(["falls", "rests", "rises"])[np.digitize(y[:, 0], [-0.5, 0.5])]
    return pd.DataFrame(X, columns=list("abcdef")), y, labels


def models():
    """Fit what between them has all that a file can hold."""
    X, y, labels = rows()
    forecaster = LSTMForecaster(
        units=(4, 3),
        features_per_step=2,
        dropout=0.1,
        stateful=True,
        optimizer="sgd",
        optimizer_kwargs={"momentum": 0.9},
        metrics=["mae"],
        validation_split=0.25,
        epochs=5,
        batch_size=2,
        random_state=0,
    )
    classifier = LSTMClassifier(
        units=5, reshape_mode="features", class_weight={"rests": 2.0}, epochs=5, random_state=1
    )
    scaled = LSTMForecaster(
        units=4,
        dense_units=(5, 3),
        dense_activation="tanh",
        hidden_activation="relu",
        features_per_step=2,
        window_scaling="standard",
        target="f",
        epochs=5,
        batch_size=8,
        random_state=2,
    )
    yield "forecaster", forecaster.fit(X, y), X
    general = LSTMForecaster(
        units=(3, 2),
        cell="gru",
        bidirectional=True,
        all_steps=True,
        l2=0.01,
        features_per_step=2,
        epochs=5,
        batch_size=8,
        random_state=3,
    )
    yield "general", general.fit(X, y), X
    yield "scaled", scaled.fit(X, y), X
    yield "classifier", classifier.fit(X.to_numpy(), labels), X.to_numpy()


def main():
    """Write them."""
    for name, model, X in models():
        path = HERE / f"{name}_{FORMAT}.h5"
        if path.exists():
            raise SystemExit(f"{path.name} is there: a file of a format is written once")
        model.save(path)
        predicted = {"predictions": model.predict(X).tolist(), "loss": model.history_["loss"]}
        path.with_suffix(".json").write_text(json.dumps(predicted) + "\n")


if __name__ == "__main__":
    main()
