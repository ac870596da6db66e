"""Cache files: what was written comes back, or `CacheDamagedError` says that it cannot."""

import errno
import json
import os
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from index import cachefile
from index.cachefile import ALIGNMENT, MAGIC, PREFIX, CacheDamagedError
from index.lexical import LexicalIndex

NUMBERS = st.one_of(
    hnp.boolean_dtypes(),
    hnp.integer_dtypes(endianness="?"),
    hnp.unsigned_integer_dtypes(endianness="?"),
    hnp.floating_dtypes(endianness="?"),
    hnp.complex_number_dtypes(endianness="?"),
)
ARRAYS = hnp.arrays(NUMBERS, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
SMALL = {
    "ids": np.arange(7),
    "flags": np.array([True, False]),
    "nothing": np.zeros((0, 3)),
    "weights": np.linspace(0, 1, 5, dtype=np.float32),
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "some.cache"


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    stamp=st.dictionaries(st.text(), JSON, max_size=3),
    arrays=st.dictionaries(st.text(max_size=5), ARRAYS, max_size=4),
)
@example(stamp={}, arrays={})
@example(stamp={"a": 1}, arrays={"": np.array(7.0), "b": np.arange(12).reshape(3, 4).T})
def test_round_trip(path, stamp, arrays):
    cachefile.write(path, stamp, arrays)
    found_stamp, found = cachefile.read(path)
    assert found_stamp == stamp
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype.newbyteorder("<")
        assert found[name].shape == array.shape
        np.testing.assert_array_equal(found[name], array)
        assert not found[name].flags.writeable


def test_arrays_can_be_used_where_they_stand(path):
    cachefile.write(path, {"odd": "x"}, SMALL)
    assert path.stat().st_size % ALIGNMENT == 0
    _, found = cachefile.read(path)
    assert all(array.flags.aligned and not array.flags.owndata for array in found.values())
    index = LexicalIndex()
    index.add([3, 5], [["one", "two"], ["two", "three", "x"]])
    cachefile.write(path, {}, index.to_arrays())
    _, found = cachefile.read(path)
    collection = LexicalIndex.from_arrays(found)._scorer.collection
    assert collection.ids is found["ids"]
    assert collection.segments[0].slots is found["slots"]


def test_every_truncation_is_noticed(path):
    cachefile.write(path, {"generation": 3}, SMALL)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(CacheDamagedError):
            cachefile.read(path)
    path.write_bytes(whole + b"\0")
    with pytest.raises(CacheDamagedError):
        cachefile.read(path)


@pytest.mark.parametrize("change", [0x01, 0x80, 0x20, 0xFF])
def test_every_changed_byte_is_noticed(path, change):
    cachefile.write(path, {"generation": 3}, SMALL)
    whole = path.read_bytes()
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= change
        path.write_bytes(damaged)
        with pytest.raises(CacheDamagedError):
            cachefile.read(path)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(garbage=st.binary(max_size=200), start=st.sampled_from([b"", MAGIC]))
def test_garbage_is_no_cache_file(path, garbage, start):
    path.write_bytes(start + garbage)
    with pytest.raises(CacheDamagedError):
        cachefile.read(path)


NO_BODY = zlib.crc32(b"")


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"null",
        b"{}",
        *(
            json.dumps(description).encode()
            for description in (
                {"stamp": {}, "arrays": []},
                {"arrays": [], "crc32": NO_BODY},
                {"stamp": {}, "crc32": NO_BODY},
                {"stamp": {}, "arrays": None, "crc32": NO_BODY},
                {"stamp": {}, "arrays": [["a"]], "crc32": NO_BODY},
                {"stamp": {}, "arrays": [["a", "<i8", [1]]], "crc32": NO_BODY},
                {"stamp": {}, "arrays": [["a", "<i8", [10**30]]], "crc32": NO_BODY},
                {"stamp": {}, "arrays": [["a", "<i8", "x"]], "crc32": NO_BODY},
                {"stamp": {}, "arrays": [["a", "nonsense", [0]]], "crc32": NO_BODY},
                {"stamp": {}, "arrays": [["a", "O", [0]]], "crc32": NO_BODY},
            )
        ),
    ],
)
def test_an_intact_header_of_another_version(path, header):
    path.write_bytes(PREFIX.pack(MAGIC, len(header), zlib.crc32(header)) + header)
    with pytest.raises(CacheDamagedError):
        cachefile.read(path)


@pytest.mark.parametrize("length", [2**32, 2**63 - 1, 2**63, 2**64 - 1])
def test_an_absurd_header_length(path, length):
    path.write_bytes(PREFIX.pack(MAGIC, length, zlib.crc32(b"{}")) + b"{}")
    with pytest.raises(CacheDamagedError, match="header"):
        cachefile.read(path)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(CacheDamagedError, match="No such file"):
        cachefile.read(tmp_path / "none")
    with pytest.raises(CacheDamagedError):
        cachefile.read(tmp_path)


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failed_write_leaves_what_was_there(path, monkeypatch, step):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    cachefile.write(path, {"generation": 1}, SMALL)
    before = path.read_bytes()
    monkeypatch.setattr(os, step, full)
    with pytest.raises(OSError, match="No space left"):
        cachefile.write(path, {"generation": 2}, {})
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_what_a_killed_writer_left_is_overwritten(path):
    left = path.with_name(f"{path.name}.tmp")
    left.write_bytes(b"half" * 1000)
    cachefile.write(path, {"generation": 1}, SMALL)
    assert cachefile.read(path)[0] == {"generation": 1}
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    "array", [np.array(["text"]), np.array([object()]), np.zeros(2, "i4,f8"), np.zeros(2, "M8[s]")]
)
def test_other_things_than_numbers_are_refused(path, array):
    with pytest.raises(TypeError, match="cannot be kept"):
        cachefile.write(path, {}, {"a": array})
    assert not path.exists()
