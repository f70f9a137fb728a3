"""Texts become numbers, with the decimal mark that all of them share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

OTHER_MARK = {".": ",", ",": "."}


def decimal_mark(file: str, texts: pd.Series, sep: str) -> str:
    """Return the decimal mark of numbers in a file whose fields `sep` separates.

    Raises
    ------
    ValueError
        If the numbers can be read with both marks; 1.234 may be more or less than a thousand.
    """
    texts = texts[texts.str.contains(r"\d", na=False)]
    for mark, other in OTHER_MARK.items():
        marked = texts[texts.str.contains(mark, regex=False)]
        # In groups of digits, as in 1,234,567.8 or, in India, 12,34,567.8.
        groups = rf"[-+−]?[1-9]\d{{0,2}}(\{mark}\d{{2,3}})*\{mark}\d{{3}}(\{other}\d*)?"
        if not marked.str.fullmatch(groups).all():
            return mark
        if (marked.str.count(rf"\{mark}") > 1).any():
            return other
    marked = texts[texts.str.contains("[.,]")]
    if marked.empty:
        return "."
    mark = "." if "." in marked.iloc[0] else ","
    # A comma that separates fields is no decimal mark. Where semicolons do, it is, unless
    # numbers without it are among the others: they may be those below a thousand.
    if (sep == "," and mark == ",") or (mark == "." and sep != ";" and len(marked) == len(texts)):
        return "."
    if mark == "," and sep == ";" and len(marked) == len(texts):
        return ","
    raise ValueError(
        f"{file} must have numbers that can be read in one way, got {marked.iloc[0]!r} in line "
        f"{marked.index[0]}; pass --decimal . or --decimal ,"
    )


def to_numbers(texts: pd.Series, decimal: str) -> pd.Series:
    """Return the numbers, NaN where there is none."""
    import pandas as pd

    group = rf"[{OTHER_MARK[decimal]}'’\s]"
    whole = rf"(\d+|\d{{1,3}}({group}\d{{2,3}})*{group}\d{{3}})"
    number = rf"[-+]?({whole}(\{decimal}\d*)?|\{decimal}\d+)([eE][-+]?\d+)?"
    texts = texts.str.replace("−", "-")
    plain = texts.str.replace(group, "", regex=True).str.replace(decimal, ".")
    numbers = plain.where(texts.str.fullmatch(number, na=False))
    return pd.to_numeric(numbers).astype(np.float64)
