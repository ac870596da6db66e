"""Stand-ins for the models: a hashing embedder, and an assistant that answers with a name."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from support import HashEmbedder

from index import EmbeddedIndex
from qa import Answer, Citation, Span
from qa.answer import Passage


def words(text):
    return re.findall(r"\w+", text.lower())


class FakeAssistant:
    """Candidates: the last capitalised word of each passage; abstains where few words match."""

    def __init__(self, index, reader=None, *, explain=True):
        self.index = index
        self.threshold = reader.settings["calibration"]["threshold"] if reader else 0.5

    def candidates(self, question, top_k=12):
        hits = self.index.search(question, top_k)
        return [
            SimpleNamespace(text=hit.chunk.text[start:end], confidence=0.9, hit=hit, start=start)
            for hit in hits
            for start, end in [list(re.finditer(r"[A-Z]\w+", hit.chunk.text))[-1].span()]
        ]

    def ask(self, question, top_k=12):
        candidates = self.candidates(question, top_k)[:1]
        wanted = set(words(question))
        found = [
            c for c in candidates if 2 * len(wanted & set(words(c.hit.chunk.text))) >= len(wanted)
        ]
        return Answer(
            question=question,
            resolved_question=question,
            abstained=not found,
            answers=[
                Span(text=c.text, confidence=c.confidence, slot=None, citations=[1]) for c in found
            ],
            citations=[
                Citation(
                    number=1,
                    document_id=c.hit.document.id,
                    title="",
                    source=f"/tmp/x/{c.hit.document.source}",
                    published=None,
                    start=c.hit.chunk.start + c.start,
                    end=c.hit.chunk.start + c.start + len(c.text),
                    quote=c.text,
                    passage=Passage(
                        start=c.hit.chunk.start, end=c.hit.chunk.end, text=c.hit.chunk.text
                    ),
                    page=None,
                )
                for c in found
            ],
            timings_ms={"retrieve": 1.0, "read": 2.0, "total": 3.0},
        )


@pytest.fixture
def light(monkeypatch):
    """No models, no processes: the embedder hashes, the assistant looks for names."""
    for module in ("index.embedded", "eval.retrieval", "eval.experiment"):
        monkeypatch.setattr(f"{module}.load_embedder", lambda _: HashEmbedder())
    monkeypatch.setattr("eval.experiment.in_fresh_process", lambda f, *args: f(*args))
    monkeypatch.setattr("qa.Assistant", FakeAssistant, raising=False)


@pytest.fixture
def new_index(light, tmp_path):
    """Builds an index of the given documents."""
    opened = []

    def build(documents):
        index = EmbeddedIndex.open(tmp_path / f"index{len(opened)}")
        opened.append(index)
        index.add(documents)
        return index

    yield build
    for index in opened:
        index.close()


@pytest.fixture
def beir_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "tiny"
    (folder / "qrels").mkdir(parents=True)
    (folder / "corpus.jsonl").write_text(
        '{"_id": "d1", "title": "Tea", "text": "Green tea is grown in China. Tea is hot."}\n'
        '{"_id": "d2", "title": "Coffee", "text": "Coffee is grown in Brazil."}\n'
        "\n"
        '{"_id": "d3", "text": ""}\n'
    )
    (folder / "queries.jsonl").write_text(
        '{"_id": "q1", "text": "green tea"}\n{"_id": "q2", "text": "coffee"}\n'
        '{"_id": "q3", "text": "unjudged"}\n{"_id": "q4", "text": "zebra"}\n'
    )
    (folder / "qrels" / "test.tsv").write_text(
        "query-id\tcorpus-id\tscore\nq1\td1\t2\nq2\td1\t1\nq2\td2\t0\nq4\tgone\t1\n"
    )
    return folder
