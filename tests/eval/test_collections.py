"""A collection is read from whatever shape it comes in."""

import gzip
import html
import json

import pytest
from support import make_document

from eval import evaluate
from eval.collections import load_collection, load_trec
from eval.datasets import load_beir
from index import EmbeddedIndex
from index.errors import IndexNotFoundError, LoadError, UsageError

DOCUMENTS = """\
<DOC>
<DOCNO> FT911-1 </DOCNO>
<HEADLINE> Tea &amp;
 coffee </HEADLINE>
<TEXT>
<P>
Green tea is grown

in China.
</P>
</TEXT>
<TEXT>More.</TEXT>
</DOC>
"""
DESCRIPTION = 'corpus = "docs"\ntopics = "topics"\nqrels = "qrels"\n'


@pytest.fixture
def trec(tmp_path):
    """Writes a collection's parts; gives its folder."""
    folder = tmp_path / "wire"
    folder.mkdir()

    def write(description=DESCRIPTION, **parts):
        (folder / "collection.toml").write_text(description, encoding="utf-8")
        usual = {
            "docs": DOCUMENTS,
            "topics": "051\tgreen tea\n52\tzebra\n",
            "qrels": "51 0 FT911-1 1",
        }
        for name, text in (usual | parts).items():
            if text is not None:
                (folder / name).write_text(text, encoding="utf-8")
        return folder

    return write


def test_a_beir_folder(beir_folder):
    assert load_collection(beir_folder) == load_beir(beir_folder)


def test_beir_and_trec_of_the_same_collection_are_equal(beir_folder, trec):
    beir = load_beir(beir_folder)
    folder = trec(
        'name = "tiny"\n' + DESCRIPTION,
        docs="".join(
            f"<DOC><DOCNO>{d.source}</DOCNO><TITLE>{d.title}</TITLE>"
            f"<TEXT>{html.escape(d.text)}</TEXT></DOC>\n"
            for d in beir.documents
        ),
        topics="".join(
            f"<top>\n<num> Number: {query}\n<title> {text}\n</top>\n"
            for query, text in beir.queries.items()
        ),
        qrels="".join(
            f"{query} 0 {source} {grade}\n"
            for query, grades in beir.qrels.items()
            for source, grade in grades.items()
        ),
    )
    assert load_collection(folder) == beir


def test_a_marked_up_document(trec):
    collection = load_collection(trec())
    (document,) = collection.documents
    assert (document.source, document.title) == ("FT911-1", "Tea & coffee")
    assert (
        document.text.split("\n")
        == [" ", "Green tea is grown", "", "in China.", " ", "", "More."][1:]
    )


def test_only_judged_topics_under_the_numbers_of_the_judgements(trec):
    collection = load_collection(trec())
    assert collection.name == "wire"
    assert collection.queries == {"51": "green tea"}
    assert collection.qrels == {"51": {"FT911-1": 1}}


def test_a_corpus_of_several_files_and_formats(trec):
    folder = trec()
    (folder / "docs").rename(folder / "wire1")
    (folder / "docs" / "deeper").mkdir(parents=True)
    (folder / "wire1").rename(folder / "docs" / "deeper" / "wire1")
    lines = [{"id": "b", "text": "Two.", "title": "T"}, {"_id": "a", "title": "Only", "text": ""}]
    with gzip.open(folder / "docs" / "a.jsonl.gz", "wt") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)
    collection = load_collection(folder)
    assert [(d.source, d.title) for d in collection.documents] == [
        ("b", "T"),
        ("a", "Only"),
        ("FT911-1", "Tea & coffee"),
    ]
    assert collection.documents[1].text == "Only"


def test_text_outside_known_tags_and_another_encoding(trec):
    folder = trec(DESCRIPTION + 'encoding = "latin-1"\nfield = "description"\n')
    (folder / "docs").write_text(
        "<doc><docno>1</docno><X>Un caf\u00e9 < deux.</X></doc>", "latin-1"
    )
    (folder / "topics").write_text("<top><num>51<desc>caf\u00e9</top>", "latin-1")
    collection = load_collection(folder)
    assert collection.documents[0].text == "Un café < deux."
    assert collection.queries == {"51": "café"}


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"docs": DOCUMENTS * 2}, "docs line 14: document id 'FT911-1' appears twice"),
        ({"docs": DOCUMENTS[:-7]}, "docs line 1: the document is not closed"),
        ({"docs": DOCUMENTS[:-7] + DOCUMENTS}, "docs line 13: the document of .* line 1 is not"),
        ({"docs": DOCUMENTS + "</DOC>"}, "docs line 14: </DOC> closes nothing"),
        ({"docs": "\n<DOC>\n<TEXT>x</TEXT></DOC>"}, "docs line 2: the document has no <DOCNO>"),
        ({"docs": "something else"}, "docs holds no <DOC>"),
        ({"qrels": "51 0 a 1\n\n53 0 a 1"}, "qrels line 3 judges query '53', which is no topic"),
        ({"description": "name = 'a'\ncorpus = ?\n"}, "is not TOML: .*line 2"),
    ],
)
def test_damage_is_named_with_its_line(trec, parts, message):
    with pytest.raises(LoadError, match=message):
        load_collection(trec(**parts))


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ("", "does not name the parts"),
        ('corpus = "docs"\ntopics = "topics"', "does not name the parts"),
        (DESCRIPTION + 'index = "i"\nquestions = "q"', "does not name the parts"),
        (DESCRIPTION + 'topcis = "x"', "'topcis' means nothing. Did you mean 'topics'"),
        ("corpus = 3", "corpus wants a text"),
        (DESCRIPTION + 'field = "titel"', "no 'titel'. Did you mean 'title'"),
        (DESCRIPTION + 'encoding = "latin"', None),
        (DESCRIPTION + 'encoding = "martian"', "no encoding 'martian'"),
        ('corpus = "nothing"\ntopics = "topics"\nqrels = "qrels"', "no corpus .*nothing"),
        ('corpus = "docs"\ntopics = "nothing"\nqrels = "qrels"', "no file .*nothing"),
        ('questions = "nothing.yaml"\nindex = "i"', "no file .*nothing.yaml"),
    ],
)
def test_a_wrong_description(trec, description, message):
    folder = trec(description)
    if message is None:
        assert load_collection(folder)
        return
    with pytest.raises(UsageError, match=message):
        load_collection(folder)


def test_a_folder_that_is_no_collection(tmp_path, trec):
    with pytest.raises(UsageError, match="is no collection"):
        load_collection(tmp_path)
    with pytest.raises(UsageError, match="no split 'test'"):
        load_collection(trec(), "test")


def test_questions_about_an_index(tmp_path, light):
    folder = tmp_path / "own"
    folder.mkdir()
    with EmbeddedIndex.open(folder / "idx") as index:
        index.add(
            [
                make_document("news/tea time.txt", "Tea is grown\nin China."),
                make_document("news/box.txt", "Boxes are made in Peru."),
            ]
        )
    (folder / "collection.toml").write_text('questions = "q.jsonl"\nindex = "idx"\n')
    questions = [
        {"question": "Where is tea grown?", "sources": ["tea time.txt"]},
        {"question": "Where are boxes made?", "passages": ["made in  Peru"], "id": "my box"},
        {"question": "Who won?", "unanswerable": True},
        {"question": "And gone?", "sources": ["gone.txt"]},
        {"question": "What?", "answers": ["China"]},
    ]
    (folder / "q.jsonl").write_text("".join(f"{json.dumps(q)}\n" for q in questions))
    collection = load_collection(folder)
    assert collection.name == "own"
    assert [(d.source, d.text) for d in collection.documents] == [
        ("news/box.txt", "Boxes are made in Peru."),
        ("news/tea%20time.txt", "Tea is grown\nin China."),
    ]
    assert collection.queries == {"1": "Where is tea grown?", "my%20box": "Where are boxes made?"}
    assert collection.qrels == {"1": {"news/tea%20time.txt": 1}, "my%20box": {"news/box.txt": 1}}
    results = evaluate(folder, work=tmp_path / "work")
    assert [result.measures["RR@10"] for result in results] == [1.0, 1.0, 1.0]


def test_questions_that_no_document_answers(tmp_path, light):
    (tmp_path / "collection.toml").write_text('questions = "q.jsonl"\nindex = "idx"\n')
    (tmp_path / "q.jsonl").write_text('{"question": "Q?", "sources": ["gone.txt"]}')
    with pytest.raises(IndexNotFoundError):
        load_collection(tmp_path)
    EmbeddedIndex.open(tmp_path / "idx").close()
    with pytest.raises(LoadError, match=r"No document of .*idx answers"):
        load_collection(tmp_path)


def test_load_trec_names_the_collection_after_its_corpus(trec):
    folder = trec()
    parts = [folder / name for name in ("docs", "topics", "qrels")]
    assert load_trec(*parts).name == "docs"
