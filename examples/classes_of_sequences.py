"""
What is being done? Classes of sequences
========================================

A sensor at the wrist tells 25 times in a second how it is accelerated. What does the person do:
rest, walk or run? :class:`~skl_lstm.LSTMClassifier` reads the last two seconds and answers at
every moment.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import ConfusionMatrixDisplay, accuracy_score
from sklearn.pipeline import make_pipeline

from skl_lstm import LookbackWindower, LossCurveDisplay, LSTMClassifier

# %%
# Eight recordings
# ----------------
#
# Each recording is a minute: each activity twice, for ten seconds. Two axes are recorded, and
# how the sensor sits at the wrist differs from recording to recording, so that no single value
# tells the activity; the rhythm does.

HERTZ, SECONDS = 25, 60
STEPS = {"rest": (0.0, 0.0), "walk": (1.8, 1.0), "run": (2.7, 1.6)}  # per second, and how strong


def record(number: int) -> pd.DataFrame:
    """Make up a recording: two axes, and what was being done."""
    rng = np.random.default_rng(number)
    activities = np.repeat(rng.permutation([*STEPS, *STEPS]), 10 * HERTZ)
    rhythm, strength = np.array([STEPS[activity] for activity in activities]).T
    phase = 2 * np.pi * np.cumsum(rhythm * rng.uniform(0.9, 1.1)) / HERTZ
    swing = strength * np.sin(phase)
    stride = strength * np.sin(phase / 2 + rng.uniform(0, 6)) / 2
    noise = rng.normal(0, 0.5, (2, len(phase)))
    turn = rng.uniform(0, 2 * np.pi)
    return pd.DataFrame(
        {
            "x": np.cos(turn) * swing - np.sin(turn) * stride + noise[0],
            "y": np.sin(turn) * swing + np.cos(turn) * stride + noise[1],
            "activity": activities,
        },
        index=pd.RangeIndex(len(phase), name="step"),
    )


recordings = pd.concat(
    {number: record(number) for number in range(8)}, names=["recording", "step"]
)
train, test = recordings.loc[:5], recordings.loc[6:]
train["activity"].value_counts()

# %%
# Windows of two seconds
# ----------------------
#
# ``group`` keeps the windows within a recording. A row's class is what is being done at its end;
# there is nothing to shift, so no ``make_supervised``.

model = make_pipeline(
    LookbackWindower(look_back=2 * HERTZ, group="recording"),
    LSTMClassifier(units=16, epochs=8, batch_size=64, learning_rate=0.005, random_state=0),
)
model.fit(train[["x", "y"]], train["activity"])
losses = LossCurveDisplay.from_estimator(model)

# %%
# Two recordings that it has not seen
# -----------------------------------
#
# Many of the errors are in the second after a change, when most of the window still belongs to
# the activity before.

said = model.predict(test[["x", "y"]])
accuracy = accuracy_score(test["activity"], said)
print(f"{100 * accuracy:.0f} % are right")
assert accuracy > 0.8

figure, ax = plt.subplots(figsize=(4.4, 4), layout="constrained")
confusion = ConfusionMatrixDisplay.from_predictions(
    test["activity"],
    said,
    labels=list(STEPS),
    normalize="true",
    cmap="Blues",
    values_format=".0%",
    colorbar=False,
    ax=ax,
)

# %%
# Probabilities over time
# -----------------------
#
# At each step the classifier gives a probability of each activity. Below the recording, the
# areas show what it takes for how probable, and the bar between shows what was really done.

# sphinx_gallery_thumbnail_number = 3
colors = dict(zip(STEPS, ["#56B4E9", "#E69F00", "#D55E00"], strict=True))
one = test.loc[7]
probabilities = model.predict_proba(test[["x", "y"]])[-len(one) :]
by_class = dict(zip(model.classes_, probabilities.T, strict=True))
seconds = one.index / HERTZ

figure, (above, truth, below) = plt.subplots(
    3, figsize=(10, 5), sharex=True, height_ratios=(4, 0.5, 4), layout="constrained"
)
for axis, gray in {"x": "0.2", "y": "0.65"}.items():
    above.plot(seconds, one[axis], color=gray, linewidth=0.8, label=axis)
above.set_ylabel("acceleration")
truth.vlines(seconds, 0, 1, colors=[colors[activity] for activity in one["activity"]])
truth.set(yticks=[], ylim=(0, 1))
truth.set_ylabel("truth", rotation=0, ha="right", va="center")
below.stackplot(
    seconds, [by_class[name] for name in colors], labels=list(colors), colors=list(colors.values())
)
below.set(xlabel="seconds", ylabel="probability", xlim=(0, SECONDS), ylim=(0, 1))
legend = figure.legend(loc="outside upper right", ncols=5)
