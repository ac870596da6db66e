"""The reader's spans: verbatim, whole words, from anywhere in a passage."""

import re
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.errors import ReaderError
from qa.reader import ALTERNATIVES, SHIPPED, Reader, _inside_words

PASSAGE = (
    "Kim Jong-un met the Russian president at the Vostochny Cosmodrome on September 13, 2023. "
    "The talks lasted 3.5 hours, and Russia’s spokesman said nothing was signed."
)


@pytest.fixture(scope="module")
def reader():
    return Reader()


def words(reader, question, passage):
    return [passage[s.start : s.end] for s in reader.read(question, [passage])[0]]


def test_simple_questions(reader):
    assert words(reader, "When did Kim meet the Russian president?", PASSAGE)[0] == (
        "September 13, 2023"
    )
    assert "Vostochny Cosmodrome" in words(reader, "Where did they meet?", PASSAGE)[0]
    assert words(reader, "Who met the Russian president?", PASSAGE)[0] == "Kim Jong-un"


def test_answerable_questions_score_above_unanswerable_ones(reader):
    def margin(question):
        return reader.read(question, [PASSAGE])[0][0].margin

    assert margin("Who met the Russian president?") > margin("Who won the 2022 World Cup?") + 3


@settings(max_examples=25, deadline=None)
@given(
    st.text(min_size=1, max_size=60).filter(str.strip),
    st.one_of(
        st.text(max_size=300),
        st.lists(
            st.sampled_from(
                ["Kim Jong-un", "3.5", "U.N.", "Russia’s", "東京で", "said", "\n", "🙂", "e\u0301"]
            ),
            max_size=60,
        ).map(" ".join),
    ),
)
def test_spans_never_cut_a_word(question, passage):
    for span in Reader().read(question, [passage])[0]:
        assert 0 <= span.start < span.end <= len(passage)
        assert np.isfinite(span.margin)
        inside = _inside_words(passage)
        assert not inside[span.start] and not inside[span.end]


def test_spans_are_of_several_places_and_cross_no_blank_line(reader):
    passage = f"A summit at last\n\n{PASSAGE}\n \nSeoul was told on Monday."
    for question in ("Where did they meet?", "When did Kim meet the president?", "Who met?"):
        (spans,) = reader.read(question, [passage])
        assert len(spans) == 5
        assert not any(re.search(r"\n\s*\n", passage[s.start : s.end]) for s in spans)
        assert [s.margin for s in spans] == sorted((s.margin for s in spans), reverse=True)
        for number, span in enumerate(spans):
            before = [s for s in spans[:number] if span.start < s.end and s.start < span.end]
            assert len(before) < ALTERNATIVES


def test_what_counts_as_one_word():
    def cuts(text):
        return [n for n, inside in enumerate(_inside_words(text)) if not inside]

    assert cuts("Jong-un") == [0, 7]
    assert cuts("3.5") == [0, 3]
    assert cuts("Kim’s") == [0, 3, 4, 5]
    assert cuts("don't") == [0, 5]
    assert cuts("東京") == [0, 1, 2]


def test_long_passages_are_read_to_their_end(reader):
    filler = "The committee discussed the budget of the harbour at length. "
    long = filler * 120 + PASSAGE + filler * 60
    assert words(reader, "When did Kim meet the Russian president?", long)[0] == (
        "September 13, 2023"
    )


def test_passages_do_not_influence_each_other(reader):
    question = "Where did they meet?"
    passages = [PASSAGE, "Nothing here.", "They met in Paris in the spring. " * 20]
    together = reader.read(question, passages)
    for passage, spans in zip(passages, together, strict=True):
        alone = reader.read(question, [passage])[0]
        assert alone[0][:2] == spans[0][:2]
        assert alone[0].margin == pytest.approx(spans[0].margin, abs=0.25)  # bf16, other padding


def test_same_question_same_answer(reader):
    first = reader.read("Where did they meet?", [PASSAGE] * 3)
    assert first == reader.read("Where did they meet?", [PASSAGE] * 3)


def test_nothing_to_read(reader):
    assert reader.read("Who?", []) == []
    assert reader.read("Who?", ["", " \n"]) == [[], []]


def test_a_very_long_question_does_not_crowd_out_the_passage(reader):
    question = "When did Kim meet the Russian president " + "who is very well known " * 80 + "?"
    assert reader.read(question, [PASSAGE])[0]


def test_missing_and_damaged_models_are_named(tmp_path):
    with pytest.raises(ReaderError, match="cannot be loaded"):
        Reader(tmp_path)
    for name in ("reader.json", "tokenizer.json"):
        shutil.copy(SHIPPED / name, tmp_path)
    with pytest.raises(ReaderError, match="is missing"):
        Reader(tmp_path).read("Who?", [PASSAGE])
    (tmp_path / "model.onnx").write_bytes(b"not a model")
    with pytest.raises(ReaderError, match="is damaged"):
        Reader(tmp_path).read("Who?", [PASSAGE])


def test_the_spans_are_trimmed(reader):
    for span in words(reader, "What lasted how long?", PASSAGE):
        assert span == span.strip()
        assert not re.match(r"\s", span)
