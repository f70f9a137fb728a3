"""
From training to a service
==========================

Train a model, save it to a file, load it where forecasts are wanted, and go on training when new
values come. At the end the same model runs without this package, as ONNX.
"""

import importlib.util
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.pipeline import make_pipeline

from skl_lstm import (
    ForecastDisplay,
    LookbackWindower,
    LossCurveDisplay,
    LSTMForecaster,
    load_airline_passengers,
    load_model,
    make_supervised,
    save_model,
    to_onnx,
)

# %%
# Train and save
# --------------
#
# What is known today ends with 1957; the last three years come later. The file holds the whole
# model, every step of it, and no code: it is safe to load from anywhere.

series = load_airline_passengers()
known = series[:"1957-12"]
temporary = tempfile.TemporaryDirectory()
folder = Path(temporary.name)

X, y = make_supervised(known)
model = make_pipeline(
    LookbackWindower(look_back=12),
    LSTMForecaster(window_scaling="standard", random_state=0),
).fit(X, y)
save_model(model, folder / "airline.skops")
print((folder / "airline.skops").stat().st_size // 1024, "KB")

# %%
# A service
# ---------
#
# This runs in a process of its own, which gets the latest values and answers with the next ones.
# It loads neither Keras nor the compiler of the training kernel.

SERVICE = """
import sys
import pandas as pd
from skl_lstm import forecast, load_model

model = load_model(sys.argv[1])
history = pd.read_csv(sys.stdin, index_col=0, parse_dates=True)
forecast(model, history, steps=3).round(1).to_csv(sys.stdout)
assert not {"keras", "tensorflow", "numba"} & set(sys.modules)
"""
answer = subprocess.run(
    [sys.executable, "-c", SERVICE, str(folder / "airline.skops")],
    input=known[-24:].to_csv(),
    capture_output=True,
    text=True,
    check=True,
).stdout
print(answer)
assert len(answer.splitlines()) == 1 + 3

# %%
# New values: go on training
# --------------------------
#
# Each month one more value is known. With ``warm_start`` a fit goes on from the weights and the
# state of the optimizer where the last one ended, here for ten epochs rather than a hundred. The
# prediction of a month is made before its value is known.

service = load_model(folder / "airline.skops")
service.set_params(lstmforecaster__warm_start=True, lstmforecaster__epochs=10)
later = series[len(known) :]
going_on = pd.Series(np.nan, index=later.index)
for month in later.index:
    so_far = series[series.index < month]
    if len(so_far) > len(known):
        service.fit(*make_supervised(so_far))
    going_on[month] = service.predict(so_far.to_frame()[-1:])[0]
save_model(service, folder / "airline.skops")  # replaces the old file in one step

# %%
# The model that was never trained on has seen as little of the later years as when it was saved.

left_alone = pd.Series(model.predict(series.to_frame())[len(known) - 1 : -1], index=later.index)
errors = {
    name: (predicted - later).abs().mean()
    for name, predicted in {"left alone": left_alone, "trained on": going_on}.items()
}
print(", ".join(f"{name}: mean absolute error {error:.1f}" for name, error in errors.items()))
assert errors["trained on"] < errors["left alone"]

picture = ForecastDisplay.from_predictions(series, predicted=going_on, n_history=84)

# %%
# Its losses, of the first fit and of all that followed:

losses = LossCurveDisplay.from_estimator(service)

# %%
# For rows that arrive in large numbers there is ``partial_fit``: one more pass over the given
# rows alone. It is a method of the network, which takes windows.

windows = LookbackWindower(look_back=12).fit_transform(X)
network = LSTMForecaster(window_scaling="standard", random_state=0)
for _ in range(3):
    network.partial_fit(windows, y)
assert network.n_iter_ == 3

# %%
# Without Python: ONNX
# --------------------
#
# The same model as a graph for ONNX Runtime, from raw values to passengers: its window takes the
# last twelve values.

if importlib.util.find_spec("onnx") and importlib.util.find_spec("onnxruntime"):
    import onnxruntime

    to_onnx(service, folder / "airline.onnx")
    session = onnxruntime.InferenceSession(folder / "airline.onnx")
    rows = series.to_numpy(dtype=float)[-12:, np.newaxis]
    following = np.asarray(session.run(["forecast"], {"rows": rows})[0])
    here = service.predict(series.to_frame())[-1]
    print(f"ONNX Runtime {following[-1, 0]:.3f}, here {here:.3f}")
    assert np.isclose(following[-1, 0], here, rtol=1e-5)

temporary.cleanup()
