"""Every measurement whose figures are published, and how each is run and kept.

A measurement is a command of `dateline eval`, run in a process of its own. What it gave is kept as
`NAME.json` (a `Record`) under a fingerprint of all that it depends on: Dateline's code and models,
the command, the data, the libraries, the machine. Nothing is measured again while that is the same.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from importlib import metadata
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from index.errors import LoadError, UsageError
from index.inference import engine_name

from .files import write_whole
from .measuring import machine

DATA = "DATA/"  # begins an argument that stands for a file or folder of the data folder
REPOSITORY = Path(__file__).resolve().parents[1]  # or where Dateline is installed

# What shows and runs measurements; a change of it changes no figure.
NOT_MEASURING = (
    "charts",
    "everything",
    "figure_text",
    "figures",
    "markdown",
    "measurements",
    "page",
    "regions",
    "showing",
)

State = Literal["measured", "kept", "older", "not measured", "no data", "failed"]


@dataclass(frozen=True, slots=True)
class Measurement:
    """A command of `dateline eval`.

    Attributes:
        arguments: those of the command; one that begins with `DATA` names what it needs.
        modules: that have to be installed, of an extra.
    """

    name: str
    arguments: tuple[str, ...]
    modules: tuple[str, ...] = ()

    @property
    def command(self) -> str:
        """As one would type it."""
        return shlex.join(("dateline", "eval", *self.arguments))

    @property
    def data(self) -> tuple[str, ...]:
        """The names of what it needs in the data folder."""
        return tuple(a.removeprefix(DATA) for a in self.arguments if a.startswith(DATA))


PEERS = ("haystack", "txtai")

MEASUREMENTS = tuple(
    Measurement(name, tuple(arguments.split()), PEERS if name.startswith("peers") else ())
    for name, arguments in {
        "dates": "dates DATA/aquaint",
        "events": "events",
        "main-events": "main-events DATA/giveme5w1h",
        "conversations": "conversations",
        "rewriting": "conversations DATA/rewrites.jsonl.gz",
        "answers-sample": "answers",
        "answers-squad": "answers DATA/squad_v1_dev.jsonl.gz --questions 500 --seed 0",
        "answers-sweep": "answers DATA/squad_v1_dev.jsonl.gz --questions 500 --seed 0 --sweep",
        "peers-squad": "peers DATA/squad_v1_dev.jsonl.gz --questions 500 --seed 0",
        "peers-sample": "peers",
        "reading-v1": "reading DATA/squad_v1_dev.jsonl.gz",
        "reading-v2": "reading DATA/squad_v2_dev.jsonl.gz",
        "retrieval": "retrieval DATA/nfcorpus DATA/cranfield",
        "retrieval-rrf": "retrieval DATA/nfcorpus DATA/cranfield --mode hybrid --fusion rrf",
        "retrieval-binary": "retrieval DATA/cranfield --binary",
        "retrieval-binary-rrf": "retrieval DATA/cranfield --binary --mode hybrid --fusion rrf",
        "retrieval-sweep": "retrieval DATA/nfcorpus DATA/cranfield --sweep",
        "terms-plain": "retrieval DATA/nfcorpus DATA/cranfield --mode bm25 --no-stem"
        " --no-stop-words",
        "terms-stopped": "retrieval DATA/nfcorpus DATA/cranfield --mode bm25 --no-stem",
        "terms-stemmed": "retrieval DATA/nfcorpus DATA/cranfield --mode bm25 --no-stop-words",
        "bm25": "bm25",
        "recall": "recall --vectors DATA/vectors.npy --queries DATA/queries.npy",
        "speed": "speed --rebuild",
        "load": "load",
        "endurance": "load --clients 8 --requests 10000",
    }.items()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a measurement gave.

    Attributes:
        fingerprint: of all that it depends on.
        date: when it ended, local time, ISO 8601; `seconds` is how long it took.
        commit: of the code, with a "+" where that was changed; empty outside of a repository.
        machine: on what it was measured, and what else was running (`load`).
        versions: of the libraries, by name.
        result: the command's JSON.
    """

    name: str
    command: str
    fingerprint: str
    date: str
    seconds: float
    commit: str
    machine: Mapping[str, Any]
    versions: Mapping[str, str]
    result: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How it stands with a measurement.

    Attributes:
        state: "kept" if there is a record that still holds, "older" if there is one of something
            else (other code, data, libraries or machine).
        note: what is missing, or why it failed.
    """

    name: str
    state: State
    seconds: float | None = None
    note: str = ""


def chosen(names: Iterable[str] | None) -> tuple[Measurement, ...]:
    """The measurements of those names, all if there are none.

    Raises:
        UsageError: there is no such measurement.
    """
    wanted = set(names or ())
    known = [measurement.name for measurement in MEASUREMENTS]
    for name in wanted - set(known):
        raise UsageError(f"There is no measurement {name!r}.", f"There are: {', '.join(known)}.")
    return tuple(one for one in MEASUREMENTS if not wanted or one.name in wanted)


def find_data(folder: Path | None, name: str) -> Path | None:
    """The file or folder of that name in the data folder, or in one of its folders."""
    if folder is None:
        return None
    places = [folder / name, *sorted(folder.glob(f"*/{name}"))]
    return next((place for place in places if place.exists()), None)


def survey(measurement: Measurement, data: Path | None, results: Path) -> Status:
    """How it stands with a measurement before it is run.

    Raises:
        LoadError: its record is damaged.
    """
    missing = [name for name in measurement.data if not find_data(data, name)]
    missing += [name for name in measurement.modules if not find_spec(name)]
    if missing:
        return Status(name=measurement.name, state="no data", note=f"needs {', '.join(missing)}")
    record = read_record(results, measurement.name)
    if record is None:
        return Status(name=measurement.name, state="not measured")
    holds = record.fingerprint == fingerprint(measurement, data)
    return Status(name=measurement.name, state="kept" if holds else "older", seconds=record.seconds)


def measure(measurement: Measurement, data: Path | None, results: Path) -> Status:
    """Run a measurement whose data is there, and keep what it gives; its progress is on stderr."""
    found = {f"{DATA}{name}": str(find_data(data, name)) for name in measurement.data}
    arguments = [found.get(argument, argument) for argument in measurement.arguments]
    measured_on, mark = machine_in_full(), fingerprint(measurement, data)
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "qa.cli", "eval", *arguments, "--json"],
        stdout=subprocess.PIPE,
        check=False,
    )
    seconds = round(time.perf_counter() - start, 1)
    try:
        result = json.loads(done.stdout) if done.returncode == 0 else None
    except ValueError:
        result = None
    if result is None:
        note = f"exit code {done.returncode}" if done.returncode else "its output is not JSON"
        return Status(name=measurement.name, state="failed", seconds=seconds, note=note)
    record = Record(
        name=measurement.name,
        command=measurement.command,
        fingerprint=mark,
        date=datetime.now().isoformat(timespec="minutes"),
        seconds=seconds,
        commit=commit(),
        machine=measured_on,
        versions=versions(),
        result=result,
    )
    text = json.dumps(asdict(record), ensure_ascii=False, indent=1)
    write_whole(_place(results, measurement.name), f"{text}\n")
    return Status(name=measurement.name, state="measured", seconds=seconds)


def read_record(results: Path, name: str) -> Record | None:
    """What is kept of a measurement; None if there is nothing.

    Raises:
        LoadError: it is damaged.
    """
    path = _place(results, name)
    if not path.is_file():
        return None
    try:
        return Record(**json.loads(path.read_bytes()))
    except (ValueError, TypeError) as error:
        raise LoadError(f"{path} is not a result: {error}.", "Delete it.") from error


def read_records(results: Path) -> dict[str, Record]:
    """All that is kept, by name.

    Raises:
        LoadError: a record is damaged.
    """
    found = ((one.name, read_record(results, one.name)) for one in MEASUREMENTS)
    return {name: record for name, record in found if record}


def fingerprint(measurement: Measurement, data: Path | None) -> str:
    """Of everything that a measurement's figures depend on."""
    digest = hashlib.sha256(_code().encode())
    on = {name: value for name, value in machine_in_full().items() if name != "load"}
    threads = os.environ.get("DATELINE_THREADS", "")
    digest.update(json.dumps([measurement.arguments, versions(), on, threads]).encode())
    for name in measurement.data:
        place = find_data(data, name)
        if place:
            digest.update(_content(place).encode())
    return digest.hexdigest()[:16]


def machine_in_full() -> dict[str, Any]:
    """The machine, its memory in GiB, and the engine with whether it can use bf16 units."""
    described: dict[str, Any] = {**machine(), "engine": engine_name(), "memory_gib": None}
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        described["memory_gib"] = round(size / 2**30)
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        flags = ""
    described["bf16"] = bool(re.search(r"\b(?:amx|avx512)_bf16\b", flags)) if flags else None
    return described


@cache
def versions() -> dict[str, str]:
    """The versions of Dateline and of the libraries that it names."""
    named = ["dateline", *(metadata.requires("dateline") or ())]
    names = sorted({re.split(r"[^\w.-]", line)[0] for line in named if "extra ==" not in line})
    return {name: metadata.version(name) for name in names}


@cache
def commit() -> str:
    """The commit of the code that runs."""
    git = ["git", "-C", str(REPOSITORY)]
    code = ("index", "qa", "eval")
    try:
        head = subprocess.run(
            [*git, "rev-parse", "--short=10", "HEAD"], capture_output=True, text=True, check=True
        )
        changed = subprocess.run([*git, "diff", "--quiet", "HEAD", "--", *code], check=False)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return head.stdout.strip() + ("+" if changed.returncode else "")


@cache
def _code() -> str:
    """A digest of Dateline's packages, but for what only shows."""
    digest = hashlib.sha256()
    for package in ("index", "qa", "eval"):
        folder = Path(str(files(package)))
        for path in _files(folder):
            if package != "eval" or path.stem not in NOT_MEASURING:
                name = f"{package}/{path.relative_to(folder).as_posix()}"
                digest.update(f"{name}\0".encode() + path.read_bytes())
    return digest.hexdigest()


@cache
def _content(place: Path) -> str:
    """A digest of a file, or of all files of a folder."""
    digest = hashlib.sha256()
    for path in [place] if place.is_file() else _files(place):
        digest.update(f"{path.name}\0".encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _files(folder: Path) -> list[Path]:
    """All files in it, without what Python compiled."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in found if "__pycache__" not in path.parts)


def _place(results: Path, name: str) -> Path:
    return results / f"{name}.json"
