"""What sphinx-gallery needs by name: the order of the examples, and what precedes each."""

from typing import Any

from sphinx_gallery.sorting import ExplicitOrder

from skl_lstm import load_kernel

FIRST_TO_LAST = [
    "airline.py",
    "coming_from_keras.py",
    "in_an_existing_pipeline.py",
    "hourly_load.py",
    "thirty_shops.py",
    "search_for_twelve_months.py",
    "classes_of_sequences.py",
    "production.py",
    "partitions_with_dask.py",
    "*",  # those that are not in this list
]


class GalleryOrder(ExplicitOrder):
    """The place of an example by its file name."""

    def __init__(self, src_dir: str) -> None:
        super().__init__(FIRST_TO_LAST)


def load_kernel_before(gallery_conf: dict[str, Any], fname: str) -> None:
    """Compile the training kernel, so that no example says that it does."""
    load_kernel()
