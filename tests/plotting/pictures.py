"""Models to draw, and what is seen in a picture, for the tests of pictures."""

from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline

from skl_lstm import LookbackWindower, make_supervised

N_TRAIN = 100


def linear():
    return make_pipeline(LookbackWindower(12, padding="edge"), LinearRegression())


def fitted_on(series, horizon=1, n_train=N_TRAIN):
    X, y = make_supervised(series, horizon=horizon)
    return linear().fit(X[:n_train], y[:n_train]), X, y


def points(line):
    return line.get_xdata(orig=True), line.get_ydata()


def names(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]
