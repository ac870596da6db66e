# ruff: noqa: E501 - a table reads best a row a line
"""Dates in documents: what is found, what it means, and that nothing breaks on any text."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa.dates import find_timexes
from qa.dates.periods import Period, containing, part

TUESDAY = date(2023, 9, 19)


def only(text, published=TUESDAY):
    (found,) = find_timexes(text, published)
    return found


@pytest.mark.parametrize(
    ("text", "words", "value", "first", "last"),
    [
        ("It was signed on 2023-09-13 there.", "2023-09-13", "2023-09-13", "2023-09-13", None),
        ("It was signed 9/13/2023 there.", "9/13/2023", "2023-09-13", "2023-09-13", None),
        ("It was signed on 13.9.2023 there.", "13.9.2023", "2023-09-13", "2023-09-13", None),
        ("On September 13, 2023 he left.", "September 13, 2023", "2023-09-13", "2023-09-13", None),
        ("On Wednesday, Sept. 13, he left.", "Wednesday, Sept. 13", "2023-09-13", "2023-09-13", None),
        ("On the 13th of September he left.", "the 13th of September", "2023-09-13", "2023-09-13", None),
        ("It ran 13-15 September 2023.", "13-15 September 2023", "2023-09-13/2023-09-15", "2023-09-13", "2023-09-15"),
        ("They met in April 2019.", "April 2019", "2019-04", "2019-04-01", "2019-04-30"),
        ("He came in late July.", "late July", "2023-07", "2023-07-21", "2023-07-31"),
        ("It was built in 1998.", "1998", "1998", "1998-01-01", "1998-12-31"),
        ("In the early 1990s it fell.", "the early 1990s", "199X", "1990-01-01", None),
        ("It was fought in the 19th century.", "the 19th century", "18XX", "1800-01-01", "1899-12-31"),
        ("Sales fell in the first quarter of fiscal 2021.", "the first quarter of fiscal 2021", "2021-Q1", "2021-01-01", "2021-03-31"),
        ("Sales fell in fiscal 2020's second half.", "fiscal 2020's second half", "2020-H2", "2020-07-01", "2020-12-31"),
        ("Sales fell in FY2020.", "FY2020", "2020", "2020-01-01", "2020-12-31"),
        ("Sales fell in the first quarter of 2022.", "the first quarter of 2022", "2022-Q1", "2022-01-01", "2022-03-31"),
        ("Snow fell last winter.", "last winter", "2022-WI", "2022-12-01", "2023-02-28"),
        ("They met at Easter 2023.", "Easter 2023", "2023-04-09", "2023-04-09", None),
        ("They met last Thanksgiving.", "last Thanksgiving", "2022-11-24", "2022-11-24", None),
        ("The ministry said Tuesday.", "Tuesday", "2023-09-19", "2023-09-19", None),
        ("He returned home Monday.", "Monday", "2023-09-18", "2023-09-18", None),
        ("They met on Thursday.", "Thursday", "2023-09-14", "2023-09-14", None),
        ("They will meet on Thursday.", "Thursday", "2023-09-21", "2023-09-21", None),
        ("Can we meet on Thursday in Dingwall?", "Thursday", "2023-09-21", "2023-09-21", None),
        ("Let’s talk on Thursday.", "Thursday", "2023-09-21", "2023-09-21", None),
        ("They will meet next Friday.", "next Friday", "2023-09-22", "2023-09-22", None),
        ("They approved the pier, with work to begin in June.", "June", "2024-06", "2024-06-01", "2024-06-30"),
        ("They approved a pier, to be opened in June.", "June", "2024-06", "2024-06-01", "2024-06-30"),
        ("The road has been closed since Wednesday.", "Wednesday", "2023-09-13", "2023-09-13", None),
        ("It has been shut since December.", "December", "2022-12", "2022-12-01", "2022-12-31"),
        ("Talks were to begin in June.", "June", "2023-06", "2023-06-01", "2023-06-30"),
        ("It was closed last Friday.", "last Friday", "2023-09-15", "2023-09-15", None),
        ("He left yesterday.", "yesterday", "2023-09-18", "2023-09-18", None),
        ("He leaves the day after tomorrow.", "the day after tomorrow", "2023-09-21", "2023-09-21", None),
        ("They may meet next week.", "next week", "2023-W39", "2023-09-25", "2023-10-01"),
        ("They met last month.", "last month", "2023-08", "2023-08-01", "2023-08-31"),
        ("It rained this weekend.", "this weekend", "2023-W38-WE", "2023-09-23", "2023-09-24"),
        ("It began earlier this month.", "earlier this month", "2023-09", "2023-09-01", None),
        ("It will open late next year.", "late next year", "2024", None, "2024-12-31"),
        ("It was founded two years ago.", "two years ago", "2021", "2021-01-01", "2021-12-31"),
        ("He died 11 days ago.", "11 days ago", "2023-09-08", "2023-09-08", None),
        ("He spoke Monday night.", "Monday night", "2023-09-18TNI", "2023-09-18", None),
        ("The bus leaves at 9:30 p.m. Wednesday.", "9:30 p.m. Wednesday", "2023-09-20T21:30", "2023-09-20", None),
        ("It lasted about three weeks.", "about three weeks", "P3W", None, None),
        ("Work is to last eleven weeks.", "eleven weeks", "P11W", None, None),
        ("It won’t last two weeks.", "two weeks", "P2W", None, None),
        ("A two-day summit opened.", "two-day", "P2D", None, None),
        ("It took 5 1/2 hours.", "5 1/2 hours", "PT5H30M", None, None),
        ("He waited for several years.", "several years", "PXY", None, None),
        ("The paper appears daily.", "daily", "P1D", None, None),
        ("They meet every two weeks.", "every two weeks", "P2W", None, None),
        ("They meet on Mondays.", "Mondays", "XXXX-WXX-1", None, None),
        ("It worked over the past two years.", "the past two years", "P2Y", "2021-09-19", "2023-09-19"),
    ],
)  # fmt: skip
def test_an_expression_and_its_value(text, words, value, first, last):
    found = only(text)
    assert text[found.start : found.end] == words
    assert found.value == value
    if first:
        assert found.first == date.fromisoformat(first)
    if last:
        assert found.last == date.fromisoformat(last)
    if first and not last and found.type in ("DATE", "TIME") and len(value) >= 10:
        assert found.last == found.first


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("He died on 3 May 2020. The day before, he wrote a letter.", ["2020-05-03", "2020-05-02"]),
        ("It opened in June 2019. Two years later it closed.", ["2019-06", "2021"]),
        ("He was shot on Oct. 23. The same day, a fax came.", ["2022-10-23", "2022-10-23"]),
        ("It fell in May 2021 and rose the following month.", ["2021-05", "2021-06"]),
        ("They will meet on April 24 and 25.", ["2024-04-24", "2024-04-25"]),
        ("The day before last Tuesday's hearing he vanished.", ["2023-09-11"]),
    ],
)
def test_an_expression_counts_from_the_date_before_it(text, values):
    assert [found.value for found in find_timexes(text, TUESDAY)] == values


@pytest.mark.parametrize(
    "text",
    [
        "He may leave and they march on.",
        "It cost $1,998 for 2000 people.",
        "They fall and spring up again, in the second act.",
        "CBS's 60 Minutes showed High Noon with Jan Kavan.",
        "He is a 39-year-old from Lima, ticket 24/7.",
        "On 31 June 2023 nothing happened.",
    ],
)
def test_what_only_looks_like_a_date_is_left_alone(text):
    assert find_timexes(text, TUESDAY) == []


def test_without_a_publication_date_nothing_is_guessed():
    assert find_timexes("They met on Tuesday, the minister said yesterday.") == []
    (month,) = find_timexes("They met in April.")
    assert (month.value, month.first) == ("XXXX-04", None)
    later = find_timexes("They met in April 2019. It was signed two months later.")
    assert [found.value for found in later] == ["2019-04", "2019-06"]


PIECES = st.sampled_from(
    "the day before after Monday next last May 1999 31 June two weeks ago , . 9 a.m. - of early "
    "century morning night couple half dozen semester fortnight season weekend 0000 99 '90s first quarter every Easter week million Feb. 29 and \n\n until".split(
        " "
    )
)


@given(
    st.lists(PIECES, max_size=25).map(" ".join) | st.text(max_size=80),
    st.dates() | st.none(),
)
def test_any_text_is_read_in_order_without_overlaps(text, published):
    end = 0
    for found in find_timexes(text, published):
        assert end <= found.start < found.end <= len(text)
        end = found.end
        assert (found.first is None) == (found.last is None)
        if found.first and found.last:
            assert found.first <= found.last


@given(
    st.sampled_from(["day", "week", "month", "quarter", "half", "season", "year", "decade"]),
    st.dates(date(1000, 1, 1), date(3000, 1, 1)),
    st.integers(-50, 50),
)
def test_periods_tile_the_calendar(unit, day, steps):
    period = containing(unit, day)
    assert period.first <= day <= period.last
    assert period.shift(1).first == period.last + timedelta(days=1)
    assert period.shift(steps).shift(-steps) == period
    assert containing(unit, period.last) == period
    for mod in (None, "START", "MID", "END"):
        first, last = part(period, mod)
        assert period.first <= first <= last <= period.last


def test_values_of_periods():
    day = date(2024, 12, 30)
    units = ("day", "week", "month", "quarter", "half", "season", "year", "decade", "century")
    assert [containing(unit, day).value for unit in units] == [
        "2024-12-30", "2025-W01", "2024-12", "2024-Q4", "2024-H2", "2024-WI", "2024", "202X", "20XX",
    ]  # fmt: skip
    assert Period("year", date(9999, 1, 1)).last == date.max
