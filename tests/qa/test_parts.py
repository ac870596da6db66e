"""Compound questions taken apart into plain ones."""

import pytest

from qa.parts import part_question


@pytest.mark.parametrize(
    ("question", "slot", "part"),
    [
        ("Where and when did Ann meet Bo?", "where", "Where did Ann meet Bo?"),
        ("Where and when did Ann meet Bo?", "when", "When did Ann meet Bo?"),
        ("Who signed the treaty, and when?", "who", "Who signed the treaty?"),
        ("Who signed the treaty, and when?", "when", "When did someone sign the treaty?"),
        ("Who was arrested, where and when?", "where", "Where was someone arrested?"),
        ("Who met where and when?", "when", "When did someone meet?"),
        ("By whom was it opened, and when?", "when", "When was it opened?"),
        ("Where was it opened, and by whom?", "where", "Where was it opened?"),
    ],
)
def test_parts(question, slot, part):
    assert part_question(question, slot) == part
