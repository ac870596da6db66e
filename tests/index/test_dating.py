from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.dating import find_dateline, parse_date

DAYS = st.dates(min_value=date(1900, 1, 1), max_value=date(2025, 12, 31))


@pytest.mark.parametrize(
    ("text", "published", "place"),
    [
        ("SEOUL, Sept 19, 2023 (AFP) – South Korea", "2023-09-19", "SEOUL"),
        ("WASHINGTON (AP) — The president", None, "WASHINGTON"),
        ("PARIS, 5 September (Reuters) - The minister", None, "PARIS"),
        ("LONDON, Sept. 5 — The minister", None, "LONDON"),
        ("Sept 5, 2023 (Reuters) - The minister", "2023-09-05", None),
        ("NEW YORK, March 3, 1999 (AP) _ Stocks", "1999-03-03", "NEW YORK"),
        (
            "ST. PETERSBURG, Russia, June 3, 2021 (Reuters) - The forum",
            "2021-06-03",
            "ST. PETERSBURG, Russia",
        ),
        ("WASHINGTON, D.C. — The senator", None, "WASHINGTON, D.C."),
        (
            "WASHINGTON, D.C., Sept. 5, 2023 (GLOBE NEWSWIRE) -- Acme",
            "2023-09-05",
            "WASHINGTON, D.C.",
        ),
        ("SAN JOSE, Calif.--(BUSINESS WIRE)--Acme", None, "SAN JOSE, Calif."),
        ("NEW YORK, Sept. 5, 2023 /PRNewswire/ -- Acme", "2023-09-05", "NEW YORK"),
        ("INDEPENDENCE, MO. (AP)-- Poland", None, "INDEPENDENCE, MO."),
        ("NAIROBI, Kenya (AP) _\n\nSuspected bombs", None, "NAIROBI, Kenya"),
        ("SÃO PAULO, Sept 5, 2023 (AFP) - Lula", "2023-09-05", "SÃO PAULO"),
        ("ŁÓDŹ, Poland (AP) — The mayor", None, "ŁÓDŹ, Poland"),
        ("МОСКВА, Sept 5, 2023 (TASS) - The Kremlin", "2023-09-05", "МОСКВА"),
        ("MOSCOW, September 5. /TASS/. The Kremlin", None, "MOSCOW"),
        ("MOSCOW, Tuesday, Sept. 5 — The Kremlin", None, "MOSCOW"),
        ("NEW DELHI: The government", None, "NEW DELHI"),
        ("BAGHDAD/WASHINGTON, Sept 5 (Reuters) - The", None, "BAGHDAD/WASHINGTON"),
        ("PORT-AU-PRINCE, Haiti (AP) — Gangs", None, "PORT-AU-PRINCE, Haiti"),
        (
            "COX'S BAZAR, Bangladesh, Sept 5, 2023 (AFP) - R",
            "2023-09-05",
            "COX'S BAZAR, Bangladesh",
        ),
        ("McALLEN, Texas (AP) — The", None, "McALLEN, Texas"),
        ("RIO de JANEIRO (AP) — The", None, "RIO de JANEIRO"),
        ("Geneva, 12 March 2020 – The WHO", "2020-03-12", "Geneva"),
        ("Beijing, Jan. 5, 2020 (Xinhua) -- China", "2020-01-05", "Beijing"),
        ("TEHRAN, 2023-09-05 (IRNA) – Iran", "2023-09-05", "TEHRAN"),
        ("**SEOUL, Sept 19, 2023 (AFP)** – South", "2023-09-19", "SEOUL"),
        ("SEOUL, September 19, 2023", "2023-09-19", "SEOUL"),
        ("INVERLOCH, Feb 11, 2025 (Highland Wire) – Engineers", "2025-02-11", "INVERLOCH"),
        ("OBAN, 3 May 2024 (Local Democracy News) -- A ferry", "2024-05-03", "OBAN"),
    ],
)
def test_dateline(text, published, place):
    story = f"A headline\n\n{text} said on Tuesday."
    if text == "SEOUL, September 19, 2023":
        story = f"A headline\n\n{text}\n\nThe ministry said."
    found = find_dateline(story)
    assert found is not None
    assert (str(found.published) if found.published else None, found.place) == (published, place)
    assert found.origin == "dateline"
    assert story[found.start : found.end].startswith(place or "Sept 5")


@pytest.mark.parametrize(
    "text",
    [
        "September 5, 2023",
        "5 September 2023",
        "Tuesday, 5th of September, 2023",
        "2023-09-05",
        "2023-09-05T10:30:00Z",
        "Published September 5, 2023",
        "Published: 5 Sep 2023, 10:30 GMT",
        "Published by Reuters on September 5, 2023",
        "Posted on 5 September 2023 at 10:30 a.m. EDT",
        "Mon., Sept 5 2023 10:30 am",
        "Date: 2023-09-05",
        "(Sept. 5, 2023)",
        "By Jane Doe | September 5, 2023",
        "By Jane Doe, September 5, 2023",
        "London, 5 September 2023",
        "5 Sep 2023  |  3 min read",
        "10:30 PM EDT, Tue September 5, 2023",
        "Updated: Sept 7, 2023 | Published: Sept 5, 2023",
        "Updated September 5, 2023",
    ],
)
def test_date_line(text):
    story = f"A headline\n\n{text}\n\nThe ministry said on September 4, 2023 that it would."
    found = find_dateline(story)
    assert found is not None
    assert (found.published, found.place, found.origin) == (date(2023, 9, 5), None, "date line")
    assert "5" in story[found.start : found.end]


@pytest.mark.parametrize(
    "text",
    [
        "This picture taken on September 13, 2023 and released by KCNA - shows Kim.",
        "This picture was released by the agency on\nSeptember 13, 2023\nand shows Kim.",
        "The meeting of September 13, 2023",
        "They met on September 13, 2023.",
        "Kim met Putin on September 13, 2023 – a first",
        "On Tuesday, September 5, 2023 - the day they met",
        "Nathan Hale (June 6, 1755 – September 22, 1776) was a soldier.",
        "BREAKING NEWS — Kim meets Putin",
        "UPDATE 1 - Kim meets Putin",
        "USAGE — how to run it",
        "IMPORTANT: Please read",
        "Note - this is a note",
        "Sept 5 (Reuters) - The minister said",
        "03/04/2023",
        # the entries of a chronicle
        "September 5, 2023\nKim leaves.\n\nSeptember 13, 2023\nKim meets Putin.",
        "",
        " \n\n ",
    ],
)
def test_neither(text):
    assert find_dateline(f"A headline\n\n{text}\n\nMore was said.") is None


def test_a_dateline_below_a_caption_counts_and_the_captions_date_does_not():
    caption = "This picture taken on September 13, 2023 and released on September 14 shows " * 3
    text = f"Seoul summons envoy\n\n{caption}\n\nSEOUL, Sept 19, 2023 (AFP) – South Korea"
    found = find_dateline(text)
    assert found is not None
    assert (found.published, found.place) == (date(2023, 9, 19), "SEOUL")


def test_the_date_line_completes_a_dateline_without_a_date():
    found = find_dateline("Title\n\nSeptember 5, 2023\n\nWASHINGTON (AP) — The president said.")
    assert found is not None
    assert (found.published, found.place) == (date(2023, 9, 5), "WASHINGTON")


def test_a_date_line_below_the_running_text_does_not_count():
    prose = "The ministry said on Tuesday that it would look into the matter at once. " * 3
    assert find_dateline(f"Title\n\n{prose}\n\n{prose}\n\nSeptember 5, 2023\n") is None
    assert find_dateline("x" * 2_100 + "\n\nSEOUL, Sept 19, 2023 (AFP) – South") is None


@given(st.text(max_size=400))
def test_any_text_is_taken(text):
    found = find_dateline(text)
    assert found is None or 0 <= found.start < found.end <= len(text)


@given(
    st.lists(
        st.sampled_from(
            [
                "SEOUL",
                ", ",
                "Sept",
                " 5",
                ", 2023",
                " (AFP)",
                " – ",
                "\n",
                "By ",
                "a",
                "(",
                "2023-",
                "05",
            ]
        ),
        max_size=30,
    )
)
def test_any_mixture_of_dateline_parts_is_taken(parts):
    text = "".join(parts)
    found = find_dateline(text)
    if found and found.place:
        assert found.place in text


@given(DAYS)
def test_every_written_form_of_a_day_is_read(day):
    forms = [
        day,
        day.isoformat(),
        f"{day:%Y%m%d}",
        int(f"{day:%Y%m%d}"),
        f"{day:%Y/%m/%d}",
        f"{day:%B} {day.day}, {day.year}",
        f"{day:%b}. {day.day}, {day.year}",
        f"{day.day} {day:%B} {day.year}",
        f"{day:%A}, {day:%B} {day.day}, {day.year}",
        f"{day:%a %b} {day.day:2d} 10:30:00 {day.year}",
        f"D:{day:%Y%m%d}103000+09'00'",
        f"{day.isoformat()} 10:30:00 UTC",
    ]
    assert {parse_date(form) for form in forms} == {day}


@given(
    st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2025, 12, 31)),
    st.integers(-12, 14),
)
def test_a_time_zone_never_moves_the_day(moment, hours):
    local = moment.replace(tzinfo=timezone(timedelta(hours=hours)))
    day = moment.date()
    assert parse_date(local) == parse_date(local.isoformat()) == day
    assert parse_date(format_datetime(local)) == day
    seconds = moment.replace(microsecond=0, tzinfo=UTC).timestamp()
    for epoch in (seconds, int(seconds), int(seconds) * 1000, str(int(seconds)), seconds * 1e6):
        assert parse_date(epoch) == day


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("19 Sep 98 10:30 EST", date(1998, 9, 19)),
        ("Tue Sep 19 10:30:00 +0000 2023", date(2023, 9, 19)),
        ("2023:09:19 10:00:00", date(2023, 9, 19)),
        ("20230919T103000Z", date(2023, 9, 19)),
        ("19-Sep-2023", date(2023, 9, 19)),
        ("19/04/2023", date(2023, 4, 19)),
        ("04/19/2023", date(2023, 4, 19)),
        ("03/03/2023", date(2023, 3, 3)),
        ("03/04/2023", None),
        ("1776-07-04", date(1776, 7, 4)),
        ("0001-01-01", None),
        ("9999-12-31", None),
        ("2023-13-45", None),
        ("February 30, 2023", None),
        ("2023", None),
        ("2023-09", None),
        ("Sep 2023", None),
        ("yesterday", None),
        ("", None),
        (None, None),
        (True, None),
        (float("nan"), None),
        (float("inf"), None),
        (1e300, None),
        (["2023-09-19"], None),
    ],
)
def test_parse_date(value, day):
    assert parse_date(value) == day


@given(st.one_of(st.text(max_size=60), st.integers(), st.floats()))
def test_any_value_is_taken(value):
    assert parse_date(value) is None or isinstance(parse_date(value), date)
