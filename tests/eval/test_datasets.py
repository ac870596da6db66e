import gzip
import json
from pathlib import Path

import pytest

from eval.datasets import load_beir, load_squad, paragraph_documents
from index.errors import LoadError, UsageError

SHARED = Path("/work/shared/data")
OFFICIAL = {
    "version": "v2.0",
    "data": [
        {
            "title": "Oil_crisis",
            "paragraphs": [
                {
                    "context": "It began in 1973.",
                    "qas": [
                        {
                            "id": "a",
                            "question": "When?",
                            "answers": [{"text": "1973", "answer_start": 12}],
                            "is_impossible": False,
                        },
                        {
                            "id": "b",
                            "question": "Why?",
                            "answers": [],
                            "plausible_answers": [{"text": "1973", "answer_start": 12}],
                            "is_impossible": True,
                        },
                    ],
                },
                {"context": "It ended.", "qas": []},
            ],
        }
    ],
}
LINE = {
    "id": "a",
    "title": "Oil_crisis",
    "context": "It began in 1973.",
    "question": "When?",
    "answers": [{"text": "1973", "start": 12}],
    "is_impossible": False,
}


def test_beir_keeps_judged_queries_and_the_collections_own_ids(beir_folder):
    collection = load_beir(beir_folder)
    assert collection.name == "tiny"
    assert [document.source for document in collection.documents] == ["d1", "d2", "d3"]
    assert list(collection.queries) == ["q1", "q2", "q4"]
    assert collection.qrels == {"q1": {"d1": 2}, "q2": {"d1": 1, "d2": 0}, "q4": {"gone": 1}}


def test_beir_reads_gzip_and_takes_the_title_for_an_empty_text(beir_folder):
    corpus = beir_folder / "corpus.jsonl"
    with gzip.open(beir_folder / "corpus.jsonl.gz", "wt") as file:
        file.write('{"_id": "d9", "title": "Only a title", "text": ""}\n')
    corpus.unlink()
    (document,) = load_beir(beir_folder).documents
    assert (document.title, document.text) == ("Only a title", "Only a title")


def test_beir_split(beir_folder):
    (beir_folder / "qrels" / "dev.tsv").write_text("q3\td2\t1\n")
    assert list(load_beir(beir_folder).queries) == ["q1", "q2", "q4"]
    assert list(load_beir(beir_folder, "dev").queries) == ["q3"]
    with pytest.raises(UsageError, match="Choose one of: dev, test"):
        load_beir(beir_folder, "train")


@pytest.mark.parametrize("missing", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"])
def test_beir_says_what_is_missing(beir_folder, missing):
    (beir_folder / missing).unlink()
    with pytest.raises(UsageError, match="BEIR layout"):
        load_beir(beir_folder)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("corpus.jsonl", b'{"_id": "1", "text": "x"}\n{"_id"', "corpus.jsonl line 2 is not JSON"),
        ("corpus.jsonl", b"\n[1]\n", "line 2 is not a JSON object"),
        ("corpus.jsonl", b'{"_id": 1, "text": "x"}', "line 1: field '_id' is of type int"),
        ("corpus.jsonl", b'{"_id": "1"}', "line 1: field 'text' is missing"),
        ("corpus.jsonl", b'{"_id": "1", "text": ""}\n' * 2, "line 2: document id '1' .* twice"),
        ("queries.jsonl", b'{"_id": "q"}\n\xff\n', "line 1: field 'text'"),
        ("queries.jsonl", b'{"_id": "q", "text": "t"}\n\xff\n', "line 2 is not UTF-8"),
        ("qrels/test.tsv", b"query-id\tcorpus-id\tscore\nq1\td1\tvery\n", "line 2 is not"),
        ("qrels/test.tsv", b"q1 d1 1\n", "line 1 is not"),
        ("qrels/test.tsv", b"q1\td1\t1\nq77\td1\t1\n", "line 2 judges query 'q77'"),
        ("qrels/test.tsv", b"query-id\tcorpus-id\tscore\n", "holds no judgement"),
    ],
)
def test_beir_damage_is_named_with_its_line(beir_folder, name, content, message):
    (beir_folder / name).write_bytes(content)
    with pytest.raises(LoadError, match=message):
        load_beir(beir_folder)


def test_squad_formats_agree(tmp_path):
    official, lines = tmp_path / "squad.json", tmp_path / "squad.jsonl.gz"
    official.write_text(json.dumps(OFFICIAL, indent=1))
    other = {**LINE, "id": "b", "question": "Why?", "answers": [], "is_impossible": True}
    with gzip.open(lines, "wt") as file:
        file.write(json.dumps(LINE) + "\n" + json.dumps(other) + "\n")
    assert load_squad(official) == load_squad(lines)
    first, second = load_squad(lines)
    assert first.answers == ("1973",)
    assert second.is_impossible
    assert second.answers == ()


def test_squad_v1_has_no_is_impossible(tmp_path):
    record = dict(LINE)
    del record["is_impossible"]
    (tmp_path / "v1.jsonl").write_text(json.dumps(record))
    assert not load_squad(tmp_path / "v1.jsonl")[0].is_impossible


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{\n"data": [\n}', "line 3 is not JSON"),
        ("[]", "top level is not an object"),
        ("{}", "field 'data' is missing"),
        ('{"data": [{"paragraphs": [{"context": "c"}]}]}', r"data\[0\].paragraphs\[0\]: .*'qas'"),
        (
            '{"data": [{"paragraphs": [{"context": "c", "qas": [{"id": "1", "question": "?"}]}]}]}',
            r"data\[0\].paragraphs\[0\].qas\[0\]: field 'answers' is missing",
        ),
    ],
)
def test_squad_damage_is_named_with_its_place(tmp_path, content, message):
    path = tmp_path / "squad.json"
    path.write_text(content)
    with pytest.raises(LoadError, match=message):
        load_squad(path)


def test_squad_wants_an_answer_or_impossible(tmp_path):
    (tmp_path / "x.jsonl").write_text(json.dumps({**LINE, "answers": []}))
    with pytest.raises(LoadError, match="line 1 has no answer"):
        load_squad(tmp_path / "x.jsonl")


def test_squad_paths(tmp_path):
    with pytest.raises(UsageError, match="There is no file"):
        load_squad(tmp_path / "no.json")
    (tmp_path / "squad.txt").write_text("")
    with pytest.raises(UsageError, match="does not say its format"):
        load_squad(tmp_path / "squad.txt")


def test_truncated_gzip(tmp_path):
    path = tmp_path / "x.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(LINE).encode() * 100)[:60])
    with pytest.raises(LoadError, match="cannot be read"):
        load_squad(path)


def test_paragraphs_are_numbered_in_their_article(tmp_path):
    path = tmp_path / "x.jsonl"
    contexts = [("A_b", "One."), ("A_b", "One."), ("C", "Two."), ("A_b", "Three.")]
    path.write_text("\n".join(json.dumps({**LINE, "title": t, "context": c}) for t, c in contexts))
    documents = paragraph_documents(load_squad(path))
    assert [(d.source, d.title) for d in documents.values()] == [
        ("A b/1", "A b"),
        ("C/1", "C"),
        ("A b/2", "A b"),
    ]
    assert all(document.text == context for context, document in documents.items())


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared data is not on this machine")
def test_real_collections():
    collection = load_beir(SHARED / "retrieval" / "cranfield")
    assert (len(collection.documents), len(collection.queries)) == (1405, 225)
    assert sum(map(len, collection.qrels.values())) == 1612
    examples = load_squad(SHARED / "eval" / "squad_v2_dev.jsonl.gz")
    assert len(examples) == 11873
    assert sum(example.is_impossible for example in examples) == 5945
    assert len(paragraph_documents(examples)) == 1204
