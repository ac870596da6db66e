"""Names: joined where it is safe, left alone where it is not."""

import pytest

from qa.entities import Names, same_name
from qa.places import is_country

STORY = """North Korean leader Kim Jong-un met Russia's President Vladimir Putin in Vladivostok.
Kim thanked Putin. Dr. Ana Sousa of Lisbon University and her sister Rita Sousa watched. "I agree,"
Sousa said. Kim left the Russian city, and later the country, for Pyongyang on Monday."""


@pytest.mark.parametrize(
    ("mention", "name"),
    [
        ("Kim", "Kim Jong-un"),
        ("Putin", "Vladimir Putin"),
        ("Mr. Putin", "Vladimir Putin"),
        ("President Putin", "Vladimir Putin"),
        ("Kim Jong-un", None),  # already full
        ("Sousa", None),  # two of them
        ("Lisbon", "Lisbon University"),
        ("the city", None),
        ("Nobody", None),
    ],
)
def test_full_names(mention, name):
    assert Names(STORY).full_name(mention) == name


@pytest.mark.parametrize(
    ("mention", "name"),
    [
        ("the North’s leader", "Kim Jong-un"),
        ("the leader", "Kim Jong-un"),
        ("the Russian president", "Vladimir Putin"),
        ("the ambassador", "Ana Sousa"),
        ("the president", None),  # two of them
        ("the French leader", None),
        ("the mayor", None),
    ],
)
def test_people_by_their_office(mention, name):
    text = (
        "North Korean leader Kim Jong-un met Russia's President Vladimir Putin. Ana Sousa, the "
        "Brazilian ambassador, watched. French President Emmanuel Macron did not."
    )
    assert Names(text).holder(mention, len(text)) == name
    assert Names(text).holder(mention, 0) is None


def test_a_name_that_only_comes_later_is_not_meant():
    text = "President Obama spoke. His wife, Michelle Obama, listened. Mrs. Obama smiled."
    names = Names(text)
    assert names.full_name("Obama", text.index("Obama")) is None
    assert names.full_name("Mrs. Obama", text.index("Mrs. Obama")) == "Michelle Obama"


def test_descriptions_of_places():
    names = Names(STORY)
    assert names.place_before("city", STORY.index("the Russian city")) == "Vladivostok"
    assert names.place_before("city", 10) is None
    assert names.place_before("country", len(STORY)) is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Kim Jong-un", "Kim Jong Un", True),
        ("KIM JONG UN", "Kim", True),
        ("Kim Jong-un's", "Mr. Kim", True),
        ("José Peña", "Jose Pena", True),
        ("Ana Sousa", "Rita Sousa", False),
        ("", "Kim", False),
    ],
)
def test_same_names(one, other, same):
    assert same_name(one, other) is same


def test_countries():
    assert is_country("the United States")
    assert is_country("North Korea")
    assert not is_country("Vladivostok")
