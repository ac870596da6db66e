"""What the reader cannot know: types, dates, and what only may be."""

from datetime import date

import pytest
from support import make_document

from index import Chunk, Hit
from qa.fitting import days_of, fit, published_within, value_of
from qa.question import analyse
from qa.ranking import Support

TEXT = (
    "RIGA, Sept 14, 2023 (AP) – Kim met Putin in Vladivostok on Wednesday. Kim may travel to "
    "Sochi next week. They met in Moscow in April 2019. It took two weeks and 14 trains."
)


def support(words, text=TEXT, published="2023-09-14"):
    document = make_document("a.txt", text, published=published)
    start = text.index(words)
    hit = Hit(Chunk(1, document.id, 0, len(text), text), document, 1.0, {"dense": 0.5})
    return Support(hit, start, start + len(words), 5.0, 1.0)


def fitted(question, words):
    return fit(analyse(question), support(words))


@pytest.mark.parametrize(
    ("words", "days"),
    [
        ("Wednesday", ("2023-09-13", "2023-09-13")),
        ("on Wednesday", ("2023-09-13", "2023-09-13")),
        ("April 2019", ("2019-04-01", "2019-04-30")),
        ("Moscow in April 2019", ("2019-04-01", "2019-04-30")),
        ("two weeks", None),
        ("Vladivostok", None),
    ],
)
def test_the_days_that_an_answer_stands_for(words, days):
    assert days_of(support(words)) == (days and tuple(map(date.fromisoformat, days)))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("They met before Wednesday.", "Wednesday"),
        ("It has been open since the 1990s.", "the 1990s"),
        ("It ran from May 2019 to June 2020.", "from May 2019 to June 2020"),
        ("They came on 3 May 2019 and on 4 May 2019.", "3 May 2019 and on 4 May 2019"),
    ],
)
def test_what_bounds_a_time_or_names_two_stands_for_no_days(text, words):
    assert days_of(support(words, text)) is None


def test_dates_that_agree_are_better_than_none_and_others_worse():
    question = "Where did Kim meet Putin on 13 September 2023?"
    assert fitted(question, "Vladivostok") > 0 > fitted(question, "Moscow")


def test_what_may_be_is_not_what_was():
    assert fitted("Where did Kim travel?", "Sochi") < fitted("Where did Kim travel?", "Vladivostok")
    assert fitted("Where may Kim travel?", "Sochi") == 0


def test_a_question_of_plans_wants_what_may_be():
    text = "The treaty is expected to be signed on Friday, aides said."
    for question in ("When was the treaty to be signed?", "When was the signing planned?"):
        assert fit(analyse(question), support("Friday", text)) == 0
    assert fit(analyse("When was the treaty signed?"), support("Friday", text)) < 0


def test_an_event_of_another_year_is_another_event():
    assert fitted("Who opened the 2022 summit?", "Kim") < 0
    assert fitted("Who opened the 2023 summit?", "Kim") == 0  # published then
    assert fitted("Who opened the 2019 summit?", "Kim") == 0  # and this year is named


def test_a_story_goes_on_in_the_days_of_the_sentence_before():
    text = (
        "Voters went to the polls on May 3, 2021. Turnout was 71 per cent, the highest since 1994."
        " A recount in 2022 found 70 per cent. Officials thanked 900 helpers."
    )

    def of(words, question="How high was the turnout in May 2021?"):
        return fit(analyse(question), support(words, text))

    assert of("71 per cent") > 0  # 1994 is no day of this sentence
    assert of("70 per cent") < 0
    assert of("900 helpers") < of("71 per cent")
    assert of("71 per cent", "How high was the turnout in 1994?") > 0  # and yet it is named


@pytest.mark.parametrize(
    ("question", "wrong", "right"),
    [
        ("When did Kim meet Putin?", "Vladivostok", "Wednesday"),
        ("Where did Kim meet Putin?", "Wednesday", "Vladivostok"),
        ("Where did Kim meet Putin?", "RIGA", "Vladivostok"),
        ("Who met in Vladivostok?", "Wednesday", "Kim"),
        ("Who met Kim?", "Moscow", "Putin"),
        ("How many trains did it take?", "Kim", "14"),
    ],
)
def test_types(question, wrong, right):
    assert fitted(question, wrong) < fitted(question, right)


def test_values():
    assert value_of("when", support("on Wednesday")).start == "2023-09-13"
    april = value_of("when", support("April 2019"))
    assert (april.start, april.end, april.text) == ("2019-04-01", "2019-04-30", "2019-04")
    assert value_of("how long", support("two weeks")).text == "P2W"
    assert value_of("how many", support("14 trains")).type == "number"
    assert value_of("where", support("Moscow")) is None


def test_stories_of_the_days_asked_for():
    question = analyse("Who met in September 2023?")
    days = published_within(question)
    assert (days.after, days.before) == (date(2023, 9, 1), date(2023, 10, 10))
    assert published_within(analyse("Who met?")) is None
    assert published_within(analyse("Who met after 2019?")).before is None


def test_a_person_is_no_place():
    text = "President Ana Lund spoke in Prince Edward Hall. Mr Berg left for Riga."
    question = analyse("Where did they speak?")
    assert fit(question, support("Ana Lund", text)) < 0 > fit(question, support("Berg", text))
    assert fit(question, support("Prince Edward Hall", text)) == 0
