"""A csv file becomes a series, or a sentence says why it does not."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from skl_lstm.__main__ import main
from skl_lstm.demonstration.series_file import load_series


@pytest.mark.parametrize(
    ("freq", "style"),
    [("D", "%m/%d/%Y"), ("MS", "%Y/%m/%d"), ("D", "%d %b %Y"), ("h", "%Y-%m-%d %H:%M:%S+01:00")],
)
def test_dates_that_can_be_read_in_one_way_are_read(freq, style, csv):
    expected = pd.date_range("1990-01", periods=120, freq=freq)
    read = load_series(csv(np.ones(120), when=written(freq, style)), "v", ["when"]).frame
    assert_array_equal(read.index.tz_localize(None), expected)


def months(n, start="1990-01"):
    return pd.date_range(start, periods=n, freq="MS").strftime("%Y-%m-%d").to_numpy()


def written(freq, style):
    return pd.date_range("1990-01", periods=120, freq=freq).strftime(style).to_numpy()


def holed():
    return np.delete(months(121), 7)


BAD = {
    "missing column": (
        {"values": np.ones(120)},
        ["--column", "w"],
        "own.csv has no column 'w', only ['v', 'when']",
    ),
    "missing date column": (
        {"values": np.ones(120)},
        ["--column", "v", "--date-column", "w"],
        "own.csv has no column 'w', only ['v', 'when']",
    ),
    "no number": (
        {"values": ["1", "2", "three", *"4" * 117]},
        ["--column", "v"],
        "own.csv must have a number in each row of 'v', got 'three' in line 4",
    ),
    "nothing": (
        {"values": [1.0, np.nan, *np.ones(118)]},
        ["--column", "v"],
        "own.csv must have a number in each row of 'v', got nothing in line 3",
    ),
    "infinite": (
        {"values": [*np.ones(119), np.inf]},
        ["--column", "v"],
        "own.csv must have a number in each row of 'v', got 'inf' in line 121",
    ),
    "no date": (
        {"values": np.ones(120), "when": ["soon", *months(119)]},
        ["--column", "v", "--date-column", "when"],
        "own.csv must have a date in each row of 'when', got 'soon' in line 2",
    ),
    "a hole": (
        {"values": np.ones(120), "when": holed()},
        ["--column", "v", "--date-column", "when"],
        "own.csv, dates in 'when': must have a row for 1990-08-01, as its frequency MS "
        "requires, got 1990-09-01 after 1990-07-01",
    ),
    "out of order": (
        {"values": np.ones(120), "when": np.roll(months(120), 60)},
        ["--column", "v", "--date-column", "when"],
        "own.csv, dates in 'when': must increase from row to row, or decrease, got 1990-01-01 "
        "after 1999-12-01; sort the rows",
    ),
    "mixed offsets": (
        {
            "values": np.ones(120),
            "when": [f"{day}T00:00+0{1 + i % 2}:00" for i, day in enumerate(months(120))],
        },
        ["--column", "v", "--date-column", "when"],
        "own.csv must have dates of one UTC offset in 'when', got several",
    ),
    "too short": (
        {"values": np.ones(18), "when": months(18)},
        ["--column", "v", "--date-column", "when"],
        "the demonstration needs 16 values before the 3 held out, got 18 in all",
    ),
}


@pytest.mark.parametrize(("table", "options", "message"), BAD.values(), ids=list(BAD))
def test_a_csv_that_does_not_serve_is_a_sentence(
    table, options, message, csv, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    file = csv(**{"when": months(len(table["values"])), **table})
    with pytest.raises(SystemExit, match="2"):
        main(["--csv", file, *options])
    shown = capsys.readouterr()
    assert shown.out == ""
    assert message in shown.err
    assert shown.err.count("\n") == 1
    assert not (tmp_path / "skl_lstm_demonstration").exists()


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\x00", b'v,w\n1,2\n"3'])
def test_a_file_that_cannot_be_read_is_a_sentence(content, tmp_path, capsys):
    file = tmp_path / "own.csv"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SystemExit, match="2"):
        main(["--csv", str(file), "--column", "v", "--output", str(tmp_path)])
    assert f"python -m skl_lstm: {file} cannot be read: " in capsys.readouterr().err


@pytest.mark.parametrize("row", ["1900-01-01,5,", "1,2,3", "1,2,3,4"])
def test_a_row_of_more_fields_than_names_is_a_sentence(row, tmp_path, capsys):
    file = tmp_path / "own.csv"
    file.write_text("\n".join(["d,v", *[row] * 120]), encoding="utf-8")
    with pytest.raises(SystemExit, match="2"):
        main(["--csv", str(file), "--column", "v", "--date-column", "d"])
    assert capsys.readouterr().err == (
        f"python -m skl_lstm: {file} must have a name for each field, got 2 in line 1 and "
        f"{row.count(',') + 1} fields in line 2; pass --sep if it is not ','\n"
    )
