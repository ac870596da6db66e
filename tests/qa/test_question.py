"""What a question asks for."""

import pytest

from index.errors import UsageError
from qa.question import analyse


@pytest.mark.parametrize(
    ("text", "slot", "form"),
    [
        ("Who met in Vladivostok?", "who", "span"),
        ("Whose idea was it?", "who", "span"),
        ("When and where did X meet Y?", "when", "span"),
        ("In which city did they meet?", "where", "span"),
        ("What year did the war end?", "when", "span"),
        ("Which country won?", "where", "span"),
        ("Which party won?", "which", "span"),
        ("How many people came?", "how many", "span"),
        ("How long did it take?", "how long", "span"),
        ("How tall is the tower?", "how", "span"),
        ("How did the ferry sink?", "how", "explanation"),
        ("Why was it postponed?", "why", "explanation"),
        ("What was the reason for the delay?", "why", "explanation"),
        ("Describe the accident", None, "explanation"),
        ("Did they sign anything?", None, "yes/no"),
        ("Isn’t it late?", None, "yes/no"),
        ("Can you say when they met?", None, "yes/no"),
        ("What was not signed?", "what", "span"),
        ("The man who came to dinner left when?", "when", "span"),
    ],
)
def test_slot_and_form(text, slot, form):
    question = analyse(text)
    assert (question.slot, question.form) == (slot, form)


def test_white_space_is_tidied():
    assert analyse("  Who\n met   whom? ").text == "Who met whom?"


@pytest.mark.parametrize("text", ["", "   ", "?!", "\n"])
def test_empty_questions(text):
    with pytest.raises(UsageError, match="empty"):
        analyse(text)


def test_endless_questions():
    with pytest.raises(UsageError, match="100,000 characters"):
        analyse("a" * 100_000)


@pytest.mark.parametrize("text", ["Где встретились лидеры?", "首脳はどこで会った？", "أين التقيا؟"])
def test_other_scripts_are_questions_too(text):
    assert analyse(text).form == "span"


@pytest.mark.parametrize(
    ("text", "slots"),
    [
        ("Who met where and when?", ("who", "where", "when")),
        ("When and where did X meet Y, and who else attended?", ("when", "where", "who")),
        ("Who signed the treaty, and when?", ("who", "when")),
        ("Where was the bridge opened, and by whom?", ("where", "who")),
        ("The man who came to dinner left when?", ("when",)),
        ("Where were you when it happened?", ("where",)),
        ("Who met in Vladivostok?", ("who",)),
    ],
)
def test_slots_of_compound_questions(text, slots):
    question = analyse(text)
    assert question.slots == slots
    assert question.is_compound == (len(slots) > 1)


@pytest.mark.parametrize(
    ("text", "period", "undated"),
    [
        ("Who met in September 2023?", ("2023-09-01", "2023-09-30"), "Who met?"),
        ("What happened on 13 September 2023?", ("2023-09-13", "2023-09-13"), "What happened?"),
        ("Who resigned after March 2020?", ("2020-04-01", "9999-12-31"), "Who resigned?"),
        (
            "What was signed between March 2019 and May 2020?",
            ("2019-03-01", "2020-05-31"),
            "What was signed?",
        ),
    ],
)
def test_dates_restrict_a_question(text, period, undated):
    question = analyse(text)
    assert tuple(day.isoformat() for day in question.period) == period
    assert question.undated == undated


@pytest.mark.parametrize("text", ["Who won the 2022 World Cup?", "What happened last week?"])
def test_other_dates_restrict_nothing(text):
    question = analyse(text)
    assert question.period is None
    assert question.undated == text


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("When did they last meet?", "last"),
        ("Where did they first meet?", "first"),
        ("When is the next meeting?", "next"),
        ("What happened last week?", None),
        ("Where did they meet?", None),
    ],
)
def test_order(text, order):
    assert analyse(text).order == order


@pytest.mark.parametrize(
    ("question", "fullest"),
    [
        ("When was NATO founded?", True),
        ("On what day was it founded?", True),
        ("Who founded it?", True),
        ("In which year was NATO founded?", False),
        ("What month was it?", False),
        ("How many founded it?", False),
    ],
)
def test_whether_the_fullest_wording_is_wanted(question, fullest):
    assert analyse(question).wants_fullest is fullest
