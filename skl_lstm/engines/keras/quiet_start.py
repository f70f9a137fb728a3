"""Keras, TensorFlow and SciKeras, imported without any output.

The other modules of this folder import them from here.
"""

from __future__ import annotations

import contextlib
import os
import random
import re
import sys
import tempfile
from collections.abc import Iterator

__all__ = ["BaseWrapper", "keras", "tf"]

# Lines that TensorFlow writes to stderr during its import, regardless of its log level.
_START_UP_LINE = re.compile(
    rb"[IWE]\d{4} |\d{4}-\d\d-\d\d [\d:.]+: [IWE] |"
    rb"WARNING: All log messages before absl|To enable the following instructions"
)


@contextlib.contextmanager
def _unnoticed() -> Iterator[None]:
    """Hide the start-up lines of an import, and restore Python's random generator afterwards.

    The import draws names from that generator. Anything else written to stderr meanwhile is
    written afterwards.
    """
    generator = random.getstate()
    _flush_stderr()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as written:
        os.dup2(written.fileno(), 2)
        try:
            yield
        finally:
            random.setstate(generator)
            _flush_stderr()
            os.dup2(stderr, 2)
            os.close(stderr)
            written.seek(0)
            for line in written:
                if not _START_UP_LINE.match(line):
                    os.write(2, line)


def _flush_stderr() -> None:
    if sys.stderr is not None:  # as it is under pythonw
        sys.stderr.flush()


with _unnoticed():
    import keras
    import tensorflow as tf
    from scikeras.wrappers import BaseWrapper

    # The search for devices writes too, and would otherwise do so at the first fit.
    tf.config.list_physical_devices()
