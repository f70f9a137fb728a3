"""The documentation, built by ``python -m sphinx -W --keep-going docs docs/_build/html``."""

import importlib.metadata
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))  # for gallery_settings too
from tables import pages

project = "skl_lstm"
author = "The skl_lstm developers"
copyright = author
version = release = importlib.metadata.version("skl-lstm")

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "_generated", "figures", "templates"]
nitpicky = True
# The inventories of other projects are on the web, and the build needs none.
nitpick_ignore_regex = [("py:.*", r"(copy|matplotlib|numpy|pandas|sklearn)\..*")]
default_role = "literal"
smartquotes = False  # code is quoted in types too

myst_enable_extensions = ["colon_fence", "deflist", "substitution"]
myst_substitutions = pages.write()  # what the pages of benchmarks/ say of its figures
myst_heading_anchors = 3

autosummary_generate = True
templates_path = ["templates"]
autodoc_typehints = "none"
numpydoc_show_class_members = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py$",
    "within_subsection_order": "gallery_settings.GalleryOrder",
    "abort_on_example_error": True,
    "show_memory": False,
    "min_reported_time": 1e6,
    "remove_config_comments": True,
    "plot_gallery": True,
    "image_srcset": ["2x"],
    "thumbnail_size": (400, 220),  # most pictures are wide
    "reset_modules": ("matplotlib", "gallery_settings.load_kernel_before"),
    "show_signature": False,
}

html_theme = "pydata_sphinx_theme"
html_static_path = ["static"]
html_css_files = ["wide.css"]
html_title = "skl_lstm"
html_show_sourcelink = False
html_theme_options = {
    "navigation_with_keys": False,
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
