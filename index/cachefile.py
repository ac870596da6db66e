"""One container for the index's cache files: named arrays behind a stamped, checksummed header.

Layout: 8 magic bytes, header length (uint64, little-endian), header (UTF-8 JSON), then the raw
little-endian arrays in header order. A cache is never the truth: any doubt raises
`CacheDamagedError`, and the caller rebuilds from the catalog.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

MAGIC = b"DATELIN1"
Arrays = Mapping[str, npt.NDArray[Any]]


class CacheDamagedError(Exception):
    """The file is missing, truncated, corrupted, or not a cache file at all."""


def write(path: Path, stamp: Mapping[str, Any], arrays: Arrays) -> None:
    """Replace `path` atomically: write a temporary file beside it, fsync, rename.

    Args:
        stamp: JSON values that say what the cache reflects (index id, generation, settings).
        arrays: numeric arrays of any shape.
    """
    plain = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    checksum = 0
    for array in plain.values():
        checksum = zlib.crc32(_raw(array), checksum)
    header = json.dumps(
        {
            "stamp": dict(stamp),
            "arrays": [[name, a.dtype.str, list(a.shape)] for name, a in plain.items()],
            "crc32": checksum,
        }
    ).encode()
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(MAGIC + struct.pack("<QI", len(header), zlib.crc32(header)) + header)
            for array in plain.values():
                file.write(_raw(array))
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _raw(array: npt.NDArray[Any]) -> memoryview:
    return array.reshape(-1).view(np.uint8).data


def read(path: Path) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """The stamp and the arrays of a cache file.

    Raises:
        CacheDamagedError: on anything but a whole, intact file.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise CacheDamagedError(f"{path.name}: {error.strerror or error}") from error
    prefix = len(MAGIC) + 12
    if raw[: len(MAGIC)] != MAGIC or len(raw) < prefix:
        raise CacheDamagedError(f"{path.name} is not a cache file")
    length, header_checksum = struct.unpack("<QI", raw[len(MAGIC) : prefix])
    header = raw[prefix : prefix + length]
    if zlib.crc32(header) != header_checksum:
        raise CacheDamagedError(f"{path.name} has a damaged header")
    description = json.loads(header)
    body = memoryview(raw)[prefix + length :]
    sizes = [
        (name, np.dtype(kind), shape, int(np.prod(shape, dtype=np.int64)) * np.dtype(kind).itemsize)
        for name, kind, shape in description["arrays"]
    ]
    if len(body) != sum(size for *_, size in sizes) or zlib.crc32(body) != description["crc32"]:
        raise CacheDamagedError(f"{path.name} is truncated or corrupted")
    arrays: dict[str, npt.NDArray[Any]] = {}
    position = 0
    for name, kind, shape, size in sizes:
        arrays[name] = np.frombuffer(body[position : position + size], dtype=kind).reshape(shape)
        position += size
    return description["stamp"], arrays
