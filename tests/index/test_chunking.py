"""Chunks: verbatim, complete, within budget, for any text."""

import itertools
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index import sentences
from index.chunking import CHARACTERS_A_TOKEN, chunk, context_of, fit_context
from index.document import Document

WORDS = re.compile(r"\w{1,6}|[^\w\s]")


def count_tokens(texts):
    """A tokenizer whose counts, like a real one's, do not add up across a cut word."""
    return [len(WORDS.findall(text)) for text in texts]


texts = st.one_of(
    st.text(max_size=600),
    st.text(alphabet="ab .!?\n\r\t。", max_size=900),
    st.lists(
        st.sampled_from(
            ["The U.N. met.", "Mr. Kim left.", "\n\n", "x" * 300, "- item\n", "何？", "🙂🙂"]
        ),
        max_size=60,
    ).map(" ".join),
)


@given(texts)
def test_sentences_partition_the_text(text):
    spans = sentences.split(text)
    assert "".join(text[start:end] for start, end in spans) == text
    assert all(start < end for start, end in spans)


@given(texts, st.integers(4, 60), st.integers(0, 20))
def test_chunks_cover_every_character_within_budget(text, budget, overlap):
    chunks = chunk(text, budget, min(overlap, budget // 2), count_tokens)
    covered = set()
    for start, end in chunks:
        assert 0 <= start < end <= len(text)
        assert end - start == 1 or count_tokens([text[start:end]])[0] <= budget
        assert end - start <= budget * CHARACTERS_A_TOKEN
        covered.update(range(start, end))
    assert covered == set(range(len(text)))
    assert chunks == sorted(chunks)
    assert len(set(chunks)) == len(chunks)


@given(texts, st.integers(1, 60), st.integers(0, 20))
def test_what_counts_as_few_tokens_is_cut_by_its_length(text, budget, overlap):
    chunks = chunk(text, budget, min(overlap, budget // 2), lambda texts: [1] * len(texts))
    assert all(0 < end - start <= budget * CHARACTERS_A_TOKEN for start, end in chunks)
    assert {c for start, end in chunks for c in range(start, end)} == set(range(len(text)))


def test_an_endless_word_is_many_chunks_and_no_context():
    chunks = chunk("x" * 100_000, 100, 20, lambda texts: [1] * len(texts))
    assert max(end - start for start, end in chunks) <= 1200
    assert fit_context("x" * 100_000, lambda texts: [1] * len(texts)) == ("", 0)


@pytest.mark.parametrize("unit", [".", "\n", '"', " ", "?!", "…", '."', "\n ", "。"])
def test_a_run_of_one_sign_takes_linear_time(unit):
    text = unit * (1_000_000 // len(unit))
    started = time.process_time()
    assert sentences.split(text)
    assert time.process_time() - started < 1
    assert chunk(text, 100, 20, lambda texts: [len(text) // 4 for text in texts])
    assert time.process_time() - started < 2


def test_sentence_ends():
    text = (
        "N. Korea spoke to the U.N. Security Council on Sept. 5. Mr. Kim left the U.S. He said "
        "“no.” Then 3.5 million people – all of them – voted! Why? Nobody knew\n\nA new paragraph"
    )
    assert [text[a:b].strip() for a, b in sentences.split(text)] == [
        "N. Korea spoke to the U.N. Security Council on Sept. 5.",
        "Mr. Kim left the U.S.",
        "He said “no.”",
        "Then 3.5 million people – all of them – voted!",
        "Why?",
        "Nobody knew",
        "A new paragraph",
    ]


def test_chunks_end_at_sentences_and_overlap():
    text = " ".join(f"Sentence number {n} ends here." for n in range(40))
    chunks = chunk(text, 40, 8, count_tokens)
    assert all(text[a:b].rstrip().endswith(".") for a, b in chunks)
    assert all(text[a:b].startswith("Sentence") for a, b in chunks)
    assert all(second[0] < first[1] for first, second in itertools.pairwise(chunks))


def test_context_is_title_and_date_within_its_share():
    from datetime import date

    document = Document(
        id="x", source="x", title="Talks  resume\n", text="", published=date(2023, 9, 5)
    )
    assert context_of(document) == "Talks resume – September 5, 2023"
    cut, count = fit_context("word " * 500, count_tokens)
    assert count == len(cut.split()) == 48
    assert fit_context("", count_tokens) == ("", 0)
