"""Pictures write out their numbers, and need matplotlib, a fitted model and no backend."""

import re
import subprocess
import sys

import pytest
from numpy.testing import assert_allclose
from pictures import linear
from sklearn.exceptions import NotFittedError

from skl_lstm import ForecastDisplay, LossCurveDisplay, LSTMForecaster, make_supervised


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6, 1e12])
def test_values_of_any_size_are_written_out_beside_the_axis(scale, series):
    forecasts = ForecastDisplay.from_predictions(series * scale)
    losses = LossCurveDisplay.from_histories({"a": {"loss": [2.0 * scale, scale]}})
    for display in (forecasts, losses):
        display.figure_.draw_without_rendering()
        axis = display.ax_.yaxis
        assert axis.get_offset_text().get_text() == ""
        shown = [label.get_text().replace(",", "") for label in axis.get_ticklabels()]
        assert_allclose(
            [float(text.replace("\u2212", "-")) for text in shown], axis.get_ticklocs()
        )


def test_an_unfitted_model_is_not_drawn(series):
    with pytest.raises(NotFittedError):
        ForecastDisplay.from_estimator(linear(), *make_supervised(series))
    with pytest.raises(NotFittedError):
        LossCurveDisplay.from_estimator(LSTMForecaster())


def test_without_matplotlib_its_name_is_told(series, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    message = 'ForecastDisplay needs matplotlib: pip install "skl-lstm[plot]"'
    with pytest.raises(ImportError, match=re.escape(message)):
        ForecastDisplay.from_predictions(series)
    with pytest.raises(ImportError, match="LossCurveDisplay needs matplotlib"):
        LossCurveDisplay.from_histories({"a": {"loss": [1.0]}})


@pytest.mark.slow
def test_drawing_leaves_the_backend_that_was_chosen():
    program = (
        "import matplotlib\n"
        "matplotlib.use('svg')\n"
        "import sys, skl_lstm\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
        "skl_lstm.LossCurveDisplay.from_histories({'a': {'loss': [1.0]}})\n"
        "assert matplotlib.get_backend() == 'svg'\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
