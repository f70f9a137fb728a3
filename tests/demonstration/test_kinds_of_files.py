"""Files as tutorials, archives and spreadsheets have them are read, or told what they lack."""

import gzip
import re

import numpy as np
import pandas as pd
import pytest

from skl_lstm.demonstration.series_file import load_series
from skl_lstm.windowing.calendar import following

N = 48
MONTHS = pd.date_range("1949-01", periods=N, freq="MS")
QUARTERS = pd.date_range("1990", periods=N, freq="QS")
DAYS = pd.date_range("2005-01-01", periods=N)
MINUTES = pd.date_range("2006-12-16 17:24", periods=N, freq="min")
HOURS = pd.date_range("2010-01-01", periods=N, freq="h")
SPRING = pd.date_range("2024-03-30", periods=N, freq="h", tz="Europe/Berlin")
AUTUMN = pd.date_range("2024-10-26", periods=N, freq="h", tz="Europe/Berlin")
AUTUMN_HALVES = pd.date_range("2024-10-26 20:00", periods=N, freq="30min", tz="Europe/Berlin")
VALUES = np.arange(100.0, 100 + N)
TITLE = "International airline passengers: monthly totals in thousands. Jan 49 ? Dec 60"


def text(head, row, index=DAYS, values=VALUES, tail=""):
    """Write a head, a row for each time `t` and value `v`, and a tail."""
    rows = [row.format(t=t, v=v, i=i) for i, (t, v) in enumerate(zip(index, values, strict=True))]
    return "\n".join([head, *rows, tail])


def day_first(index):
    return [f"{t.day}/{t.month}/{t.year}" for t in index]


READ = {
    "airline passengers with their footer": (
        text(f'"Month","{TITLE}"', '"{t:%Y-%m}",{v:.0f}', MONTHS, tail=f'\n"{TITLE}"\n'),
        {},
        MONTHS,
        VALUES,
    ),
    "airline passengers by a spreadsheet, in years of two digits": (
        text("Month,Passengers", "{t:%b-%y},{v}", MONTHS),
        {},
        MONTHS,
        VALUES,
    ),
    "dates of an American spreadsheet": (
        text("Month,Sales", "{t.month}/{t.day}/{t:%y},{v}", MONTHS),
        {},
        MONTHS,
        VALUES,
    ),
    "a German spreadsheet": (
        text("Datum;Umsätze", "{t:%d.%m.%Y};{v:.0f}.000,50").encode("cp1252"),
        {},
        DAYS,
        1000 * VALUES + 0.5,
    ),
    "a French spreadsheet": (
        text("Date;Débit", "{t:%d/%m/%Y};1\u202f{v:.0f},5"),
        {},
        DAYS,
        1000.5 + VALUES,
    ),
    "a Swiss spreadsheet": (text("Tag;v", "{t:%d.%m.%Y};1'{v:.0f}.5"), {}, DAYS, 1000.5 + VALUES),
    "the Unicode text of a spreadsheet": (
        text("Month\tSales", "{t:%Y-%m-%d}\t{v:.0f},25", MONTHS).encode("utf-16"),
        {},
        MONTHS,
        VALUES + 0.25,
    ),
    "UTF-8 with a byte order mark, numbers in quotes": (
        text("Date,Sales", '{t:%Y-%m-%d},"1,{v:.0f}"').encode("utf-8-sig"),
        {},
        DAYS,
        1000 + VALUES,
    ),
    "Indian groups of digits": (
        text("Date,Sales", '{t:%Y-%m-%d},"1,23,{v:.0f}.5"'),
        {},
        DAYS,
        123000.5 + VALUES,
    ),
    "Eurostat months": (text("TIME\tvalue", "{t:%YM%m}\t{v}", MONTHS), {}, MONTHS, VALUES),
    "quarters of statistics": (
        text("Quarter,GDP", "{t.year}Q{t.quarter},{v}", QUARTERS),
        {},
        QUARTERS,
        VALUES,
    ),
    "quarters before their year": (
        text("Quarter,GDP", "Q{t.quarter} {t.year},{v}", QUARTERS),
        {},
        QUARTERS,
        VALUES,
    ),
    "sunspots by year": (
        text("YEAR,SUNACTIVITY", "{t},{v}", range(1700, 1700 + N)),
        {},
        pd.date_range("1700", periods=N, freq="YS"),
        VALUES,
    ),
    "months by name": (text("d,v", '"{t:%B %Y}",{v}', MONTHS), {}, MONTHS, VALUES),
    "digits alone": (text("date,v", "{t:%Y%m%d},{v}"), {}, DAYS, VALUES),
    "bitcoin by seconds of the epoch": (
        text("Timestamp,Close", "{t},{v}", range(1500000000, 1500000000 + 60 * N, 60)),
        {},
        pd.date_range("2017-07-14 02:40", periods=N, freq="min", tz="UTC"),
        VALUES,
    ),
    "prices, newest first": (
        text('"Date","Price","Vol."', '"{t:%b %d, %Y}","1,{v:.0f}.50","1.2M"', DAYS[::-1]),
        {},
        DAYS,
        1000.5 + VALUES[::-1],
    ),
    "half past one in the afternoon": (
        text("Datetime,v", "{t.month}/{t.day}/{t.year} {t:%I:%M %p},{v}", HOURS),
        {},
        HOURS,
        VALUES,
    ),
    "web searches under a remark": (
        text("Category: All categories\n\nWeek,lstm: (Worldwide)", "{t:%Y-%m-%d},{v}"),
        {},
        DAYS,
        VALUES,
    ),
    "units under the names": (text("Day,T\n,°C", "{t:%Y-%m-%d},{v}"), {}, DAYS, VALUES),
    "carbon dioxide, the year and the month in columns": (
        text('# Mauna Loa, "NOAA"\n#\nyear,month,average', "{t.year},{t.month},{v}", MONTHS),
        {"column": "average", "date_column": ["year", "month"]},
        MONTHS,
        VALUES,
    ),
    "pollution, the hour in the fourth column": (
        text("year,month,day,hour,pm", "{t.year},{t.month},{t.day},{t.hour},{v}", HOURS),
        {"column": "pm", "date_column": ["year", "month", "day", "hour"]},
        HOURS,
        VALUES,
    ),
    "household power, the time in a second column": (
        text("Date;Time;kW", "{t.day}/{t.month}/{t.year};{t:%H:%M:%S};{v}", MINUTES),
        {"date_column": ["Date", "Time"]},
        MINUTES,
        VALUES,
    ),
    "columns between spaces": (
        text("year   flow", " {t}    {v}", range(1871, 1871 + N)),
        {},
        pd.date_range("1871", periods=N, freq="YS"),
        VALUES,
    ),
    "rows numbered by R": (text('"","x"', '"{i}",{v}'), {}, pd.RangeIndex(N), VALUES),
    "years without a number that pass for none": (
        text('"Month","Sales of shampoo"', '"{t.month}-{t:%b}",{v}', tail="\nSales of shampoo\n"),
        {},
        pd.RangeIndex(N),
        VALUES,
    ),
    "no names": (text("2004-12-31,99", "{t:%Y-%m-%d},{v}"), {}, None, [99, *VALUES]),
    "empty lines of a spreadsheet": (
        text("Month;v", "{t:%Y-%m};{v}", MONTHS, tail=";\n;\n"),
        {},
        MONTHS,
        VALUES,
    ),
    "months by the first of the month, in the order of Europe": (
        text("d,v", "{t:%d/%m/%Y},{v}", MONTHS),
        {},
        MONTHS,
        VALUES,
    ),
    "quarters by the first of the month, in the order of America": (
        text("d,v", "{t:%m/%d/%Y},{v}", QUARTERS),
        {},
        QUARTERS,
        VALUES,
    ),
    "dates that the user explains": (
        text("d,v", "01/02/{t},{v}", range(1960, 1960 + N)),
        {"date_format": "%d/%m/%Y"},
        pd.date_range("1960-02", periods=N, freq=pd.offsets.YearBegin(month=2)),
        VALUES,
    ),
    "local time in spring": (
        text("t;MW", "{t:%d.%m.%Y %H:%M};{v}", SPRING),
        {"time_zone": "Europe/Berlin"},
        SPRING,
        VALUES,
    ),
    "local time in autumn, newest first": (
        text("t;MW", "{t:%d.%m.%Y %H:%M};{v}", AUTUMN[::-1]),
        {"time_zone": "Europe/Berlin"},
        AUTUMN,
        VALUES[::-1],
    ),
    "half hours of local time in autumn": (
        text("t;MW", "{t:%d.%m.%Y %H:%M};{v}", AUTUMN_HALVES),
        {"time_zone": "Europe/Berlin"},
        AUTUMN_HALVES,
        VALUES,
    ),
    "ISO local time in spring": (
        text("t,MW", "{t:%Y-%m-%d %H:%M},{v}", SPRING),
        {"time_zone": "Europe/Berlin"},
        SPRING,
        VALUES,
    ),
    "ISO local time in autumn": (
        text("t,MW", "{t:%Y-%m-%dT%H:%M:%S},{v}", AUTUMN),
        {"time_zone": "Europe/Berlin"},
        AUTUMN,
        VALUES,
    ),
    "ISO local days": (
        text("t,MW", "{t:%Y-%m-%d},{v}"),
        {"time_zone": "Europe/Berlin"},
        DAYS.tz_localize("Europe/Berlin"),
        VALUES,
    ),
    "hours beside days": (
        text("day,hr,cnt", "{t:%Y-%m-%d},{t.hour},{v}", HOURS),
        {"date_column": ["day", "hr"], "column": "cnt"},
        HOURS,
        VALUES,
    ),
    "times of two offsets from UTC": (
        text("t,MW", "{t:%Y-%m-%dT%H:%M:%S%z},{v}", AUTUMN),
        {"time_zone": "Europe/Berlin"},
        AUTUMN,
        VALUES,
    ),
    "numbers that the user explains": (
        text("d\tv", "{t:%Y-%m-%d}\t1.{v:.0f}"),
        {"decimal": ","},
        DAYS,
        1000 + VALUES,
    ),
    "a decimal comma where it separates nothing": (
        text("v", "{v:.0f},5"),
        {"sep": ";"},
        pd.RangeIndex(N),
        VALUES + 0.5,
    ),
}


@pytest.mark.parametrize(("content", "options", "index", "values"), READ.values(), ids=list(READ))
def test_a_file_is_read(content, options, index, values, tmp_path):
    read = load_series(written(content, tmp_path), **options).frame
    np.testing.assert_array_equal(read.iloc[:, 0], values)
    index = pd.date_range("2004-12-31", periods=N + 1) if index is None else index
    assert read.index.equals(index)
    pd.testing.assert_index_equal(following(read.index, 3), following(index, 3), check_names=False)


def written(content, folder):
    file = folder / "own.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(file)


HOLED = pd.bdate_range("2005-01-03", periods=N + 1).delete(9)
REFUSED = {
    "thousands with a point in a file of tabs": (
        text("d\tv", "{t:%Y-%m-%d}\t1.0{t.day:02}") + "2005-12-31\t900\n",
        {},
        "must have numbers that can be read in one way, got '1.001' in line 2; pass --decimal . "
        "or --decimal ,",
    ),
    "days on which no stock is traded": (
        text("Date,Close", "{t:%Y-%m-%d},{v}", HOLED),
        {},
        "dates in 'Date': must have a row for 2005-01-14, as its frequency B requires, got "
        "2005-01-17 after 2005-01-13; add it, or pass --freq B to treat the rows as consecutive, "
        "or --no-dates to number them",
    ),
    "an hour that spring lacks": (
        text("t;MW", "{t:%d.%m.%Y %H:%M};{v}", SPRING),
        {},
        "got 2024-03-31 03:00:00 after 2024-03-31 01:00:00; add it, or pass --time-zone if times "
        "are local, --freq h to",
    ),
    "an hour that autumn repeats": (
        text("t;MW", "{t:%d.%m.%Y %H:%M};{v}", AUTUMN),
        {},
        "must have one row for each time, got 2024-10-27 02:00:00 twice; local times that repeat "
        "an hour need --time-zone",
    ),
    "a place where no hour is repeated": (
        text("t;MW", "{t:%d.%m.%Y %H:%M};{v}", SPRING + pd.Timedelta(hours=1)),
        {"time_zone": "America/New_York"},
        "must have a row for 2024-03-31 02:00:00-04:00",
    ),
    "no place": (
        text("t;MW", "{t:%d.%m.%Y %H:%M};{v}", SPRING),
        {"time_zone": "Europe/Bärlin"},
        "has no times of --time-zone Europe/Bärlin: ",
    ),
    "a time in a second column": (
        text("Date;Time;kW", "{t.day}/{t.month}/{t.year};{t:%H:%M:%S};{v}", MINUTES),
        {},
        "got 2006-12-16 twice; local times that repeat an hour need --time-zone, times in other "
        "columns need --date-column too, several series a file for each",
    ),
    "uneven times": (
        text("t,v", "{t:%Y-%m-%d},{v}", DAYS[0] + pd.to_timedelta(np.arange(N) ** 2 * 7, "D")),
        {},
        "; add it, or pass --freq",
    ),
    "February the first or January the second": (
        text("d,v", "01/02/{t},{v}", range(1960, 1960 + N)),
        {},
        "must have dates in 'd' whose day and month are unambiguous, got '01/02/1960' in line 2, "
        "which may be 1960-01-02 or 1960-02-01; --date-format tells which, as in --date-format "
        "%d/%m/%Y",
    ),
    "years without a number": (
        text("Month,Sales", "1-{t:%m},{v}"),
        {"date_column": ["Month"]},
        "must have a date in each row of 'Month', got '1-01' in line 2; --date-format tells how "
        "to read dates, --no-dates does without",
    ),
    "another format than the user told": (
        text("d,v", "{t:%Y-%m-%d},{v}"),
        {"date_format": "%Y"},
        "must have a date in each row of 'd', got '2005-01-01' in line 2; --date-format tells",
    ),
    "no format": (
        text("d,v", "{t:%Y-%m-%d},{v}"),
        {"date_format": "%q"},
        "--date-format must be one of strptime: 'q' is a bad directive",
    ),
    "a thousand or one": (
        text("Datum;v", "{t:%d.%m.%Y};1.{v:.0f}"),
        {},
        "must have numbers that can be read in one way, got '1.100' in line 2; pass --decimal . "
        "or --decimal ,",
    ),
    "a mark for what is not known": (
        text("d,v", "{t:%Y-%m-%d},{v}", values=[1, "?", *VALUES[2:]]),
        {},
        "must have a number in each row of 'v', got '?' in line 3",
    ),
    "a sum at the end": (
        text("Month,v", "{t:%Y-%m},{v}", MONTHS, tail="Total,12345"),
        {},
        "must have a date in each row of 'Month', got 'Total' in line 50; ",
    ),
    "a thousand without quotes": (
        text("d,v", "{t:%Y-%m-%d},{v}", values=[*VALUES[:-1], "1,234"]),
        {},
        "must have 2 fields in each line, one for each name, got 3 in line 49; a field that "
        "contains ',' needs quotes",
    ),
    "rows without a value": (
        text("d,v,price", "{t:%Y-%m-%d},{v},1", values=[*VALUES[:40], *[""] * 8]),
        {"column": "v"},
        "got nothing in line 42; rows to forecast need columns of --known",
    ),
    "no rows to forecast": (
        text("d,v,price", "{t:%Y-%m-%d},{v},1"),
        {"column": "v", "known": ["price"]},
        "must end with rows to forecast, in which ['price'] are known and 'v' is empty, got "
        "'147.0' in its last row",
    ),
    "rows in which what is known ahead is not": (
        text("d,price,v", "{t:%Y-%m-%d},{v},", values=[*VALUES[:-1], ""]),
        {"column": "v", "known": ["price"]},
        "must have a number in each row of 'v', got nothing in line 2",
    ),
    "two columns of numbers": (
        text("d,v,w", "{t:%Y-%m-%d},{v},{v}"),
        {},
        "must have one column of numbers, got several, ['v', 'w']; name the one to forecast in "
        "--column",
    ),
    "no column of numbers": (
        text("d,v", "{t:%Y-%m-%d},high"),
        {},
        "must have one column of numbers, got none among ['d', 'v']; ",
    ),
    "two columns of dates": (
        text("ordered,shipped,v", "{t:%Y-%m-%d},{t:%Y-%m-%d},{v}"),
        {},
        "must have one column of dates, got ['ordered', 'shipped']; name it in --date-column, or "
        "pass --no-dates",
    ),
    "a frequency without dates": (
        text("v", "{v}"),
        {"freq": "MS"},
        "--date-format, --time-zone and --freq require a column of dates, got none",
    ),
    "a column for two uses": (
        text("d,v", "{t:%Y-%m-%d},{v}"),
        {"column": "v", "known": ["v"]},
        "must have one column 'v' for one use, got it twice",
    ),
    "a workbook": (b"PK\x03\x04\x00\x00\x12", {}, "cannot be read: it is not text; a spreadsheet"),
    "names alone": ("d,v\n", {}, "must have rows below its names, got none"),
    "a longer line where there are no names": (
        text("2004-12-31,99", "{t:%Y-%m-%d},{v}", tail="2006-01-01,1,2"),
        {},
        "got 3 in line 50; a field that contains ',' needs quotes",
    ),
    "comments alone": ("# nothing\n\n", {}, "cannot be read: it has no lines of text"),
}


@pytest.mark.parametrize(("content", "options", "message"), REFUSED.values(), ids=list(REFUSED))
def test_a_file_is_refused_with_advice(content, options, message, tmp_path):
    with pytest.raises(ValueError, match=re.escape(message)):
        load_series(written(content, tmp_path), **options)


def test_a_packed_file_is_read(tmp_path):
    file = tmp_path / "own.csv.gz"
    file.write_bytes(gzip.compress(text("d,v", "{t:%Y-%m-%d},{v}").encode()))
    np.testing.assert_array_equal(load_series(str(file)).frame["v"], VALUES)


def test_what_was_taken_and_what_was_not_is_told(tmp_path):
    content = text("Month,v,note", "{t:%Y-%m},{v},", MONTHS[::-1], tail=f'\n"{TITLE}"\n')
    assert load_series(written(content, tmp_path)).notes == [
        "Line 51 is taken for a remark: 'International airline passengers: monthly totals in "
        "thous…'.",
        "The dates are those of 'Month'.",
        "The values are those of 'v'.",
        "The rows, newest first in the file, are sorted by their dates.",
    ]


def test_nothing_is_told_of_what_the_user_named(tmp_path):
    file = written(text("d,v", "{t:%Y-%m-%d},{v}"), tmp_path)
    assert load_series(file, "v", ["d"]).notes == []


def test_without_a_column_of_dates_the_rows_are_numbered_and_it_is_told(tmp_path):
    file = written(text("Month,v", "1-{t:%m},{v}"), tmp_path)
    assert load_series(file).notes[0] == "No column of dates was found; the rows are numbered."


def test_dates_with_holes_are_left_out_on_request(tmp_path):
    file = written(text("Date,Close", "{t:%Y-%m-%d},{v}", HOLED), tmp_path)
    read = load_series(file, no_dates=True)
    assert list(read.frame.index) == list(range(N))


def test_dates_with_holes_keep_their_times_if_their_frequency_is_given(tmp_path):
    file = written(text("Date,Close", "{t:%Y-%m-%d},{v}", HOLED), tmp_path)
    read = load_series(file, freq="B")
    assert read.frame.index.equals(HOLED)
    assert read.freq == pd.offsets.BDay()


def test_years_of_two_digits_may_lie_ahead_if_the_first_does_not(tmp_path):
    this_year = pd.Timestamp.now().year
    months = pd.date_range(f"{this_year - 2}-01", periods=N, freq="MS")
    read = load_series(written(text("d,v", "{t:%b-%y},{v}", months), tmp_path))
    assert read.frame.index.equals(months)


def test_years_of_two_digits_go_over_the_century(tmp_path):
    months = pd.date_range("1997-06", periods=N, freq="MS")
    read = load_series(written(text("d,v", "{t:%d.%m.%y},{v}", months), tmp_path))
    assert read.frame.index.equals(months)


@pytest.mark.parametrize("order", [1, -1])
def test_rows_to_forecast_have_known_columns_alone(order, tmp_path):
    head, *rows = text(
        "d;sold;price;note", "{t:%d.%m.%Y};{v};{i},5;n", values=[*range(1000, 1040), *[""] * 8]
    ).split()
    content = "\n".join([head, *rows[::order]])
    data = load_series(written(content, tmp_path), "sold", known=["price"])
    assert (data.target, data.known, data.n_ahead) == ("sold", ["price"], 8)
    np.testing.assert_array_equal(data.past["sold"], range(1000, 1040))
    np.testing.assert_array_equal(data.frame["price"], np.arange(N) + 0.5)
