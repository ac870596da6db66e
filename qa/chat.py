"""`dateline chat`: a conversation in the terminal."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import platformdirs

from index import DatelineError

from .answer import Answer
from .assistant import Assistant
from .rendering import console, print_answer, shown

HELP = "/sources  the passages behind the last answer\n/reset    start afresh\n/quit     leave"
HISTORY_LINES = 1000


def converse(assistant: Assistant) -> None:
    """Read questions until the end of input; Ctrl-C drops a line or a running answer."""
    last: Answer | None = None
    with _history():
        while (line := _read_line()) is not None:
            command = line.strip()
            if command in {"/quit", "/exit"}:
                break
            if command == "/reset":
                last = None
                console.print("A fresh start.", style="dim")
            elif command == "/sources":
                _print_sources(last)
            elif command.startswith("/"):
                console.print(HELP, style="dim")
            elif command:
                last = _answer(assistant, command) or last


def _answer(assistant: Assistant, question: str) -> Answer | None:
    try:
        answer = assistant.ask(question)
    except DatelineError as error:
        console.print(str(error), style="red")
    except KeyboardInterrupt:
        console.print("Stopped.", style="dim")
    else:
        print_answer(answer, assistant.index)
        console.print()
        return answer
    return None


def _print_sources(answer: Answer | None) -> None:
    citations = (answer.citations or answer.nearest) if answer else []
    if not citations:
        console.print("No sources yet: ask something first.", style="dim")
    for citation in citations:
        head = f"[{citation.number}] {citation.title} – {citation.source}"
        console.print(shown(head), markup=False)
        console.print(shown(citation.passage.text), style="dim", markup=False)


def _read_line() -> str | None:
    """A line, an empty one after Ctrl-C, or None at the end of input."""
    try:
        return input("? " if sys.stdin.isatty() else "")
    except KeyboardInterrupt:
        console.print()
        return ""
    except EOFError:
        return None


@contextlib.contextmanager
def _history() -> Iterator[None]:
    """Line editing with a history that lasts, where the platform and the terminal offer it."""
    try:
        import readline  # noqa: PLC0415 - not on every platform
    except ImportError:
        yield
        return
    file = Path(platformdirs.user_state_dir("dateline")) / "history"
    if sys.stdin.isatty():
        with contextlib.suppress(OSError):
            readline.read_history_file(file)
    try:
        yield
    finally:
        if sys.stdin.isatty():
            with contextlib.suppress(OSError):
                file.parent.mkdir(parents=True, exist_ok=True)
                readline.set_history_length(HISTORY_LINES)
                readline.write_history_file(file)
