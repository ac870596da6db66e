import pytest

from eval.spans import (
    begins_with_determiner,
    begins_with_preposition,
    cuts_a_word,
    span_shape,
)


@pytest.mark.parametrize(
    ("text", "preposition", "determiner"),
    [
        ("in Paris", True, False),
        ("In the city", True, False),
        ("the city", False, True),
        ("Their own words", False, True),
        ("Indiana", False, False),
        ("Anna", False, False),
        ("a", False, False),  # nothing follows: perhaps the answer itself
        ("on", False, False),
        ("on-site", False, False),
        ("", False, False),
    ],
)
def test_what_stands_in_front(text, preposition, determiner):
    assert begins_with_preposition(text) is preposition
    assert begins_with_determiner(text) is determiner


@pytest.mark.parametrize(
    ("text", "part", "cut"),
    [
        ("They met Kim Jong-un.", "Kim Jong-un", False),
        ("They met Kim Jong-un.", "im Jong-un", True),
        ("They met Kim Jong-un.", "Kim Jo", True),
        ("It took 3.5 hours.", "3.5", False),
        ("It took 3.5 hours.", "3", True),
        ("It took 3.5 hours.", "5 hours", True),
        ("It took 3. Then 5.", "3", False),
        ("Kim's hat", "Kim", False),
        ("東京で会った", "東京", False),
        ("é́cole", "é́cole", False),
        ("Word", "Word", False),
    ],
)
def test_cut_words(text, part, cut):
    start = text.index(part)
    assert cuts_a_word(text, start, start + len(part)) is cut


def test_span_shape():
    shape = span_shape(
        ["in Paris", "Obama", "the tall Bob", "Rome"],
        [["Paris", "in Paris"], ["Barack Obama", "President Obama"], ["Bob"], ["Oslo"]],
        [False, False, False, True],
    )
    assert (shape.leading_preposition, shape.gold_leading_preposition) == (0.25, 0.125)
    assert (shape.leading_determiner, shape.gold_leading_determiner) == (0.25, 0.0)
    assert (shape.words, shape.gold_words) == (7 / 4, 5.5 / 4)
    assert (shape.too_short, shape.too_long) == (0.25, 0.25)
    assert shape.cut_words == 0.25
