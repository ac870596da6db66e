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
