"""Answers by slot and type: who is in which group, and what each group's figures are over."""

from types import SimpleNamespace

import pytest

from eval.groups import by_group, slot_of


@pytest.mark.parametrize(
    ("question", "slot"),
    [
        ("Who came?", "who"),
        ("To  whom was it given?", "who"),
        ("In what year was it?", "when"),
        ("Which city lies there?", "where"),
        ("How many came?", "how many"),
        ("HOW  MUCH is it?", "how much"),
        ("How did Norway become rich?", "how"),
        ("Did they come?", "yes/no"),
        ("Describe the bridge.", "describe"),
        ("Name the capital.", "other"),
        ("?", "other"),
    ],
)
def test_slot(question, slot):
    assert slot_of(question) == slot


def row(kind, *, gold=True, em=0.0, f1=0.0, abstained=False):
    scores = (em, f1) if gold else (None, None)
    return SimpleNamespace(
        kind=kind, unanswerable=not gold, exact_match=scores[0], f1=scores[1], abstained=abstained
    )


def test_scores_by_hand():
    groups = by_group(
        [
            row("when", em=1.0, f1=1.0),
            row("when", f1=0.5, abstained=True),
            row("when", gold=False),
            row("when", gold=False, abstained=True),
            row("who", gold=False),
            row("who", gold=False),
            row("", em=1.0, f1=1.0),
            row("why", f1=0.25),
        ],
        lambda each: each.kind,
    )
    assert list(groups) == ["when", "who", "why"]  # the largest first, the nameless left out
    assert groups["when"] == (4, 0.5, 0.75, 0.5, 0.5)
    assert groups["who"] == (2, None, None, None, 1.0)
    assert groups["why"] == (1, 0.0, 0.25, 0.0, None)
