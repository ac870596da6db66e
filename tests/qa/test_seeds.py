"""The two articles the project began from; skipped where they are not at hand."""

from pathlib import Path

import pytest

from index import EmbeddedIndex, Filters
from qa import Assistant
from qa.demo import SAMPLE

SEEDS = Path(__file__).parents[3] / "shared" / "seeds"
pytestmark = pytest.mark.skipif(not SEEDS.is_dir(), reason="the seed articles are not here")


@pytest.fixture(scope="module", params=[[], [SAMPLE]], ids=["alone", "among others"])
def assistant(tmp_path_factory, request):
    with EmbeddedIndex.open(tmp_path_factory.mktemp("seeds") / ".dateline") as index:
        report = index.add_files([SEEDS, *request.param])
        assert not report.failed
        yield Assistant(index)


@pytest.mark.parametrize(
    ("question", "expected", "published"),
    [
        ("When did Kim and Putin previously meet?", {"April 2019"}, "2023-09-05"),
        (
            "Where did Kim Jong Un meet Putin in September 2023?",
            {
                "Vostochny Cosmodrome",
                "the Vostochny Cosmodrome",
                "Vostochny Cosmodrome in Russia’s Amur region",
            },
            "2023-09-19",
        ),
        (
            "Who did South Korea summon?",
            {"Andrey Borisovich Kulik", "Russian ambassador", "the Russian ambassador"},
            "2023-09-19",
        ),
        ("When did Shoigu visit the North?", {"late July"}, "2023-09-05"),
    ],
)
def test_questions(assistant, question, expected, published):
    answer = assistant.ask(question)
    best = answer.answers[0]
    citation = answer.citations[best.citations[0] - 1]
    assert best.text in expected
    assert citation.published == published
    text = assistant.index.get(citation.document_id).text
    assert text[citation.start : citation.end] == citation.quote == best.text


def test_abstention(assistant):
    answer = assistant.ask("Who won the 2022 World Cup?")
    assert answer.abstained
    assert answer.answers == []


def test_dates_and_places(assistant):
    seeds = Filters(source=f"{SEEDS.resolve()}/*")
    found = [(d.published.isoformat(), d.place) for d in assistant.index.documents(seeds)]
    assert found == [("2023-09-05", None), ("2023-09-19", "SEOUL")]
