"""What the page computes without drawing: offsets, dates, likelihoods, ticks, labels."""

import itertools

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

CALL = """async ([module, name, given]) => {
    const found = await import(`/page/${module}.js`);
    return found[name](...given);
}"""


@pytest.fixture(scope="module")
def call(browser, service):
    """Calls a function of one of the page's modules."""
    page = browser.new_page()
    page.goto(service)
    yield lambda module, name, *given: page.evaluate(CALL, [module, name, given])
    page.close()


@given(
    text=st.text(
        alphabet=st.one_of(
            st.characters(exclude_categories=["Cs"]), st.sampled_from("🎉𝒜e\u0301\n")
        )
    ),
    data=st.data(),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_offsets_are_those_of_python(call, text, data):
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=4)))
    edges = [0, *cuts, len(text)]
    expected = [text[a:b] for a, b in itertools.pairwise(edges)]
    assert call("text", "pieces", text, cuts) == expected
    units = [len(text[:cut].encode("utf-16-le")) // 2 for cut in reversed(cuts)]
    assert call("text", "utf16", text, cuts[::-1]) == units


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2024-03-04", "2024-03-04", "4 March 2024"),
        ("2023-07-21", "2023-07-31", "21–31 July 2023"),
        ("2024-02-01", "2024-02-29", "February 2024"),
        ("2024-01-01", "2024-12-31", "2024"),
        ("2024-01-01", "2024-03-31", "January–March 2024"),
        ("2023-12-30", "2024-01-02", "30 December 2023 – 2 January 2024"),
        (None, None, ""),
        ("soon", "later", ""),
    ],
)
def test_days_are_told_as_people_write_them(call, start, end, expected):
    told = call("text", "days", {"start": start, "end": end})
    assert "".join(told.split()) == "".join(expected.split())  # Chromium's spaces differ


@pytest.mark.parametrize(
    ("confidence", "words", "number"),
    [
        (1, "almost certain", "99"),
        (0.95, "almost certain", "95"),
        (0.91, "very likely", "91"),
        (0.8, "very likely", "80"),
        (0.7999, "likely", "80"),
        (0.55, "likely", "55"),
        (0.5, "about even", "50"),
        (0.3, "unlikely", "30"),
        (0.1, "very unlikely", "10"),
        (0, "almost no chance", "1"),
    ],
)
def test_confidence_is_told_in_the_words_of_analysts(call, confidence, words, number):
    assert call("text", "likelihood", confidence) == words
    assert call("text", "percent", confidence) == f"{number}\u202f%"


heights = st.integers(1, 50)


@given(labels=st.lists(st.tuples(st.integers(-50, 500), heights), max_size=12))
@settings(max_examples=60, deadline=None)
def test_labels_stay_in_order_without_overlap_and_move_only_if_they_must(call, labels):
    labels.sort()
    wanted, tall = [top for top, _ in labels], [height for _, height in labels]
    tops = call("timescale", "placed", wanted, tall)
    assert len(tops) == len(labels)
    assert all(top >= 0 for top in tops)
    assert all(b >= a + height - 1e-6 for a, b, height in zip(tops, tops[1:], tall, strict=False))
    free = all(b >= a + height for a, b, height in zip(wanted, wanted[1:], tall, strict=False))
    if free and all(top >= 0 for top in wanted):
        assert tops == pytest.approx(wanted)


@given(spans=st.lists(st.tuples(st.integers(0, 100), st.integers(1, 40)), max_size=12))
@settings(max_examples=40, deadline=None)
def test_what_is_in_one_lane_does_not_touch(call, spans):
    intervals = sorted([start, start + length] for start, length in spans)
    lanes = call("timescale", "lanes", intervals)
    for lane in set(lanes):
        own = [interval for interval, at in zip(intervals, lanes, strict=True) if at == lane]
        assert all(a[1] <= b[0] for a, b in itertools.pairwise(own))
    crowd = [sum(a <= at < b for a, b in intervals) for at in range(140)]
    assert len(set(lanes)) == max(crowd, default=0)  # no more than there must be


@pytest.mark.parametrize(
    ("start", "end", "most", "labels"),
    [
        ("2024-01-15", "2024-04-15", 6, ["Feb 2024", "Mar", "Apr"]),
        ("2023-11-01", "2024-03-01", 6, ["Nov 2023", "Dec", "Jan 2024", "Feb", "Mar"]),
        ("1890-06-01", "2020-06-01", 4, ["1900", "1950", "2000"]),
        ("2024-02-27", "2024-03-02", 9, ["27 Feb 2024", "28 Feb", "29 Feb", "1 Mar", "2 Mar"]),
        ("0900-01-01", "0990-01-01", 4, ["900", "950"]),
    ],
)
def test_ticks_stand_at_the_starts_of_days_months_and_years(call, start, end, most, labels):
    first, last = (call("timescale", "moment", day) for day in (start, end))
    ticks = call("timescale", "ticks", first, last, most)
    assert [tick["label"] for tick in ticks] == labels
    assert all(first <= tick["at"] <= last for tick in ticks)
