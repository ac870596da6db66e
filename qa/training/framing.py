"""What stands around a news text: its title, and the place and date it was sent from.

An index gives the reader passages that begin so. The place and date of a dateline are rarely what
a question asks for, and training texts have none; so some get one that is made up.
"""

from __future__ import annotations

import random
from dataclasses import replace

from .examples import Example

TITLED = 0.3  # share of the texts of a named article that get its name as title
SENT = 0.2  # share of texts that get a dateline
_PLACES = (
    "London Paris Berlin Moscow Beijing Seoul Tokyo Washington Cairo Nairobi Lagos Ankara Tehran "
    "Baghdad Kabul Islamabad Dhaka Jakarta Manila Hanoi Bangkok Canberra Sydney Wellington Ottawa "
    "Madrid Rome Athens Vienna Brussels Geneva Warsaw Kyiv Lima Bogota Caracas Havana Jerusalem"
).split()
_PLACES += ["New York", "New Delhi", "Mexico City", "Hong Kong", "Buenos Aires", "Cape Town"]
_AGENCIES = ("AP", "AFP", "Reuters", "Xinhua", "dpa", "UPI", "Kyodo", "EFE")
_MONTHS = (
    "January February March April May June July August September October November December".split()
)


def framed(example: Example, dice: random.Random) -> Example:
    """The example, its passage now and then with a title or a dateline before it."""
    head = ""
    title = example.group.replace("_", " ")
    named = 0 < len(title) < 80 and title.split()[0] in example.context
    if named and dice.random() < TITLED:
        head = f"{title}\n\n"
    if dice.random() < SENT:
        head += _dateline(dice)
    shift = len(head)
    answers = tuple((start + shift, end + shift) for start, end in example.answers)
    return replace(example, context=head + example.context, answers=answers)


def _dateline(dice: random.Random) -> str:
    place = dice.choice(_PLACES)
    if dice.random() < 0.7:
        place = place.upper()
    if dice.random() < 0.6:
        month = dice.choice(_MONTHS)
        place += f", {month[:3] if dice.random() < 0.5 else month} {dice.randint(1, 28)}"
        if dice.random() < 0.5:
            place += f", {dice.randint(1988, 2024)}"
    if dice.random() < 0.7:
        place += f" ({dice.choice(_AGENCIES)})"
    return place + dice.choice((" – ", " — ", " - ", " -- "))
