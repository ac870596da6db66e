"""Follow-ups: understood from what was said before, and left alone where they need nothing."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import make_document

from index import EmbeddedIndex
from qa import Assistant
from qa.clarifying import asked_back, choices, chosen
from qa.conversation import Resolution, resolve
from qa.mentions import Exchange, Happening, mentions

DAY = date(2024, 3, 4)
MET = Exchange("When did Berg and Lind meet in Oslo?", ("4 March 2024",), "when", (DAY, DAY))
WHO = Exchange("Who opened the harbour bridge?", ("Ida Holm",), "who")
TWO = Exchange("Who met in Oslo?", ("Anna Berg", "Tomas Lind"), "who")
BEFORE = Exchange(
    "When did Berg and Lind meet before 4 March 2024?",
    ("May 2019",),
    "when",
    (date(2019, 5, 1), date(2019, 5, 31)),
)
FIRM = Exchange("Which company bought the yard?", ("Kanda Marine",), "which")
COST = Exchange("How much did the harbour bridge cost in 2019?", ("4 million euros",), "how much")


@pytest.mark.parametrize(
    ("history", "question", "meaning"),
    [
        # fragments
        ([MET], "Where?", "Where did Berg and Lind meet in Oslo?"),
        ([MET], "and why?", "Why did Berg and Lind meet in Oslo?"),
        ([WHO], "When?", "When did Ida Holm open the harbour bridge?"),
        ([WHO], "When was that?", "When did Ida Holm open the harbour bridge?"),
        ([WHO], "Where did it happen?", "Where did Ida Holm open the harbour bridge?"),
        ([COST], "And in 2020?", "How much did the harbour bridge cost in 2020?"),
        ([COST], "And the year before?", "How much did the harbour bridge cost in 2018?"),
        ([WHO], "Who else?", "Who else opened the harbour bridge?"),
        (
            [Exchange("How many votes did Berg get?", ("4,200",), "how many")],
            "What about Lind?",
            "How many votes did Lind get?",
        ),
        # dates counted from those told
        ([MET], "And the time before that?", BEFORE.question.replace("meet", "meet in Oslo")),
        ([MET, BEFORE], "Where was that?", "Where did Berg and Lind meet in May 2019?"),
        ([MET], "When did they eat before that?",
         "When did Berg and Lind eat before 4 March 2024?"),
        # words that point back
        ([WHO], "When did she leave?", "When did Ida Holm leave?"),
        ([WHO], "Where is her office?", "Where is Ida Holm’s office?"),
        ([WHO], "What did it cost?", "What did the harbour bridge cost?"),
        ([WHO], "When was the bridge closed?", "When was the harbour bridge closed?"),
        ([TWO], "When did they meet?", "When did Anna Berg and Tomas Lind meet?"),
        ([TWO], "Who is the second one?", "Who is Tomas Lind?"),
        ([TWO], "Where does the second one live?", "Where does Tomas Lind live?"),
        ([FIRM], "What did it pay?", "What did Kanda Marine pay?"),
        ([FIRM], "Who leads the company?", "Who leads Kanda Marine?"),
        (
            [MET],
            "What was said at that meeting?",
            "What was said at the meeting of Berg and Lind on 4 March 2024?",
        ),
        # topics left and taken up again
        ([WHO, FIRM], "Back to the bridge: what did it cost?", "What did the harbour bridge cost?"),
    ],
)  # fmt: skip
def test_what_a_follow_up_means(history, question, meaning):
    understood = resolve(question, history)
    assert understood.text == meaning
    assert understood.follows


@pytest.mark.parametrize(
    "question",
    [
        "Who is the Russian ambassador to South Korea?",
        "When did the Kestrel Bay strike the breakwater?",
        "Did Terry Bradshaw give back to his alma mater?",
        "How long does it take to get to Oslo?",
        "What is universalism?",
        "Was there a ferry to Skarvoy in 1998?",
        "What did Ida Holm say about her brother?",
        "Is it true that the Oslo bridge was closed?",
        "Которая из стран подписала договор?",
    ],
)
@pytest.mark.parametrize("history", [[MET], [WHO, TWO], [FIRM, COST]], ids=["met", "who", "firm"])
def test_what_stands_alone_is_left_alone(history, question):
    assert resolve(question, history)._replace(alternatives=()) == Resolution(question)


@given(st.text(max_size=80))
def test_without_a_history_nothing_is_changed(text):
    assert resolve(text, []).text == " ".join(text.split())


PIECES = st.lists(
    st.sampled_from(
        "and what about she he it they that this there then the second one else before time year "
        "in 2019 Berg bridge where when who why did was meet ? , : back to their the".split()
    ),
    max_size=9,
).map(" ".join)


@settings(deadline=None, max_examples=60)
@given(
    PIECES | st.text(max_size=30),
    st.lists(st.sampled_from([MET, WHO, TWO, BEFORE, FIRM, COST]), max_size=3),
)
def test_anything_can_be_asked(question, history):
    understood = resolve(question, history)
    assert isinstance(understood.text, str)
    assert understood.text.strip() or not question.strip()
    assert choices(question, history) == [] or len(choices(question, history)) > 1


def test_who_else_leaves_out_those_who_were_named():
    assert resolve("Who else?", [WHO]).excluded == ("Ida Holm",)
    assert resolve("Who else came to Oslo?", [TWO]).excluded == ("Anna Berg", "Tomas Lind")
    assert resolve("Where?", [TWO]).excluded == ()


def test_the_newest_is_mentioned_first():
    found = mentions([WHO, FIRM])
    assert [m.age for m in found] == sorted(m.age for m in found)
    assert {m.text for m in found} >= {"Ida Holm", "the harbour bridge", "Kanda Marine"}


def test_one_of_two_people_is_asked_back_for():
    offered = choices("When did he arrive?", [TWO])
    assert [choice.label for choice in offered] == ["Anna Berg", "Tomas Lind"]
    assert asked_back(offered) == "Do you mean Anna Berg or Tomas Lind?"
    assert choices("When did they arrive?", [TWO]) == []
    assert choices("When did he arrive?", [WHO]) == []


EVENTS = Exchange(
    "Who met where and when?",
    ("Berg", "Lind"),
    "who",
    events=(
        Happening("Berg and Lind", (date(2019, 5, 1), date(2019, 5, 31))),
        Happening("Berg and Lind", (DAY, DAY)),
    ),
)


@pytest.mark.parametrize(
    ("reply", "number"),
    [
        ("the first", 0), ("2019", 0), ("May 2019", 0), ("the second one", 1), ("2", 1),
        ("the last", 1), ("2024", 1), ("Who is Berg?", None), ("meeting", None), ("", None),
    ],
)  # fmt: skip
def test_a_reply_chooses(reply, number):
    offered = choices("What was said at that meeting?", [EVENTS])
    assert asked_back(offered) == "Do you mean the May 2019 meeting or the 4 March 2024 meeting?"
    assert chosen(reply, offered) == (offered[number] if number is not None else None)
    assert offered[1].text == "What was said at the meeting of Berg and Lind on 4 March 2024?"


STORIES = {
    "bridge.txt": "Ida Holm opened the harbour bridge in Aalborg on 3 May 2021. She praised the "
    "workers. The bridge cost 4 million euros. Per Lund, the engineer, was ill.",
    "yard.txt": "Kanda Marine bought the Skagen yard in 2022 for 9 million euros. Naoko Ishida led "
    "the talks.",
    "ferry.txt": "The ferry Unn sank off Skagen in June 2023. Nobody was hurt.",
}


@pytest.fixture
def assistant(tmp_path):
    with EmbeddedIndex.open(tmp_path / "index") as index:
        index.add(make_document(name, text, title=name) for name, text in STORIES.items())
        yield Assistant(index)


def test_a_conversation(assistant):
    session = assistant.sessions.create()

    def ask(question, **options):
        return assistant.ask(question, session=session, **options)

    assert ask("Who opened the harbour bridge?").answers[0].text == "Ida Holm"
    when = ask("When?")
    assert when.resolved_question == "When did Ida Holm open the harbour bridge?"
    assert when.answers[0].value.start == "2021-05-03"
    assert when.understood_as
    cost = ask("What did it cost?")
    assert "4 million euros" in cost.answers[0].text
    turns = assistant.sessions.turns(session)
    assert [turn.question for turn in turns] == [
        "Who opened the harbour bridge?", "When?", "What did it cost?",
    ]  # fmt: skip
    assert turns[1].passages


def test_the_history_can_be_left_out(assistant):
    session = assistant.sessions.create()
    assistant.ask("Who opened the harbour bridge?", session=session)
    assert assistant.ask("When?", session=session, resolve=False).resolved_question == "When?"


def test_a_question_that_stands_alone_gets_the_answer_it_gets_alone(assistant):
    session = assistant.sessions.create()
    assistant.ask("Who opened the harbour bridge?", session=session)
    assistant.ask("Where?", session=session)
    for question in ("Who bought the Skagen yard?", "When did the ferry Unn sink?"):
        alone, after = assistant.ask(question), assistant.ask(question, session=session)
        assert after.model_dump(exclude={"timings_ms"}) == alone.model_dump(exclude={"timings_ms"})


def test_asking_back_and_the_reply(tmp_path):
    text = "Anna Berg and Tomas Lind met in Oslo on 4 March 2024. Lind arrived on 2 March 2024."
    with EmbeddedIndex.open(tmp_path / "index") as index:
        index.add([make_document("a.txt", text)])
        assistant = Assistant(index)
        session = assistant.sessions.create()
        assistant.ask("Who met in Oslo?", session=session)
        back = assistant.ask("When did he arrive?", session=session)
        assert back.abstained
        assert back.clarification.choices == ["Anna Berg", "Tomas Lind"]
        assert str(back) == "Do you mean Anna Berg or Tomas Lind?"
        reply = assistant.ask("the second", session=session)
        assert reply.resolved_question == "When did Tomas Lind arrive?"
        assert reply.answers[0].value.start == "2024-03-02"
        assert "clarification" not in reply.model_dump()
