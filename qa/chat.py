"""`dateline chat`: a conversation in the terminal."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path

import platformdirs
from rich.text import Text

from index import DatelineError
from index.errors import IndexAccessError

from .answer import Answer
from .assistant import Assistant
from .rendering import console, print_answer, print_turns, shown

HELP = """/sources       the passages behind the last answer
/history       the questions and answers so far
/raw QUESTION  ask without regard to what came before
/reset         start afresh, in a new session
/quit          leave"""
HISTORY_LINES = 1000
RECALLED = 3  # turns shown of a session that is gone on with


def converse(assistant: Assistant, session: str | None = None) -> None:
    """Read questions until the end of input; Ctrl-C drops a line or a running answer.

    Args:
        session: the session to go on with, or the name of a new one.

    Raises:
        UsageError: `session` cannot be an id.
        IndexAccessError: `session` cannot be written to.
    """
    conversation = _Conversation(assistant, session)
    with _history():
        while (line := _read_line()) is not None:
            command, _, rest = line.strip().partition(" ")
            if command in {"/quit", "/exit"}:
                break
            if command == "/reset":
                conversation = conversation.afresh()
            elif command == "/sources":
                _print_sources(conversation.last)
            elif command == "/history":
                conversation.print_history()
            elif command == "/raw" and rest.strip():
                conversation.ask(rest.strip(), resolve=False)
            elif command.startswith("/"):
                console.print(HELP, style="dim", markup=False)
            elif command:
                conversation.ask(line.strip())
    conversation.print_way_back()


class _Conversation:
    """A session and the last answer in it; the session is made with the first question."""

    def __init__(self, assistant: Assistant, session: str | None = None) -> None:
        self._assistant = assistant
        self._session = session
        self._is_kept = True
        self.last: Answer | None = None
        if session is not None:
            assistant.sessions.create(session)
            turns = assistant.sessions.turns(session, last=RECALLED)
            print_turns(turns)
            self.last = turns[-1].answer if turns else None

    def ask(self, question: str, *, resolve: bool = True) -> None:
        """Print the answer to a question, or why there is none."""
        try:
            self._begin()
            answer = self._assistant.ask(question, session=self._session, resolve=resolve)
        except DatelineError as error:
            console.print(Text(shown(str(error)), style="red"))
        except KeyboardInterrupt:
            console.print("Stopped.", style="dim")
        else:
            print_answer(answer, self._assistant.index)
            console.print()
            self.last = answer

    def _begin(self) -> None:
        """Make the session; where the index cannot be written to, every question stands alone."""
        if self._session is None and self._is_kept:
            try:
                self._session = self._assistant.sessions.create()
            except IndexAccessError as error:
                self._is_kept = False
                why = f"This conversation is not kept, every question stands alone: {error.problem}"
                console.print(Text(shown(why), style="dim"))

    def print_history(self) -> None:
        """All turns of the session."""
        try:
            turns = self._assistant.sessions.turns(self._session) if self._session else []
        except DatelineError as error:
            console.print(Text(shown(str(error)), style="red"))
            return
        print_turns(turns)
        if not turns:
            console.print("No history yet: ask something first.", style="dim")

    def afresh(self) -> _Conversation:
        """Another conversation; the session stays."""
        self.print_way_back()
        console.print("A fresh start.", style="dim")
        return _Conversation(self._assistant)

    def print_way_back(self) -> None:
        """How to go on with the session later."""
        if self._session is not None:
            hint = f"To go on with this conversation: dateline chat --session {self._session}"
            console.print(hint, style="dim", markup=False)


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
