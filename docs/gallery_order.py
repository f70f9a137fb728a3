"""The order of the examples in the gallery: from the first steps to the special."""

from sphinx_gallery.sorting import ExplicitOrder

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
