"""One container for the index's cache files: named arrays behind a stamped, checksummed header.

Layout: 8 magic bytes, length (uint64) and CRC-32 (uint32) of the header, header (UTF-8 JSON), then
the arrays' raw bytes in header order; numbers are little-endian. Header and arrays are filled up to
multiples of 64 bytes, so that arrays can be used where they stand. A cache is never the truth: any
doubt raises `CacheDamagedError`, and the caller rebuilds from the catalog.
"""

from __future__ import annotations

import json
import math
import os
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

MAGIC = b"DATELIN2"
PREFIX = struct.Struct("<8sQI")
ALIGNMENT = 64
Arrays = Mapping[str, npt.NDArray[Any]]


class CacheDamagedError(Exception):
    """The file is missing, truncated, corrupted, or not a cache file at all."""


def write(path: Path, stamp: Mapping[str, Any], arrays: Arrays) -> None:
    """Replace `path` atomically: write a temporary file beside it, fsync, rename.

    One writer at a time; what a killed one left of its temporary file is overwritten by the next.

    Args:
        stamp: JSON values that say what the cache reflects (index id, generation, settings).
        arrays: arrays of numbers or truth values, of any shape.

    Raises:
        OSError: it cannot be written; what was there before stays.
        TypeError: an array of anything else.
    """
    plain = {name: _little_endian(array) for name, array in arrays.items()}
    parts = [part for array in plain.values() for part in (_raw(array), _filler(array.nbytes))]
    checksum = 0
    for part in parts:
        checksum = zlib.crc32(part, checksum)
    header = json.dumps(
        {
            "stamp": dict(stamp),
            "arrays": [[name, a.dtype.str, list(a.shape)] for name, a in plain.items()],
            "crc32": checksum,
        }
    ).encode()
    header += b" " * len(_filler(PREFIX.size + len(header)))
    temporary = path.with_name(f"{path.name}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(PREFIX.pack(MAGIC, len(header), zlib.crc32(header)) + header)
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _little_endian(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if array.dtype.kind not in "biufc":
        raise TypeError(f"an array of {array.dtype} cannot be kept in a cache file")
    return np.asarray(array, array.dtype.newbyteorder("<"), order="C")


def _raw(array: npt.NDArray[Any]) -> memoryview:
    return array.reshape(-1).view(np.uint8).data


def _filler(size: int) -> bytes:
    return bytes(-size % ALIGNMENT)


def read(path: Path) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """The stamp and the arrays of a cache file; the arrays cannot be written to.

    Raises:
        CacheDamagedError: on anything but a whole, intact file.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise CacheDamagedError(f"{path.name}: {error.strerror or error}") from error
    if raw[: len(MAGIC)] != MAGIC or len(raw) < PREFIX.size:
        raise CacheDamagedError(f"{path.name} is not a cache file")
    _, length, header_checksum = PREFIX.unpack_from(raw)
    position = PREFIX.size + length
    header = raw[PREFIX.size : position]
    if len(header) != length or zlib.crc32(header) != header_checksum:
        raise CacheDamagedError(f"{path.name} has a damaged header")
    arrays: dict[str, npt.NDArray[Any]] = {}
    try:
        description = json.loads(header)
        if zlib.crc32(memoryview(raw)[position:]) != description["crc32"]:
            raise CacheDamagedError(f"{path.name} is truncated or corrupted")
        for name, kind, shape in description["arrays"]:
            count = math.prod(shape)
            arrays[name] = np.frombuffer(raw, kind, count, position).reshape(shape)
            position += arrays[name].nbytes + len(_filler(arrays[name].nbytes))
        return description["stamp"], arrays
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise CacheDamagedError(f"{path.name} is not as this version writes it") from error
