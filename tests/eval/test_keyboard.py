import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.keyboard import (
    VARIANTS,
    lower_cased,
    upper_cased,
    with_typo,
    without_final_punctuation,
)

DICE = random.Random(0)


def one_edit_apart(a, b):
    """Whether one insertion, deletion, replacement or swap of neighbours leads from a to b."""
    if a == b:
        return False
    if len(a) == len(b):
        differ = [i for i in range(len(a)) if a[i] != b[i]]
        swapped = len(differ) == 2 and differ[1] == differ[0] + 1
        return len(differ) == 1 or (
            swapped and a[differ[0]] == b[differ[1]] and a[differ[1]] == b[differ[0]]
        )
    short, long = sorted((a, b), key=len)
    return any(long[:i] + long[i + 1 :] == short for i in range(len(long)))


@given(st.text(alphabet="abqpzmé AEQ'7 ?東京", max_size=40), st.integers())
def test_a_typo_is_one_edit_inside_one_word(question, seed):
    typed = with_typo(question, random.Random(seed))
    assert typed == with_typo(question, random.Random(seed))
    if re.search(r"[^\W\d_]{4}", question):
        assert one_edit_apart(question, typed)
        assert [w[0] for w in typed.split()] == [w[0] for w in question.split()]  # first letters
    else:
        assert typed == question


def test_every_kind_of_typo_occurs():
    typed = {with_typo("What?", random.Random(seed)) for seed in range(300)}
    assert {"Waht?", "Wat?", "Whaat?", "Wgat?", "Whst?"} <= typed
    assert {with_typo("Oooo?", random.Random(seed)) for seed in range(100)} >= {"Ooo?", "Ooooo?"}


def test_keys_beside():
    typed = {with_typo("OOOS", random.Random(seed)) for seed in range(500)}
    assert {word[3] for word in typed if word.startswith("OOO") and len(word) == 4} == set("ADWEZX")


@pytest.mark.parametrize(
    ("question", "bare"),
    [
        ("Who?", "Who"),
        ("In the U.S.?", "In the U.S"),
        ("Who", "Who"),
        ("Why ?!", "Why"),
        ("?", "?"),
    ],
)
def test_without_final_punctuation(question, bare):
    assert without_final_punctuation(question, DICE) == bare


def test_cases():
    assert lower_cased("Who Met Å?", DICE) == "who met å?"
    assert upper_cased("Who Met å?", DICE) == "WHO MET Å?"
    assert list(VARIANTS) == ["lower-cased", "upper-cased", "one typo", "no final punctuation"]
