"""TimeML is read with exact offsets, and scored as TempEval-3 defines it."""

import json

import pytest
from typer.testing import CliRunner

from eval.cli import app
from eval.dates import evaluate_dates, load_timeml, mistakes, pair
from index.errors import LoadError, UsageError

STORY = """<?xml version="1.0" ?><TimeML><DOCID>one</DOCID>
<DCT><TIMEX3 tid="t0" type="DATE" value="2023-09-19" functionInDocument="CREATION_TIME">Sept. 19, 2023</TIMEX3></DCT>
<TEXT>He <EVENT eid="e1">left</EVENT> on <TIMEX3 tid="t1" type="DATE" value="2023-09-18">Monday</TIMEX3> &amp; is <TIMEX3 tid="t2" type="DATE" value="2023-XX">back in 2023</TIMEX3>, after
<TIMEX3 tid="t3" type="DURATION" value="P1E">an age</TIMEX3>, says he <TIMEX3 tid="t4" type="DATE" value="2023-09-20">today</TIMEX3> for two days.</TEXT></TimeML>"""  # noqa: E501


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "one.tml").write_text(STORY, encoding="utf-8")
    return tmp_path


def test_timeml_is_read_with_exact_offsets(folder):
    (story,) = load_timeml(folder)
    assert story.created.isoformat() == "2023-09-19"
    words = [story.text[t.start : t.end] for t in story.timexes]
    assert words == ["Monday", "back in 2023", "an age", "today"]
    assert "left on Monday & is" in story.text


def test_scores_by_hand(folder):
    # Four marked, four found ("Monday", "2023", "today", "two days"): three overlap, two have the
    # same extent, one the same value, two the same date.
    *_, total = evaluate_dates(load_timeml(folder))
    assert (total.expressions, total.found) == (4, 4)
    assert total.relaxed == pytest.approx(3 / 4)
    assert total.strict == pytest.approx(2 / 4)
    assert total.value == pytest.approx(1 / 4)
    assert total.equal_value == pytest.approx(2 / 4)
    assert total.type == pytest.approx(3 / 4)
    kinds = [(bool(p.gold), bool(p.found)) for p in pair(load_timeml(folder))]
    assert kinds == [(True, True), (True, True), (True, False), (True, True), (False, True)]


def test_mistakes_are_shown_with_their_text(folder):
    told = list(mistakes(load_timeml(folder)))
    assert [row["annotated"] for row in told] == ["an age", "today", None]
    assert "says he today" in told[1]["text"]


def test_what_is_no_timeml_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"no \.tml"):
        load_timeml(tmp_path)
    (tmp_path / "bad.tml").write_text("<TimeML>", encoding="utf-8")
    with pytest.raises(LoadError, match=r"bad\.tml"):
        load_timeml(tmp_path)
    (tmp_path / "bad.tml").write_text("<TimeML/>", encoding="utf-8")
    with pytest.raises(LoadError, match="TEXT"):
        load_timeml(tmp_path)


def test_the_command(folder, tmp_path):
    out = tmp_path / "mistakes.jsonl"
    result = CliRunner().invoke(app, ["dates", str(folder), "--json", "--mistakes", str(out)])
    assert result.exit_code == 0, result.output
    assert [row["part"] for row in json.loads(result.stdout)] == ["development", "held out", "all"]
    assert out.exists()
    assert "value F1" in CliRunner().invoke(app, ["dates", str(folder)]).stdout
