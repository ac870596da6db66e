"""Merging, dropping and scoring of candidates."""

import math
from datetime import date

import pytest

from index import Chunk, DocumentInfo, Hit
from qa.ranking import Calibration, normalise, rank, standings
from qa.reader import ReadSpan

PLAIN = Calibration((1, 1, 1), (1, 1, 1, 0, 0), 0, (1, 1, 1, 0, 0), -1, 0.5)


def hit(number, document, start, text, score=0.5):
    info = DocumentInfo(id=document, source=document, title=document)
    return Hit(
        Chunk(number, document, start, start + len(text), text),
        info,
        score,
        {"dense": 0.3},
    )


def span(text, words, margin):
    start = text.index(words)
    return ReadSpan(start, start + len(words), margin)


def test_equal_answers_are_merged_and_all_their_places_kept():
    first, second = "They met in Paris.", "Talks in paris, and Rome."
    ranked = rank(
        "Where?",
        [hit(1, "a", 0, first), hit(2, "b", 0, second)],
        [[span(first, "Paris", 1.0)], [span(second, "paris,", 0.5), span(second, "Rome", 0.8)]],
        PLAIN,
    )
    assert [c.text for c in ranked] == ["Paris", "Rome"]
    assert [s.hit.document.id for s in ranked[0].supports] == ["a", "b"]
    assert ranked[0].confidence > ranked[1].confidence


def test_one_place_in_two_overlapping_chunks_is_one_support():
    text = "He said no. They met in Paris."
    ranked = rank(
        "Where?",
        [hit(1, "a", 0, text), hit(2, "a", 12, text[12:])],
        [[span(text, "Paris", 1.0)], [span(text[12:], "Paris", 2.0)]],
        PLAIN,
    )
    assert len(ranked) == 1
    assert len(ranked[0].supports) == 1
    assert ranked[0].supports[0].margin == 2.0


def test_overlapping_answers_leave_the_better_one():
    text = "They met in the city of Paris today."
    ranked = rank(
        "Where?",
        [hit(1, "a", 0, text)],
        [[span(text, "city of Paris", 2.0), span(text, "Paris", 1.0), span(text, "today", 0.1)]],
        PLAIN,
    )
    assert [c.text for c in ranked] == ["city of Paris", "today"]


def test_articles_around_the_same_words_are_not_two_supports():
    text = "Seoul summoned the Russian ambassador."
    ranked = rank(
        "Where?",
        [hit(1, "a", 0, text)],
        [[span(text, "Russian ambassador", 2.0), span(text, "the Russian ambassador", 1.9)]],
        PLAIN,
    )
    assert [[s.text for s in c.supports] for c in ranked] == [["Russian ambassador"]]


@pytest.mark.parametrize(
    ("one", "other"),
    [("the U.N.", "UN"), ("São Paulo", "Sao Paulo"), ("“Kim”", "kim"), ("A  deal", "deal")],
)
def test_normalise(one, other):
    assert normalise(one.replace(".", "")) == normalise(other)


def test_confidences_are_probabilities_and_fall():
    text = "Anna, Bert and Carla came to Paris."
    for margins in [(-1e6, -5, 0), (0, 5, 1e6), (3, 2, 1)]:
        spans = [
            span(text, word, m) for word, m in zip(("Anna", "Bert", "Paris"), margins, strict=True)
        ]
        found = [c.confidence for c in rank("Where?", [hit(1, "a", 0, text)], [spans], PLAIN)]
        assert all(0 <= value <= 1 for value in found)
        assert found == sorted(found, reverse=True)


def test_order_and_confidence_are_two_models():
    text = "Anna came to Paris."
    spans = [[span(text, "Anna", 2.0), span(text, "Paris", 1.0)]]
    backwards = Calibration((-1, 0, 0), (1, 0, 0, 0, 0), 0, (1, 0, 0, 0, 0), 0, 0.5)
    ranked = rank("Where?", [hit(1, "a", 0, text)], spans, backwards)
    assert [c.text for c in ranked] == ["Paris", "Anna"]
    assert ranked[1].confidence == ranked[0].confidence  # never above the one before


def test_share_and_agreement():
    first, second = "They met in Paris.", "Talks in Paris, and Rome."
    groups = standings(
        "Where?",
        [hit(1, "a", 0, first), hit(2, "b", 0, second)],
        [[span(first, "Paris", 1.0)], [span(second, "Paris", 1.0), span(second, "Rome", 1.0)]],
        PLAIN,
    )
    paris, rome = groups
    assert [features[3] for _, features in (paris[0], rome[0])] == pytest.approx([0.5, 0.5])
    assert [features[4] for _, features in paris] == pytest.approx([math.log(2)] * 2)
    assert rome[0][1][4] == 0


def test_a_fuller_name_is_no_rival_but_a_longer_number_is():
    def shares(*answers):
        texts = [f"Yesterday {answer} came." for answer in answers]
        hits = [hit(n, str(n), 0, text) for n, text in enumerate(texts)]
        spans = [[span(text, words, 1.0)] for text, words in zip(texts, answers, strict=True)]
        groups = standings("Who?", hits, spans, PLAIN)
        return {group[0][0].text: group[0][1][3:5] for group in groups}

    names = shares("Kim", "Kim Jong Un", "Anna")
    assert names["Kim"] == names["Kim Jong Un"] == pytest.approx((2 / 3, math.log(2)))
    assert names["Anna"] == pytest.approx((1 / 3, 0))
    for number, longer in [
        ("2", "2 million"),
        ("two", "two hundred people"),
        ("5", "5.5"),
        ("5", "5 percent"),
        ("12", "12 March"),
    ]:
        assert shares(number, longer)[number] == pytest.approx((1 / 2, 0))
    for number, counted in [("253", "253 people"), ("44", "44-year-old"), ("two", "two marchers")]:
        assert shares(number, counted)[number] == pytest.approx((1, math.log(2)))
    assert shares("Korea", "Koreans")["Korea"] == pytest.approx((1 / 2, 0))


def test_a_fuller_name_goes_first_where_it_is_near_and_names_are_asked_for():
    texts = ["Kim came.", "There was Kim Jong Un.", "Anna came."]
    hits = [hit(n, str(n), 0, text) for n, text in enumerate(texts)]

    def names(margin, *, fuller):
        words = [("Kim", 2.0), ("Kim Jong Un", margin), ("Anna", 1.8)]
        spans = [[span(text, *word)] for text, word in zip(texts, words, strict=True)]
        return [c.text for c in rank("Who?", hits, spans, PLAIN, fuller=fuller)]

    assert names(1.5, fuller=True) == ["Kim Jong Un", "Kim", "Anna"]
    assert names(1.5, fuller=False) == ["Kim", "Anna", "Kim Jong Un"]
    assert names(0.5, fuller=True) == ["Kim", "Anna", "Kim Jong Un"], "too far behind"


DAY = {  # what the words of these tests stand for
    "Friday": (date(1998, 8, 7), date(1998, 8, 7)),
    "Aug. 7": (date(1998, 8, 7), date(1998, 8, 7)),
    "this month": (date(1998, 8, 1), date(1998, 8, 31)),
    "last Friday": (date(1998, 8, 14), date(1998, 8, 14)),
}


def dated(*answers):
    """The candidates of a question that wants days, as texts, and the standings by first text."""
    texts = [f"It came {words} at last." for words, _ in answers]
    hits = [hit(n, str(n), 0, text) for n, text in enumerate(texts)]
    spans = [[span(text, *answer)] for text, answer in zip(texts, answers, strict=True)]
    groups = standings(
        "When?", hits, spans, PLAIN, days=lambda support: DAY.get(support.text), fuller=True
    )
    return [[support.text for support, _ in group] for group in groups], {
        group[0][0].text: group[0][1][3:5] for group in groups
    }


def test_answers_that_stand_for_the_same_days_are_one():
    texts, shares = dated(("Friday", 2.0), ("last Friday", 1.5), ("Aug. 7", 1.0))
    assert texts == [["Friday", "Aug. 7"], ["last Friday"]]
    assert shares["Friday"][1] == pytest.approx(math.log(2))
    assert shares["last Friday"][1] == 0, "of dates the calendar decides, not their words"


def test_a_day_and_its_month_bear_each_other_out():
    _, shares = dated(("Friday", 1.0), ("this month", 1.0), ("when it rained", 1.0))
    assert shares["Friday"] == shares["this month"] == pytest.approx((2 / 3, math.log(2)))
    assert shares["when it rained"] == pytest.approx((1 / 3, 0))
    _, shares = dated(("Friday", 1.0), ("this month", 1.0), ("last Friday", 1.0))
    assert shares["Friday"][0] == pytest.approx(2 / 3), "the month goes with either day"


def test_the_finer_date_goes_first_where_it_is_near():
    assert dated(("this month", 1.5), ("Friday", 1.0))[0] == [["Friday"], ["this month"]]
    assert dated(("this month", 2.5), ("Friday", 1.0))[0] == [["this month"], ["Friday"]]


def test_one_passage_has_a_model_of_its_own():
    first, second = "They met in Paris.", "Talks in Rome."
    one, two = hit(1, "a", 0, first), hit(2, "b", 0, second)
    found = [[span(first, "Paris", 1.0)], [span(second, "Rome", -9.0)]]
    (lone,) = rank("Where?", [one], found[:1], PLAIN)
    among, _ = rank("Where?", [one, two], found, PLAIN)
    assert math.log(among.confidence / (1 - among.confidence)) == pytest.approx(1.3)
    assert math.log(lone.confidence / (1 - lone.confidence)) == pytest.approx(0.3)


def test_what_other_candidates_there_are_changes_the_confidence():
    text = "Anna, Bert and Carla came to Paris."
    trusting_shares = Calibration((1, 0, 0), (0, 0, 0, 2, 0), 0, (0, 0, 0, 2, 0), 0, 0.5)

    def best(*margins):
        spans = [span(text, w, m) for w, m in zip(("Anna", "Bert", "Carla"), margins, strict=False)]
        return rank("Who?", [hit(1, "a", 0, text)], [spans], trusting_shares)[0].confidence

    assert best(3.0) > best(3.0, 1.0) > best(3.0, 3.0) > best(3.0, 3.0, 3.0)
