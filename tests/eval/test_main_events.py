"""Main events: articles are read, and answers are matched with annotators' phrases."""

import json

import pytest
from typer.testing import CliRunner

from eval.cli import app
from eval.main_events import evaluate_main_events, load_articles
from index.errors import LoadError, UsageError

ARTICLE = {
    "title": "Fire destroys paper mill in Halden",
    "text": "A fire destroyed the Saugbruk paper mill in Halden on Tuesday night. Nobody was hurt, "
    "the fire chief, Nora Lie, said. A new mill was opened in Bergen in 2009.",
    "date_publish": "2016-11-10 00:00:00",
    "fiveWoneH": {
        "who": {"annotated": [{"text": "A fire"}]},
        "where": {"annotated": [{"text": "Halden"}, {"coderPhraseCount": 1}]},
        "when": {"annotated": [{"text": "on Tuesday night", "parsed": "2016-11-08"}]},
        "why": {"annotated": []},
    },
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(ARTICLE), encoding="utf-8")
    unmarked = {**ARTICLE, "fiveWoneH": {}, "date_publish": "None"}
    (tmp_path / "b.json").write_text(json.dumps(unmarked), encoding="utf-8")
    return tmp_path


def test_articles_are_read(folder):
    marked, unmarked = load_articles(folder)
    assert marked.document.published.isoformat() == "2016-11-10"
    assert marked.phrases["where"] == ("Halden",)
    assert unmarked.document.published is None
    assert not any(unmarked.phrases.values())


def test_answers_are_matched_with_phrases(folder):
    result = evaluate_main_events(load_articles(folder))
    answers = {row.slot: row for row in result.rows}
    assert answers["where"].answer == "Halden"
    assert answers["when"].answer == "Tuesday night"
    assert answers["when"].f1 == pytest.approx(0.8)
    assert {slot.slot: slot.articles for slot in result.slots} == {"who": 1, "where": 1, "when": 1}


def test_the_command(folder, tmp_path):
    out = tmp_path / "rows.jsonl"
    done = CliRunner().invoke(app, ["main-events", str(folder), "--json", "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert len(out.read_text().splitlines()) == 3


def test_what_is_no_article_is_named(tmp_path):
    with pytest.raises(UsageError, match="json"):
        load_articles(tmp_path)
    (tmp_path / "bad.json").write_text("{}", encoding="utf-8")
    with pytest.raises(LoadError, match=r"bad\.json"):
        load_articles(tmp_path)
