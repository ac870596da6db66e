"""A template for one's own questions: a fair sample, that reads back as what it will be."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import make_document

from eval.questions import read_questions
from eval.template import SampledPassage, sample_passages, template
from index import EmbeddedIndex
from index.errors import IndexNotFoundError, UsageError

FORMS = ("yaml", "jsonl", "csv")
LONG = " ".join(f"Sentence {n} of the long report says something else again." for n in range(120))

passages = st.builds(
    SampledPassage,
    source=st.text(
        st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1
    ).filter(str.strip),
    title=st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=20),
    published=st.sampled_from(["", "2024-03-04"]),
    text=st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1).filter(
        str.strip
    ),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("templates")


@pytest.fixture
def filled(tmp_path, embedder):
    """The folder of an index: one long document, four short ones, one of three words."""
    path = tmp_path / "idx"
    with EmbeddedIndex.open(path, embedder=embedder) as index:
        index.add(
            [
                make_document("long.txt", LONG, published="2024-03-04"),
                *(
                    make_document(f"{n}.txt", f"Number {n}: a short text that is long enough.")
                    for n in range(4)
                ),
                make_document("copy.txt", "Number 3: a short text  that is long enough."),
                make_document("tiny.txt", "Three words only."),
            ]
        )
    return path


def test_the_sample_is_spread_over_the_documents_and_always_the_same(filled):
    drawn = sample_passages(filled, 5)
    assert sorted(p.source for p in drawn if p.source[0].isdigit() or p.source == "copy.txt")
    assert len({p.source for p in drawn}) == len({p.text for p in drawn}) == 5
    assert drawn == sample_passages(filled, 5)
    assert drawn != sample_passages(filled, 5, seed=1)
    assert sample_passages(filled, 3) == drawn[:3]


def test_a_document_gives_a_second_passage_when_all_have_given_one(filled):
    drawn = sample_passages(filled, 100)
    assert [p.source for p in drawn].count("long.txt") == len(drawn) - 4 > 3
    assert {p.source for p in drawn[5:]} == {"long.txt"}
    assert not any(p.source == "tiny.txt" for p in drawn)
    assert len({p.text for p in drawn}) == len(drawn)  # "3.txt" and its copy are drawn once
    (first, *_) = (p for p in drawn if p.source == "long.txt")
    assert first.published == date(2024, 3, 4).isoformat()
    assert first.text in LONG


def test_nothing_to_ask_about(tmp_path):
    with pytest.raises(IndexNotFoundError):
        sample_passages(tmp_path / "idx", 5)
    EmbeddedIndex.open(tmp_path / "idx").close()
    with pytest.raises(UsageError, match="no passage"):
        sample_passages(tmp_path / "idx", 5)


@settings(deadline=None)  # the machine may be busy
@given(st.lists(passages, min_size=1, max_size=3), st.sampled_from(FORMS))
def test_an_untouched_template_has_no_question_yet(folder, drawn, form):
    path = folder / f"q.{form}"
    path.write_text(
        template(drawn, form, file=path.name, index="idx"), encoding="utf-8", newline="\n"
    )
    assert read_questions(path) == ((), len(drawn))


def fill(text, form):
    """What a person would do: a question and an answer to the first passage."""
    if form == "yaml":
        return text.replace(
            "  question:\n  answers:\n    -\n", "  question: Who?\n  answer: A\n", 1
        )
    if form == "jsonl":
        return text.replace('"question": "", "answers": []', '"question": "Who?", "answer": "A"', 1)
    header, rest = text.split("\n", 1)
    return f"{header}\n{rest.replace(',,,,,', ',Who?,A,,,', 1)}"


@pytest.mark.parametrize("form", FORMS)
def test_a_filled_template_has_the_passage_and_its_source(tmp_path, form):
    text = (
        "… Under these: a “text” - it's\n\n| a | b |\n# no comment\n'quoted', yes\n"
        + "word " * 60
        + "https://example.org/"
        + "x" * 120
    )
    drawn = [
        SampledPassage("news/a: b.txt#1", "Title: the first", "2024-03-04", text),
        SampledPassage("b.txt", "", "", "Something else."),
    ]
    path = tmp_path / f"q.{form}"
    written = fill(template(drawn, form, file=path.name, index="idx"), form)
    path.write_text(written, encoding="utf-8")
    (question,), unfilled = read_questions(path)
    assert unfilled == 1
    assert (question.id, question.question, question.answers) == ("q1", "Who?", ("A",))
    assert question.sources == ("news/a: b.txt#1",)
    assert question.note == "Title: the first, 2024-03-04"
    assert [passage.split() for passage in question.passages] == [text.split()]


def test_yaml_explains_itself_and_can_be_read_by_people():
    text = template(
        [SampledPassage("a.txt", "Title", "", "many words of text " * 40)],
        "yaml",
        file="q.yaml",
        index="idx",
    )
    assert "# " in text and "dateline eval questions q.yaml --index idx" in text
    assert max(map(len, text.splitlines())) <= 104
    assert (
        "  question:\n  answers:\n    -\n  sources:\n    - a.txt\n  passages:\n    - |-\n" in text
    )
