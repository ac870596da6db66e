"""The whole path: answers are verbatim and cited, the record is the contract, honesty holds."""

import json
from datetime import date

import pytest
from support import make_document

from index import EmbeddedIndex, Filters
from index.errors import UsageError
from qa import Assistant

STORIES = {
    "talks.txt": (
        "2024-03-05",
        "Anna Berg met Tomas Lind in Oslo on March 4, 2024. They discussed the fishing treaty. "
        "The talks were held because the old treaty expires in June, officials said.",
    ),
    "echo.txt": (
        "2024-03-06",
        "Observers noted that Tomas Lind and Anna Berg met on March 4, 2024, for the first time. "
        "No treaty was signed.",
    ),
    "storm.txt": (
        "2024-01-20",
        "A storm tore the roof off the town hall in Bergen on Friday. Repairs will cost 2.5 "
        "million crowns, the mayor, Ida Holm, told reporters.",
    ),
}


@pytest.fixture(scope="module")
def assistant(tmp_path_factory):
    with EmbeddedIndex.open(tmp_path_factory.mktemp("answers") / ".dateline") as index:
        index.add(
            make_document(source, text, published=published, title=source.split(".")[0])
            for source, (published, text) in STORIES.items()
        )
        yield Assistant(index)


def check_citations(answer):
    numbers = {citation.number for citation in answer.citations}
    assert numbers == set(range(1, len(answer.citations) + 1))
    for citation in [*answer.citations, *answer.nearest]:
        text = STORIES[citation.source][1]
        assert text[citation.start : citation.end] == citation.quote
        passage = citation.passage
        assert text[passage.start : passage.end] == passage.text
        assert passage.start <= citation.start < citation.end <= passage.end
    for span in answer.answers:
        assert set(span.citations) <= numbers
        assert span.text == answer.citations[span.citations[0] - 1].quote


@pytest.mark.parametrize(
    ("question", "expected", "slot", "source"),
    [
        ("Where did Anna Berg meet Tomas Lind?", "Oslo", "where", "talks.txt"),
        ("Who is the mayor of Bergen?", "Ida Holm", "who", "storm.txt"),
        ("How much will the repairs cost?", "2.5 million crowns", "how much", "storm.txt"),
    ],
)
def test_answers_are_verbatim_and_cited(assistant, question, expected, slot, source):
    answer = assistant.ask(question)
    check_citations(answer)
    best = answer.answers[0]
    assert (best.text, best.slot) == (expected, slot)
    assert answer.citations[best.citations[0] - 1].source == source


def test_equal_answers_keep_all_their_citations(assistant):
    answer = assistant.ask("When did Anna Berg meet Tomas Lind?")
    check_citations(answer)
    assert answer.answers[0].text == "March 4, 2024"
    assert {answer.citations[n - 1].source for n in answer.answers[0].citations} == {
        "talks.txt",
        "echo.txt",
    }


def test_one_day_told_in_other_words_is_one_answer(tmp_path):
    stories = {  # "Friday" twice, of which only the first is the day of the blast
        "blast.txt": ("2024-08-10", "A boiler exploded at the Tarn brewery on Friday."),
        "inquiry.txt": ("2024-09-16", "The boiler at the Tarn brewery exploded on August 9."),
        "court.txt": ("2024-11-16", "Owners of the Tarn brewery were charged in court on Friday."),
    }
    with EmbeddedIndex.open(tmp_path / ".dateline") as index:
        index.add(
            make_document(source, text, published=published)
            for source, (published, text) in stories.items()
        )
        answer = Assistant(index).ask("When did the boiler explode at the Tarn brewery?")
    best = answer.answers[0]
    assert best.value.start == best.value.end == "2024-08-09"
    cited = [answer.citations[number - 1].source for number in best.citations]
    assert sorted(cited) == ["blast.txt", "inquiry.txt"]


def test_a_slip_is_put_right_and_the_user_is_told(assistant):
    typed = "Wher did Anna Berg meet Tomas Lindd?"
    answer = assistant.ask(typed)
    assert answer.question == typed
    assert answer.resolved_question == answer.understood_as
    assert answer.resolved_question == "Where did Anna Berg meet Tomas Lind?"
    assert answer.answers[0].text == "Oslo"
    assert assistant.candidates(typed)[0].text == "Oslo"
    assert assistant.ask("Where did Anna Berg meet Tomas Lind?").understood_as == ""


def test_why_is_answered_with_the_sentence(assistant):
    answer = assistant.ask("Why were the talks held?")
    check_citations(answer)
    assert answer.answers[0].text == (
        "The talks were held because the old treaty expires in June, officials said."
    )


def test_yes_no_gives_the_evidence(assistant):
    answer = assistant.ask("Was a treaty signed?")
    check_citations(answer)
    assert answer.answers[0].text == "No treaty was signed."


def test_what_the_documents_do_not_say_is_not_answered(assistant):
    answer = assistant.ask("Who won the 2022 World Cup?")
    assert answer.abstained
    assert answer.answers == []
    assert answer.citations == []
    assert answer.nearest
    check_citations(answer)


def test_filters_restrict_what_is_answered_from(assistant):
    question = "When did Anna Berg meet Tomas Lind?"
    answer = assistant.ask(question, filters=Filters(after=date(2024, 3, 6)))
    assert {citation.source for citation in answer.citations} == {"echo.txt"}
    assert assistant.ask(question, filters=Filters(source="none/*")).abstained


def test_the_record_is_the_contract(assistant):
    record = json.loads(assistant.ask("Where did Anna Berg meet Tomas Lind?").model_dump_json())
    assert set(record) == {
        "question",
        "resolved_question",
        "abstained",
        "answers",
        "events",
        "citations",
        "nearest",
        "timings_ms",
    }
    assert set(record["answers"][0]) == {
        "text",
        "confidence",
        "slot",
        "name",
        "value",
        "citations",
    }
    assert set(record["citations"][0]) == {
        "number",
        "document_id",
        "title",
        "source",
        "published",
        "start",
        "end",
        "quote",
        "passage",
        "page",
        "sentences",
    }
    assert set(record["citations"][0]["passage"]) == {"start", "end", "text"}
    assert {"retrieve", "read", "total"} <= set(record["timings_ms"])
    assert 0 <= record["answers"][0]["confidence"] <= 1


def test_printing_an_answer_gives_the_words_and_the_citations(assistant):
    text = str(assistant.ask("Where did Anna Berg meet Tomas Lind?"))
    assert text.startswith("Oslo [1]")
    assert "[1] talks (2024-03-05, talks.txt)" in text
    assert str(assistant.ask("Who won the 2022 World Cup?")).startswith("The documents do not say")


@pytest.mark.parametrize("question", ["", " ? ", "x" * 100_000])
def test_impossible_questions(assistant, question):
    with pytest.raises(UsageError):
        assistant.ask(question)


@pytest.mark.parametrize(
    "question", ["Где они встретились?", "首脳はどこで会った？", "🙂 where \ud800?"]
)
def test_questions_in_other_scripts_do_no_harm(assistant, question):
    check_citations(assistant.ask(question))


def test_an_empty_index_abstains(tmp_path):
    with EmbeddedIndex.open(tmp_path / ".dateline") as index:
        answer = Assistant(index).ask("Who met whom?")
    assert answer.abstained
    assert answer.nearest == []
