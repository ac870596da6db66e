"""Slips of the keyboard put right, and everything else left alone."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.keyboard import with_typo
from qa.spelling import MOST, beside, meant


def passages(*words):
    """Documents in which these words occur, each in one passage."""
    return lambda asked: [int(word.lower() in words) for word in asked]


NOTHING = passages()


@pytest.mark.parametrize(
    ("typed", "understood"),
    [
        ("Who met Halvrosen in Oslo?", "Who met Halvorsen in Oslo?"),
        ("Who met Halvorsn?", "Who met Halvorsen?"),
        ("who met halvorsenn", "who met halvorsen"),
        ("WHO MET HALVPRSEN?", "WHO MET HALVORSEN?"),
        ("Whcih ferry sank?", "Which ferry sank?"),
        ("wht happened to the ferry", "what happened to the ferry"),
        ("When did teh ferry sink?", "When did the ferry sink?"),
        ("Why was the minsiter’s visit cancelled?", "Why was the minister’s visit cancelled?"),
        ("Who met Halvrosen's sister?", "Who met Halvorsen's sister?"),
        ("When was the Kröger affair setled?", "When was the Kröger affair settled?"),
    ],
)
def test_a_slip_is_put_right(typed, understood):
    assert meant(typed, passages("halvorsen", "kröger", "oslo")) == understood


@pytest.mark.parametrize(
    "question",
    [
        "Who met Halvorsen in Oslo?",
        "Why didn't they meet O'Neill, who couldn't come?",
        "What did the NTZB say about the B-52s in 1994?",  # an acronym is no slip
        "what is the capital of the usa",  # of three letters, only a function word is misspelt
        "Who is Xyqzt?",  # nothing known is near
        "Where is Kimm?",  # names so short are too near to one another
        "Ou est la bibliotheque municipale de Strasbourg?",
        "Wohin reiste der Aussenminister vergangenen Donnerstag?",
        "谁会见了谁？",
        "?!",
        "",
    ],
)
def test_what_is_no_slip_stays(question):
    assert meant(question, passages("halvorsen", "oslo", "kim", "strasbourg")) == question


def test_a_word_of_the_documents_is_no_slip_however_odd():
    assert meant("What is a gobbleegum?", passages("gobbleegum")) == "What is a gobbleegum?"
    assert meant("What is a gobbleegum?", passages("gobblegum")) == "What is a gobblegum?"


def test_a_word_of_the_documents_is_meant_before_a_more_frequent_one():
    assert meant("Who sold the bokt?", NOTHING) == "Who sold the boot?"
    assert meant("Who sold the bokt?", passages("bolt")) == "Who sold the bolt?"


def test_a_key_beside_is_meant_before_one_far_away():
    documents = passages("sinking", "singing")
    assert meant("why is it simking", documents) == "why is it sinking"
    assert meant("why is it sibging", documents) == "why is it singing"


def test_many_slips_are_another_language():
    slips = ["whcih", "of", "ferrry", "snak", "yesterdya"]
    assert len(slips) == MOST + 2
    assert meant(" ".join(slips), NOTHING) == " ".join(slips)
    assert meant(" ".join(slips[:-1]), passages("sank")) == "which of ferry sank"
    assert meant("whcih ferrry", NOTHING) == "whcih ferrry"  # no function word in it


def test_a_run_of_letters_is_not_looked_up():
    asked = []

    def frequencies(words):
        asked.extend(words)
        return [0] * len(words)

    assert meant("a" * 2000, frequencies) == "a" * 2000
    assert not asked


def words(text):
    return re.findall(r"[A-Za-z\u00c0-\u024f]+", text)


@given(st.text(max_size=120))
def test_nothing_but_words_changes(text):
    changed = meant(text, NOTHING)
    assert re.sub(r"[A-Za-z\u00c0-\u024f]+", "_", text) == re.sub(
        r"[A-Za-z\u00c0-\u024f]+", "_", changed
    )
    assert len(words(text)) == len(words(changed))


@given(st.randoms(use_true_random=False))
def test_a_slip_in_a_long_word_is_always_put_right(dice):
    question = "Parliament?"
    assert meant(with_typo(question, dice), passages("parliament")) in (
        question,
        "Parliaments?",
        "Parliment?",
    )


def test_keys_touch_both_ways():
    for letter in "qwertyuiopasdfghjklzxcvbnm":
        assert all(letter in beside(other) for other in beside(letter))
    assert beside("g") == ("f", "h", "t", "y", "v", "b")
    assert beside("é") == ()
