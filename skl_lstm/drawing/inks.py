"""Colors that are told apart with color blindness, in gray, and on light and dark paper."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from skl_lstm.drawing.panels import figure_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Okabe and Ito (2008), "Color universal design".
ORANGE, SKY, GREEN, YELLOW = "#E69F00", "#56B4E9", "#009E73", "#F0E442"
BLUE, VERMILION, PURPLE = "#0072B2", "#D55E00", "#CC79A7"


@dataclass(frozen=True)
class Inks:
    """The colors of a picture.

    Parameters
    ----------
    text : str
        That of the axes' own labels, in which known values are drawn.
    forecast, predicted, fitted : str
        Those of what a model says, of the future, of rows held out and of rows trained on.
    models : tuple of str
        Those of several models.
    band, shading : float
        How opaque an interval is, and the shading of a part of the time, from 0 to 1.
    """

    text: Any
    forecast: str
    predicted: str
    fitted: str
    models: tuple[str, ...]
    band: float
    shading: float

    @classmethod
    def of(cls, ax: Axes) -> Inks:
        """Return the inks that are seen on the background of these axes."""
        text = ax.xaxis.label.get_color()
        if _is_dark(ax):
            models = (SKY, ORANGE, GREEN, PURPLE, YELLOW, VERMILION)
            return cls(text, SKY, ORANGE, GREEN, models, band=0.35, shading=0.16)
        models = (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)
        return cls(text, BLUE, VERMILION, SKY, models, band=0.22, shading=0.08)


# Beside its color, each model has a marker, and dashes: solid, dashed, dash-dotted, dotted …
MARKERS = ("o", "s", "^", "D", "v", "P")
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (5, 1.5, 1, 1.5)), (0, (1.2, 1.2)))


def model_styles(names: Iterable[Any], inks: Inks) -> dict[Any, dict[str, Any]]:
    """Return color, marker and dashes of each of several models, by its name."""
    return {
        name: {
            "color": inks.models[i % len(inks.models)],
            "marker": MARKERS[i % len(MARKERS)],
            "linestyle": DASHES[i % len(DASHES)],
        }
        for i, name in enumerate(names)
    }


def _is_dark(ax: Axes) -> bool:
    """Return whether the background is nearer to black than to white."""
    from matplotlib.colors import to_rgba

    red, green, blue, opaque = to_rgba(ax.get_facecolor())
    if not opaque:
        red, green, blue, opaque = to_rgba(figure_of(ax).get_facecolor())
    return bool(opaque) and 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
