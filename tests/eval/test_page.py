"""The report as one HTML file: complete, harmless whatever is in it, small, and usable by all."""

import json
import re
from html import escape
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import html
from test_showing import NASTY, reports, sample

from eval.charts import chart, curve_table, log_ticks, ticks
from eval.page import LONGEST, page
from eval.report import Cell, Curve, Outcome, QuestionOutcomes, Report, Table
from eval.showing import write_report


def parsed(report):
    return html.document_fromstring(page(report))


def embedded(tree):
    return json.loads(tree.get_element_by_id("outcomes").text)


def many(questions=3000, systems=10):
    """A report with questions of which some are right for all, some for none."""
    return Report(
        title="Many",
        summary={},
        tables=(),
        questions=tuple(
            QuestionOutcomes(
                id=f"q{number}",
                question=f"{NASTY} question {number}?",
                expected=f"answer {number}",
                outcomes={
                    f"system {s}": Outcome(
                        score=(0, 1, s / 10)[number % 3], text=f"{number} from {s}: {'word ' * 5}"
                    )
                    for s in range(systems)
                },
            )
            for number in range(questions)
        ),
    )


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(report=reports)
def test_any_text_is_shown_and_none_becomes_markup(report):
    tree = parsed(report)
    assert len(tree.findall(".//script")) == 1 + bool(report.questions)
    assert not tree.findall(".//img")
    assert len(tree.findall(".//style")) == 1
    tables = tree.xpath("//table")
    wanted = [*report.tables, *map(curve_table, report.curves)]
    assert len(tables) == len(wanted)
    for found, table in zip(tables, wanted, strict=True):
        for row, cells in zip(found.xpath(".//tbody/tr"), table.rows, strict=True):
            for shown, cell in zip(row, cells, strict=True):
                text = f"{cell.text} {cell.mark}".strip()
                if text.isprintable():  # parsers differ in control characters
                    assert text in shown.text_content()
    if report.questions:
        data = embedded(tree)
        assert [row[:3] for row in data["questions"]] == [
            [asked.id, asked.question, asked.expected] for asked in report.questions
        ]
        for row, asked in zip(data["questions"], report.questions, strict=True):
            given = {
                system: (score, data["texts"][text])
                for system, score, text in zip(data["systems"], row[3], row[4], strict=True)
                if score is not None
            }
            assert given == {
                name: (round(outcome.score, 4), outcome.text)
                for name, outcome in asked.outcomes.items()
            }


def test_the_page_needs_nothing_else():
    written = page(sample())
    assert "default-src 'none'" in written
    tree = html.document_fromstring(written)
    attributes = {(name, value) for each in tree.iter() for name, value in each.items()}
    assert {value for name, value in attributes if name in ("src", "href")} == {"data:,"}
    assert not [name for name, _ in attributes if name.startswith("on") or name == "style"]
    assert "url(" not in written
    assert "@import" not in written


def test_three_thousand_questions_of_ten_systems_stay_small():
    written = page(many()).encode()
    assert len(written) < 2_000_000


def test_a_long_text_is_cut_in_the_page():
    asked = QuestionOutcomes(
        id="1", question="q", expected="", outcomes={"a": Outcome(score=0, text="x" * 1000)}
    )
    tree = parsed(Report(title="", summary={}, tables=(), questions=(asked,)))
    assert embedded(tree)["texts"] == ["x" * (LONGEST - 1) + "…"]


def test_tables_say_what_their_figures_are():
    table = parsed(sample()).find(".//table")
    assert table.find("caption").text_content() == "Ranking"
    assert [head.get("scope") for head in table.iter("th")] == ["col", "col", "row", "row"]
    best, other = table.iter("td")
    assert best.get("class") == "best"
    assert best.text_content() == "0.357 ▲ (best)"
    assert (best.get("data-value"), other.get("data-value")) == ("0.357", "0.331")
    assert other.find_class("detail")[0].text == "95 % 0.30 to 0.36"


def test_a_column_of_text_wraps_and_one_of_figures_does_not():
    rows = tuple((Cell(text=name), Cell(text="x" * 40), Cell(text="0.1")) for name in "ab")
    table = Table(caption="", columns=("", "asked", "score"), rows=rows)
    found = parsed(Report(title="", summary={}, tables=(table,))).find(".//table")
    assert [cell.get("class") for cell in found.iter("th", "td")][1:3] == ["wordy", None]
    assert [cell.get("class") for cell in found.iter("td")] == ["wordy", None] * 2


def test_a_chart_names_its_axes_and_lines():
    figure = html.fragment_fromstring(chart(sample().curves[0], "c"))
    texts = [text.text for text in figure.iter("text")]
    assert texts[-2:] == ["k", "recall"]
    assert {"1", "2", "3"} <= set(texts)
    drawing = figure.find("svg")
    described = [figure.get_element_by_id(name) for name in drawing.get("aria-labelledby").split()]
    assert described[0].text == "Depth"
    assert [item.text_content() for item in figure.iter("li")] == ["hybrid"]  # bm25 has no points


def test_lines_differ_by_more_than_colour():
    curve = Curve(caption="", x="", y="", series={f"s{n}": ((0, n), (1, n)) for n in range(20)})
    figure = html.fragment_fromstring(chart(curve, "c"))
    keys = [html.tostring(key) for item in figure.iter("li") for key in item.iter("svg")]
    bare = [re.sub(rb'class="key c\d"', b"", key) for key in keys]
    assert len(set(keys)) == 20
    assert len(set(bare[:8])) == 8


@pytest.mark.parametrize(
    "points",
    [
        (),
        ((0.0, 0.0),),
        ((5.0, -3.0), (5.0, -3.0)),
        ((1e-138, 0.0), (2e-14, 0.5), (2.1e-14, 1.0)),
        ((1.0, float("nan")), (2.0, 1.0)),
        ((0.0, 1e-12), (1e9, 2e-12)),
        tuple((float(i), i % 7 / 7) for i in range(5000)),
    ],
)
@pytest.mark.parametrize("log_x", [False, True])
def test_any_points_can_be_drawn(points, log_x):
    drawn = chart(Curve(caption="c", x="x", y="y", series={"s": points}, log_x=log_x), "c")
    assert not re.search(r"\b(nan|inf)\b", drawn)
    assert len(drawn) < 12_000
    places = re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", "".join(re.findall(r'stroke".*?/>', drawn)))
    assert all(0 <= float(x) <= 460 and 0 <= float(y) <= 300 for x, y in places)


@given(low=st.floats(-1e6, 1e6), span=st.floats(1e-6, 1e6), count=st.integers(2, 10))
def test_ticks_are_within_and_evenly_apart(low, span, count):
    marks = ticks(low, low + span, count)
    slack = 1e-6 * (span + abs(low))
    assert all(low - slack <= mark <= low + span + slack for mark in marks)
    assert len(marks) <= count + 1
    if span > 1e-3 * abs(low):
        assert len({f"{after - before:.4g}" for before, after in pairwise(marks)}) <= 1


def test_log_ticks():
    assert log_ticks(1, 100) == [1, 2, 5, 10, 20, 50, 100]
    assert log_ticks(3, 4) == []


@pytest.fixture
def opened(browser, tmp_path):
    """Opens a report; gives the page, which must neither complain nor fetch anything."""
    contexts, noted = [], []

    def go(report, **options):
        path = tmp_path / "report.html"
        write_report(report, path)
        contexts.append(browser.new_context(**options))
        shown = contexts[-1].new_page()
        shown.on("console", lambda message: noted.append(message.text))
        shown.on("pageerror", lambda error: noted.append(str(error)))
        shown.on("dialog", lambda dialog: (noted.append("dialog"), dialog.dismiss()))
        shown.on(
            "request",
            lambda request: None if request.url == path.as_uri() else noted.append(request.url),
        )
        shown.goto(path.as_uri())
        return shown

    yield go
    for context in contexts:
        context.close()
    assert noted == []


def full_report():
    names = ["hybrid", "bm25", "a-system-with-a-name-that-is-long-and-does-not-break-anywhere"]
    cells = [
        tuple(
            Cell(
                text=f"0.{n}{c}", value=(10 * n + c) / 100, best=n == c, mark="▲", detail=f"p{n}{c}"
            )
            for c in range(8)
        )
        for n in range(3)
    ]
    table = Table(
        caption="A ranking of 3,633 documents for 323 queries",
        columns=("system", *(f"measure@{c}" for c in range(8))),
        rows=tuple((Cell(text=name), *row) for name, row in zip(names, cells, strict=True)),
        note=NASTY,
    )
    return Report(
        title=NASTY,
        summary={"machine": "two cores"},
        tables=(table, sample().tables[0]),
        curves=sample().curves,
        questions=many(300, 3).questions,
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_keeps_people_out(opened, scheme, width):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    shown = opened(full_report(), color_scheme=scheme, viewport={"width": width, "height": 800})
    shown.locator("#list summary").first.click()
    shown.locator(".curve summary").click()
    shown.locator(".details input").first.check()
    found = axe.run(shown).response["violations"]
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []
    assert shown.evaluate("document.documentElement.scrollWidth") == width  # no sideways scrolling


def test_questions_are_found_filtered_and_ordered(opened):
    shown = opened(full_report())
    count, first = shown.locator("#count"), shown.locator("#list summary").first
    assert count.inner_text() == "300 of 300 questions"
    assert shown.locator("#list details").count() == 50
    shown.click("#more")
    assert shown.locator("#list details").count() == 100
    assert f"{NASTY} question 0?" in first.inner_text()

    shown.select_option("#show", "wrong")
    assert count.inner_text() == "200 of 300 questions"  # s / 10 is below 0.5 for three systems
    shown.select_option("#show", "differ")
    assert count.inner_text() == "100 of 300 questions"
    shown.select_option("#show", "right")
    shown.fill("#search", "QUESTION 7?")
    assert count.inner_text() == "10 of 300 questions"  # 7, 37, 67, ...
    assert "3 of 3 right" in first.inner_text()

    first.press("Enter")
    gave = shown.locator(".given")
    assert "Expected: answer 7" in gave.inner_text()
    assert gave.locator("tbody tr").all_inner_texts()[1].split("\t") == [
        "system 1",
        "1.00",
        "7 from 1: word word word word word",
    ]

    shown.fill("#search", "")
    shown.select_option("#show", "all")
    shown.select_option("#first", "2")  # its score is ahead of the first system's by 0.2 at most
    shown.select_option("#order", "differ")
    assert "0.20 / 0.00" in first.inner_text()
    shown.select_option("#first", "0")
    assert not shown.locator("#second").is_disabled()
    assert "0.00 / 0.00" in first.inner_text()  # beside the second: it is never ahead
    shown.fill("#search", "no such question")
    assert count.inner_text() == "0 of 300 questions"


def test_tables_sort_and_tell_details(opened):
    shown = opened(full_report())
    table = shown.locator(".measured table").first

    def names():
        return [text[:6] for text in table.locator("tbody th").all_inner_texts()]

    heading = table.locator("thead th").nth(1)
    heading.locator("button").click()
    assert (names(), heading.get_attribute("aria-sort")) == (
        ["a-syst", "bm25", "hybrid"],
        "descending",
    )
    heading.locator("button").press("Enter")
    assert (names(), heading.get_attribute("aria-sort")) == (
        ["hybrid", "bm25", "a-syst"],
        "ascending",
    )
    table.locator("thead button").first.click()
    assert names() == ["a-syst", "bm25", "hybrid"]
    table.locator("thead button").first.click()
    table.locator("thead button").first.click()
    assert names() == ["hybrid", "bm25", "a-syst"]

    tip = shown.locator("#tip")
    assert tip.is_hidden()
    table.locator("td").nth(1).hover()
    assert (tip.is_visible(), tip.inner_text()) == (True, "p01")
    shown.keyboard.press("Escape")
    assert tip.is_hidden()
    detail = table.locator("td .detail").first
    assert detail.is_hidden()
    shown.locator(".details input").first.press("Space")
    assert detail.is_visible()


def test_the_theme_can_be_chosen(opened):
    shown = opened(sample(), color_scheme="light")

    def background():
        return shown.evaluate("getComputedStyle(document.body).backgroundColor")

    light = background()
    shown.click("#theme")
    assert (shown.inner_text("#theme"), background()) == ("Theme: light", light)
    shown.click("#theme")
    assert (shown.inner_text("#theme"), background() != light) == ("Theme: dark", True)
    shown.reload()
    assert shown.inner_text("#theme") == "Theme: dark"  # remembered


def test_tables_and_charts_need_no_script(opened):
    shown = opened(full_report(), java_script_enabled=False)
    assert shown.locator(".measured table").first.is_visible()
    assert shown.locator(".chart > svg").is_visible()
    assert shown.locator("form").is_hidden()
    assert "scripts are off" in shown.inner_text("main")
    assert escape(NASTY) in shown.content()
