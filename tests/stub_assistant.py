"""An assistant without models: the faces' tests look at what they pass on and what they show."""

from qa import Answer, Citation, Span
from qa.answer import Passage, Timeline
from qa.question import analyse
from qa.sessions import PassageRef, Sessions
from qa.stages import Understood, unwatched

SENTENCE = "Anna Berg met\nTomas Lind in Oslo."


def make_answer(question, text="Tomas Lind", *, resolved=None, **fields):
    """An answer cited from `SENTENCE`; an abstention near all of it if `text` is empty."""
    quote = text or SENTENCE
    start = SENTENCE.find(quote)
    citation = Citation(
        number=1,
        document_id="0123456789abcdef",
        title="Leaders meet",
        source="news/oslo.txt",
        published="2024-03-04",
        start=start,
        end=start + len(quote),
        quote=quote,
        passage=Passage(start=0, end=len(SENTENCE) + 11, text=f"{SENTENCE} It rained."),
        page=None,
    )
    span = Span(text=text, confidence=0.8, slot="who", citations=[1])
    return Answer(
        question=question,
        resolved_question=resolved or question,
        abstained=not text,
        answers=[span] if text else [],
        citations=[citation] if text else [],
        nearest=[] if text else [citation],
        timings_ms={},
        **fields,
    )


class StubAssistant:
    """Says "Tomas Lind", understands "he" as that in a session, and knows nothing of cups."""

    class reader:  # noqa: N801 - what the service looks at of one
        name = "stub"

    def __init__(self, index):
        self.index = index
        self.sessions = Sessions(index.sessions)

    def warm_up(self):
        pass

    def timeline(self, query, *, since=None, until=None, filters=None, top_k=40):
        analyse(query)
        return Timeline(query=query, events=[], citations=make_answer(query).citations)

    def ask(
        self,
        question,
        *,
        filters=None,
        top_k=12,
        session=None,
        history=(),
        resolve=True,
        on_stage=unwatched,
    ):
        resolved = question
        analyse(question)  # refuses what is none
        on_stage(Understood(question))
        turns = history if session is None else self.sessions.turns(session, last=1)
        if turns and resolve:
            resolved = question.replace(" he ", " Tomas Lind ")
        text = "" if "Cup" in question else "Tomas Lind"
        answer = make_answer(question, text, resolved=resolved)
        if session is not None:
            passages = [PassageRef(document_id="0123456789abcdef", start=0, end=9)]
            self.sessions.add(session, question, answer, passages)
        return answer
