"""The bundled question set says only what the bundled sample says."""

import json
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from index.loading import load_file

ROOT = Path(__file__).parent.parent.parent
SAMPLE = ROOT / "qa" / "sample"
FORMATS = {".csv", ".docx", ".eml", ".html", ".jsonl", ".md", ".pdf", ".txt"}
TYPES = {"who", "where", "when", "what", "which", "how many", "how much", "how", "why"}
TYPES |= {"yes/no", "list"}

QUESTIONS = [
    json.loads(line)
    for line in (ROOT / "eval" / "sample_questions.jsonl").read_text(encoding="utf-8").splitlines()
]


def sources_of(question):
    return question["source"] if isinstance(question["source"], list) else [question["source"]]


def occurs(answer, text):
    """Whether `answer` stands verbatim in `text` as whole words."""
    return re.search(rf"(?<!\w){re.escape(answer)}(?!\w)", text) is not None


@pytest.fixture(scope="module")
def documents():
    loaded = [d for path in sorted(SAMPLE.iterdir()) for d in load_file(path, path.name)]
    assert len({d.source for d in loaded}) == len(loaded)
    return {d.source: d for d in loaded}


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: q["id"])
def test_answers_stand_verbatim_in_their_sources(question, documents):
    texts = [documents[source].text for source in sources_of(question)]
    for answer in question["answers"]:
        assert any(occurs(answer, text) for text in texts), answer
    for source, text in zip(sources_of(question), texts, strict=True):
        assert any(occurs(answer, text) for answer in question["answers"]), source


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: q["id"])
def test_records_are_well_formed(question):
    keys = {"id", "question", "answers", "source", "type", "value", "unanswerable"}
    assert set(question) == keys
    assert question["type"] in TYPES
    assert question["unanswerable"] == (not question["answers"]) == (not question["source"])
    dated = question["type"] == "when" and not question["unanswerable"]
    assert (question["value"] is not None) == dated
    if dated:
        date.fromisoformat(question["value"])


def test_sixty_different_questions_twelve_without_an_answer():
    assert len({q["id"] for q in QUESTIONS}) == len({q["question"] for q in QUESTIONS}) == 60
    assert sum(q["unanswerable"] for q in QUESTIONS) == 12


def test_every_document_format_is_asked_about(documents):
    assert {path.suffix for path in SAMPLE.iterdir()} == FORMATS
    asked = {source.split("#")[0] for q in QUESTIONS for source in sources_of(q)}
    assert asked == {path.name for path in SAMPLE.iterdir()}


def test_every_document_is_titled_and_dated_and_none_repeats(documents):
    assert len(documents) == 21
    assert all(d.title for d in documents.values())
    assert [d.source for d in documents.values() if d.published is None] == []
    assert min(d.published for d in documents.values()) == date(2024, 3, 4)
    assert max(d.published for d in documents.values()) == date(2026, 2, 24)
    places = {d.place for d in documents.values()}
    assert {"PORT ELLERY", "TAMSIN BAY", "HALDERVIK", "DUNMARROW"} <= places
    assert len({d.text_hash for d in documents.values()}) == len(documents)


def test_the_web_pages_lose_their_furniture(documents):
    for source, document in documents.items():
        if source.endswith(".html"):
            assert not re.search(r"cookie|Subscribe|Privacy|Circulation|Letters", document.text)


def test_the_binary_files_are_what_their_builder_writes(documents, tmp_path):
    subprocess.run([sys.executable, ROOT / "tests" / "build_sample.py", tmp_path], check=True)
    built = sorted(tmp_path.iterdir())
    assert [path.suffix for path in built] == [".pdf", ".docx"]
    for path in built:
        for document in load_file(path, path.name):
            assert document == documents[document.source]
