"""Turns made of the messages that a client sends."""

import threading

from stub_assistant import make_answer

from index.errors import UsageError
from qa.service.openai_history import Exchange, RecentReplies, turns_of
from qa.service.openai_reply import reply_text


class Asked:
    """An assistant that notes what it is asked, and how many turns before it."""

    def __init__(self):
        self.calls = []

    def __call__(self, question, history=()):
        self.calls.append((question, len(history)))
        if not question.strip():
            raise UsageError("The question is empty.")
        return make_answer(question)


def exchanges(count):
    return [Exchange(f"Question {n}?", f"Reply {n}") for n in range(count)]


def test_a_reply_is_known_again_whatever_its_white_space():
    recent, ask = RecentReplies(), Asked()
    answer = make_answer("Who?")
    recent.put(Exchange("Who?", "Tomas Lind [1]\n\nSources"), answer)
    (turn,) = turns_of([Exchange("Who? ", "Tomas Lind [1]\nSources\n")], recent, ask)
    assert turn.answer is answer
    assert (turn.question, turn.resolved_question) == ("Who? ", "Who?")
    assert ask.calls == []


def test_unknown_replies_are_answered_once_and_only_those_that_weigh():
    recent, ask = RecentReplies(), Asked()
    turns = turns_of(exchanges(6), recent, ask)
    assert [turn.question for turn in turns] == ["Question 3?", "Question 4?", "Question 5?"]
    assert ask.calls == [("Question 3?", 0), ("Question 4?", 1), ("Question 5?", 2)]
    assert len(turns_of(exchanges(6), recent, ask)) == 3
    assert len(ask.calls) == 3


def test_a_reply_that_says_what_it_answers_is_enough():
    answer = make_answer("Where?", resolved="Where did [he] meet Lind?")
    text, _ = reply_text(answer, lambda _: "http://x/")
    ask = Asked()
    (turn,) = turns_of([Exchange("Where?", text)], RecentReplies(), ask)
    assert ask.calls == [("Where did [he] meet Lind?", 0)]
    assert (turn.question, turn.resolved_question) == ("Where?", "Where did [he] meet Lind?")


def test_what_is_no_question_is_left_out():
    turns = turns_of([Exchange(" ", "Well?"), *exchanges(1)], RecentReplies(), Asked())
    assert [turn.question for turn in turns] == ["Question 0?"]


def test_the_reply_used_longest_ago_is_forgotten():
    recent = RecentReplies(most=2)
    first, second, third = exchanges(3)
    recent.put(first, make_answer("1"))
    recent.put(second, make_answer("2"))
    assert recent.get(first)
    recent.put(third, make_answer("3"))
    assert recent.get(second) is None
    assert recent.get(first)
    assert recent.get(third)


def test_threads_at_once():
    recent = RecentReplies(most=10)
    failed = []

    def work():
        try:
            for exchange in exchanges(200):
                recent.put(exchange, make_answer("Who?"))
                recent.get(exchange)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
