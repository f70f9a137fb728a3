"""Parser of untrusted JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from typing import Any

from skl_lstm.files.whole_files import ModelFileError

# Limits far above what our files need.
MAX_NESTING = 32
MAX_DIGITS = 20
TOO_DEEP = f"its JSON text is nested more than {MAX_NESTING} levels deep"


def parse_json(text: bytes) -> Any:
    """Parse an untrusted JSON text.

    Parameters
    ----------
    text : bytes
        The text, in UTF-8.

    Returns
    -------
    value : object
        Dicts, lists, strings, finite numbers, booleans and None.

    Raises
    ------
    ModelFileError
        If it is not valid JSON, is nested too deeply, or holds NaN or an infinite number.
    """
    try:
        value = json.loads(text, parse_int=_integer, parse_float=_finite, parse_constant=_finite)
    except ValueError as error:
        raise ModelFileError(f"its JSON text cannot be read: {error}") from error
    except RecursionError as error:
        raise ModelFileError(TOO_DEEP) from error
    level = [value]
    for _ in range(MAX_NESTING + 1):
        level = [each for thing in level for each in _inside(thing)]
        if not level:
            return value
    raise ModelFileError(TOO_DEEP)


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError(f"{number} is not a finite number")
    return value


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"an integer has {len(digits)} digits")
    return int(digits)
