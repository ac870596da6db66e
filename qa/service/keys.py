"""API keys: made and revoked by `dateline keys`, kept hashed in the index folder.

A key is 256 random bits, so one round of SHA-256 (as HMAC, with a salt of the file) keeps it as
well as bcrypt or Argon2 would: those make guessing slow, and here is nothing to guess. They would
cost every request a tenth of a second.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import filelock

from index.errors import DatelineError, IndexAccessError, IndexDamagedError, UsageError
from index.sessions import utc

Scope = Literal["read", "write"]
FILE = "keys.json"
MARK = "dl_"  # in front of every key, so that scanners for leaked secrets can know it
ENVIRONMENT = "environment"  # the name of the key that the settings give
WAIT_SECONDS = 5  # for another process that changes the keys

_NAME = re.compile(r"[\w.@-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is kept of a key; moments in ISO 8601, UTC.

    Attributes:
        scope: "read" to ask and look, "write" also to add and remove documents.
        digest: HMAC-SHA-256 of the key, in hex.
        expires: None for never.
        used: when a request last came with it, to the minute or so.
    """

    name: str
    scope: Scope
    digest: str
    created: str
    expires: str | None = None
    used: str | None = None

    @property
    def expired(self) -> bool:
        """Whether its time is over."""
        return self.expires is not None and self.expires <= _now()

    def may(self, scope: Scope) -> bool:
        """Whether it is good for that."""
        return scope == "read" or self.scope == "write"


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the file says."""

    salt: str
    keys: tuple[ApiKey, ...] = ()


class KeyStore:
    """The keys of one index; what another process changes counts from the next request on.

    Every method may raise IndexDamagedError (the file cannot be understood) or IndexAccessError.
    """

    def __init__(self, folder: Path, extra: str | None = None) -> None:
        """The keys in a folder, and one that is kept nowhere, with all rights."""
        self.path = folder / FILE
        self._kept: tuple[tuple[int, ...], _Kept] = ((), _Kept(""))  # and the file's stamp
        self._used: dict[str, str] = {}
        self._extra: ApiKey | None = None
        self._salt = secrets.token_hex(16)
        if extra:
            self._extra = ApiKey(ENVIRONMENT, "write", _digest(self._salt, extra), _now())

    def all(self) -> tuple[ApiKey, ...]:
        """The keys in the file, expired ones too."""
        return self._now_kept().keys

    @property
    def usable(self) -> bool:
        """Whether there is a key that a request could come with."""
        return self._extra is not None or any(not key.expired for key in self.all())

    def find(self, presented: str) -> ApiKey | None:
        """The key that this is, if it has not expired."""
        kept = self._now_kept()
        # All are compared, each in constant time: how long it takes tells nothing.
        digest = _digest(kept.salt, presented)
        found = [key for key in kept.keys if hmac.compare_digest(key.digest, digest)]
        if self._extra:
            digest = _digest(self._salt, presented)
            found += [self._extra] * hmac.compare_digest(self._extra.digest, digest)
        valid = [key for key in found if not key.expired]
        if not valid:
            return None
        self._used[valid[0].name] = _now()
        return valid[0]

    def add(self, name: str, scope: Scope = "read", lifetime: timedelta | None = None) -> str:
        """Make a key and return it; it cannot be shown again.

        Raises:
            UsageError: the name is taken, or not 1 to 64 letters, digits, and any of "._@-".
        """
        if not _NAME.fullmatch(name) or name == ENVIRONMENT:
            raise UsageError(
                f"{name[:64]!r} cannot be the name of a key.",
                'Use up to 64 letters, digits, ".", "_", "@" and "-".',
            )
        key = MARK + secrets.token_urlsafe(32)
        expires = utc(datetime.now(UTC) + lifetime) if lifetime else None
        with self._changing() as (salt, keys):
            if name in keys:
                raise UsageError(
                    f"There is a key {name!r}.",
                    f"Take another name, or: dateline keys revoke {name}",
                )
            keys[name] = ApiKey(name, scope, _digest(salt, key), _now(), expires)
        return key

    def revoke(self, name: str) -> bool:
        """Remove a key; whether there was one."""
        with self._changing() as (_, keys):
            return keys.pop(name, None) is not None

    def save_used(self) -> None:
        """Write down when keys were last used; never mind if that is not possible."""
        used, self._used = self._used, {}
        if not used.keys() & {key.name for key in self.all()}:
            return
        with contextlib.suppress(DatelineError), self._changing() as (_, keys):
            for name, moment in used.items():
                if name in keys:
                    keys[name] = replace(keys[name], used=moment)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[tuple[str, dict[str, ApiKey]]]:
        """The file's salt and its keys by name, written back afterwards, if they have changed."""
        try:
            with filelock.FileLock(f"{self.path}.lock", timeout=WAIT_SECONDS):
                kept = self._read() if self.path.exists() else _Kept(secrets.token_hex(16))
                keys = {key.name: key for key in kept.keys}
                yield kept.salt, keys
                if tuple(keys.values()) != kept.keys:
                    self._write(_Kept(kept.salt, tuple(keys.values())))
        except filelock.Timeout as error:
            raise IndexAccessError(f"{self.path} is busy.", "Try again.") from error
        except OSError as error:
            raise _inaccessible(self.path, error) from error

    def _now_kept(self) -> _Kept:
        """What the file says, read again only if it has been replaced."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return _Kept("")
        except OSError as error:
            raise _inaccessible(self.path, error) from error
        stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
        if stamp != self._kept[0]:
            self._kept = stamp, self._read()
        return self._kept[1]

    def _read(self) -> _Kept:
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
            return _Kept(content["salt"], tuple(ApiKey(**key) for key in content["keys"]))
        except OSError as error:
            raise _inaccessible(self.path, error) from error
        except (ValueError, KeyError, TypeError) as error:
            raise IndexDamagedError(
                f"{self.path} cannot be understood: {error}.",
                "Delete it and make new keys: dateline keys add NAME",
            ) from error

    def _write(self, kept: _Kept) -> None:
        """Replace the file as a whole: a crash leaves the old one or the new one."""
        new = self.path.with_suffix(".new")
        new.unlink(missing_ok=True)
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(asdict(kept), file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, self.path)


def lifetime_of(text: str) -> timedelta:
    """How long "12h", "90d" or "52w" is.

    Raises:
        UsageError: it is none of that, or nothing.
    """
    found = re.fullmatch(r"([1-9]\d{0,4})([hdw])", text)
    if not found:
        raise UsageError(f"{text!r} is not a length of time.", 'Use "12h", "90d" or "52w".')
    unit = {"h": "hours", "d": "days", "w": "weeks"}[found[2]]
    return timedelta(**{unit: int(found[1])})


def _digest(salt: str, key: str) -> str:
    return hmac.digest(salt.encode(), key.encode("utf-8", "surrogatepass"), "sha256").hex()


def _now() -> str:
    return utc(datetime.now(UTC))


def _inaccessible(path: Path, error: OSError) -> IndexAccessError:
    return IndexAccessError(
        f"{path} cannot be read or written: {error.strerror}.", "Check the folder's permissions."
    )
