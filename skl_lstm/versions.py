"""What a report of a defect should tell of the installation."""

from __future__ import annotations

import importlib.metadata
import os
import platform

# Those that the core needs, and then those of the extras, by their names on a package index.
PACKAGES = (
    "skl-lstm",
    "scikit-learn",
    "numpy",
    "scipy",
    "pandas",
    "numba",
    "llvmlite",
    "h5py",
    "joblib",
    "utilsforecast",
    "keras",
    "tensorflow",
    "scikeras",
    "matplotlib",
    "skops",
    "onnx",
    "onnxruntime",
    "dask",
    "ray",
)


def show_versions() -> None:
    """Print the versions of Python, of this package and of the packages that it uses.

    Put them into a report of a defect, as with :func:`sklearn.show_versions`. Nothing is imported,
    so that a broken installation can be shown too.

    Examples
    --------
    >>> import skl_lstm
    >>> skl_lstm.show_versions()  # doctest: +ELLIPSIS
    python: 3...
    machine: ...
    cores: ...
    skl-lstm: ...
    scikit-learn: ...
    """
    print(f"python: {platform.python_version()} ({platform.python_implementation()})")
    print(f"machine: {platform.platform()}")
    print(f"cores: {os.cpu_count()}")
    for package in PACKAGES:
        try:
            version = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            version = "not installed"
        print(f"{package}: {version}")
