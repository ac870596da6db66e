"""Filters: any glob, any key and any value, in SQL that none of them can break."""

from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import put_chunks, sources_of

from index import Document, Filters
from index.catalog import Catalog
from index.errors import UsageError


@pytest.fixture
def catalog(tmp_path):
    opened = Catalog(tmp_path / "index", create=True)
    yield opened
    opened.close()


def test_filters_on_dates_and_sources_of(catalog):
    for month in range(1, 5):
        put_chunks(catalog, f"{month}.txt", published=f"2023-0{month}-15")
    put_chunks(catalog, "undated.txt")
    assert sources_of(catalog, Filters(after=date(2023, 3, 15))) == ["3.txt", "4.txt"]
    assert sources_of(catalog, Filters(before=date(2023, 2, 14))) == ["1.txt"]
    assert sources_of(catalog, Filters(after=date(2023, 2, 1), source="[^2]*")) == [
        "3.txt",
        "4.txt",
    ]


@pytest.mark.parametrize(
    ("glob", "expected"),
    [
        ("a[[]1].txt", ["a[1].txt"]),
        ("a[*].txt", ["a*.txt"]),
        ("a[?].txt", ["a?.txt"]),
        ("a?.txt", ['a".txt', "a%.txt", "a'.txt", "a*.txt", "a?.txt", "aé.txt"]),
        ("a[%'].txt", ["a%.txt", "a'.txt"]),
        ("a[", []),
        ("A*", []),
        ("'; DROP TABLE documents; --", []),
        ("?\0", []),
        ("\ud800*", []),
    ],
)
def test_globs_with_special_characters(catalog, glob, expected):
    for name in ("a[1]", "a*", "a?", "a'", 'a"', "a%", "aé"):
        put_chunks(catalog, f"{name}.txt")
    assert sources_of(catalog, Filters(source=glob)) == expected
    ids = catalog.matching_chunks(Filters(source=glob)).tolist()
    assert len(ids) == 2 * len(expected)
    assert ids == sorted(ids)


def test_a_glob_longer_than_any_path_is_refused():
    with pytest.raises(UsageError, match="more than 4096"):
        Filters(source="*" * 5000)
    with pytest.raises(UsageError, match="more than 4096"):
        Filters(words="a " * 5000)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({'a.b"c': 1}, True),
        ({'a.b"c': 1.0}, True),
        ({'a.b"c': "1"}, False),
        ({'a.b"c': 1, "list": [1, {"x": None}]}, True),
        ({"list": [1]}, False),
        ({"list": []}, False),
        ({"null": None}, True),
        ({"missing": None}, False),
        ({"missing": []}, False),
        ({"$": "$"}, True),
        ({"": ""}, True),
        ({"it's": "'; --"}, True),
        ({"\0": "\0"}, True),
        ({"\0": ""}, False),
        ({"\ud800": "\udfff"}, True),
        ({"list[0]": 1}, False),
        ({"big": 2**70}, True),
        ({"nan": 1}, False),
    ],
)
def test_metadata_of_any_kind(catalog, wanted, found):
    held = {
        'a.b"c': 1,
        "list": [1, {"x": None}],
        "null": None,
        "$": "$",
        "": "",
        "it's": "'; --",
        "\0": "\0",
        "\ud800": "\udfff",
        "big": 2**70,
        "nan": float("nan"),
    }
    put_chunks(catalog, "plain.txt")
    put_chunks(catalog, "odd.txt", **held)
    assert sources_of(catalog, Filters(metadata=wanted)) == ["odd.txt"] * found
    assert len(catalog.matching_chunks(Filters(metadata=wanted))) == 2 * found


_TEXT = st.text(st.characters(), max_size=5)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=4,
)
_METADATA = st.dictionaries(_TEXT | st.sampled_from(["a", "b"]), _VALUES | st.just(1), max_size=3)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(held=st.lists(_METADATA, min_size=1, max_size=4), wanted=_METADATA, data=st.data())
def test_metadata_is_compared_as_python_does(catalog, held, wanted, data):
    wanted |= data.draw(st.sampled_from(held))
    with pytest.raises(InterruptedError), catalog.transaction():  # quicker than deleting them
        for n, metadata in enumerate(held):
            document = Document(id=f"{n}", source=f"{n}.txt", title="", text="", metadata=metadata)
            catalog.put(document, [])
        assert sources_of(catalog, Filters(metadata=wanted)) == [
            f"{number}.txt"
            for number, metadata in enumerate(held)
            if all(key in metadata and metadata[key] == wanted[key] for key in wanted)
        ]
        assert [d.metadata for d in catalog.documents(Filters())] == held
        raise InterruptedError
