"""What the command line shows: answers with citations, tables, progress; colour on terminals."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from index import DocumentInfo, Index, IndexReport, Progress, SessionInfo, Stats

from .answer import Answer, Citation, Event, FoundPassage, Mention, Timeline, grouped

if TYPE_CHECKING:
    from .service.keys import ApiKey
    from .sessions import SessionRecord, Turn

console = Console(highlight=False, soft_wrap=True)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_STATUS_STYLES = {
    "happened": "bold",
    "planned": "blue",
    "possible": "yellow",
    "denied": "red",
    "cancelled": "red",
}
SNIPPET = 240  # characters of a passage shown in a list


def shown(text: str) -> str:
    """Text for a terminal: control characters, which could steer it, replaced."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def print_answer(answer: Answer, index: Index, to: Console = console) -> None:
    """The question as it was understood, the answers with their sentences, then the citations."""
    if answer.understood_as:
        to.print(Text(f"understood as: {shown(answer.understood_as)}", style="dim"))
    if answer.clarification:
        to.print(answer.clarification.question, style="yellow")
        for number, choice in enumerate(answer.clarification.choices, 1):
            to.print(Text(f"  {number}. {shown(choice)}"))
        return
    if answer.abstained:
        to.print("The documents do not say.", style="bold yellow")
        to.print(
            "Nearest passages:" if answer.nearest else "There is no passage to answer from.",
            style="dim",
        )
        for citation in answer.nearest:
            to.print(_cited(citation, index))
            to.print(Text("    ").append_text(_sentence(citation)))
        return
    if answer.events:
        print_events(answer.events, to)
        to.print()
        for numbers, citation in grouped(answer.citations):
            to.print(_cited(citation, index, numbers))
        return
    quoted = {citation.number: citation for citation in answer.citations}
    sentences = [_sentence(quoted[span.citations[0]]) for span in answer.answers]
    following = [*sentences[1:], Text()]
    for place, span in enumerate(answer.answers):
        head = Text(shown(span.text), style="bold green" if place == 0 else "green")
        if (days := span.value.days if span.value else "") and days != span.text:
            head.append(f" ({days})")
        head.append("".join(f" [{number}]" for number in span.citations), style="cyan")
        head.append(f"  {span.confidence:.0%} sure", style="dim")
        to.print(head)
        sentence = sentences[place]
        if sentence.plain not in (span.text, following[place].plain):  # once for several spans
            to.print(Text("    ").append_text(sentence))
    to.print()
    for citation in answer.citations:
        to.print(_cited(citation, index))


def print_turns(turns: Sequence[Turn], to: Console = console) -> None:
    """The turns of a conversation in short, dimmed: each question and its first answer."""
    for turn in turns:
        spans = turn.answer.answers
        said = spans[0].text if spans else "The documents do not say."
        to.print(Text(f"{turn.number}. {_on_one_line(turn.question)}", style="dim"))
        to.print(Text(f"    {_on_one_line(said)}", style="dim"))


def print_session(record: SessionRecord, index: Index, to: Console = console) -> None:
    """A conversation with its answers and their citations."""
    to.print(Text(f"Session {record.id}, {record.created} to {record.used}", style="dim"))
    for turn in record.turns:
        to.print()
        to.print(Text(f"{turn.number}. {_on_one_line(turn.question)}", style="bold"))
        print_answer(turn.answer, index, to)


def print_sessions(sessions: Sequence[SessionInfo], to: Console = console) -> None:
    """A row for every session."""
    if not sessions:
        to.print("No conversations yet: dateline chat", style="dim")
        return
    table = _plain_table("session", "questions", "created", "last used")
    for session in sessions:
        table.add_row(session.id, str(session.turns), session.created, session.used)
    to.print(table)


def print_keys(keys: Sequence[ApiKey], to: Console = console) -> None:
    """A row for every API key."""
    if not keys:
        to.print("No keys yet: dateline keys add NAME", style="dim")
        return
    table = _plain_table("name", "scope", "created", "expires", "last used")
    for key in keys:
        style = "dim" if key.expired else None
        expires = f"{key.expires or 'never'}{' (over)' * key.expired}"
        table.add_row(key.name, key.scope, key.created, expires, key.used or "never", style=style)
    to.print(table)


def _plain_table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style="dim")
    for name in columns:
        table.add_column(name, overflow="fold")
    return table


def print_timeline(timeline: Timeline, index: Index, to: Console = console) -> None:
    """Events in time order, then where they stand."""
    if not timeline.events:
        to.print("No dated events found.", style="yellow")
        return
    print_events(timeline.events, to)
    to.print()
    for numbers, citation in grouped(timeline.citations):
        to.print(_cited(citation, index, numbers))


def print_events(events: Sequence[Event], to: Console = console) -> None:
    """A row for every event: when, whether it happened, who, what and where, with citations."""
    table = _plain_table("when", "status", "who", "what", "where")
    for event in events:
        who = Text(", ").join(_part(mention) for mention in event.who)
        table.add_row(
            _when(event.when),
            Text(event.status, style=_STATUS_STYLES[event.status]),
            who,
            Text(shown(event.what)),
            _part(event.where) if event.where else Text("–", style="dim"),
        )
    to.print(table)


def _when(mention: Mention | None) -> Text:
    """The resolved date, and the words that say it."""
    if mention is None:
        return Text("–", style="dim")
    days = mention.value.days if mention.value else ""
    if days == mention.text or not days:
        return _part(mention)
    return Text(days, style="bold").append_text(Text(" ")).append_text(_part(mention, quoted=True))


def _part(mention: Mention, *, quoted: bool = False) -> Text:
    """A part's words with the name they stand for, and its citation."""
    words = " ".join(shown(mention.text).split())
    text = Text(f"“{words}”" if quoted else words, style="" if quoted else "green")
    if mention.name and mention.name != mention.text:
        text.append(f" ({' '.join(shown(mention.name).split())})", style="dim")
    return text.append(f" [{mention.citation}]", style="cyan")


def _on_one_line(text: str) -> str:
    return " ".join(shown(text).split())


def _sentence(citation: Citation) -> Text:
    """The sentence or sentences around a citation, its span highlighted."""
    passage = citation.passage
    start, end = citation.start - passage.start, citation.end - passage.start
    first, last = citation.sentences
    words = Text(shown(passage.text[first:last].rstrip()))
    words.stylize("bold underline", start - first, end - first)
    return Text(" ").join(words.split("\n"))


def _cited(citation: Citation, index: Index, numbers: str = "") -> Text:
    """`[1] Title – 2023-09-19 – news/story.txt, line 7`; without the line for several numbers."""
    line = Text(f"[{numbers or citation.number}] ", style="cyan")
    line.append(shown(citation.title))
    if citation.published:
        line.append(f" – {citation.published}", style="dim")
    where = f", page {citation.page}" if citation.page else _line(citation, index)
    where = "" if numbers and not numbers.isdigit() else where
    return line.append(f" – {shown(citation.source)}{where}", style="dim")


def _line(citation: Citation, index: Index) -> str:
    """The line of the file on which a citation begins, where text and file have the same lines."""
    document = index.get(citation.document_id)
    if document is None or Path(document.source).suffix.lower() not in {".txt", ".text", ".md"}:
        return ""
    first = document.metadata.get("first_line")  # after a Markdown file's front matter
    before = document.text.count("\n", 0, citation.start)
    return f", line {(first if isinstance(first, int) else 1) + before}"


def print_hits(hits: Sequence[FoundPassage], to: Console = console) -> None:
    """Passages, best first."""
    if not hits:
        to.print("Nothing found.", style="yellow")
    for number, hit in enumerate(hits, 1):
        line = Text(f"{number:2d}. ", style="cyan").append(shown(hit.title), style="bold")
        line.append(f" – {hit.published or 'undated'} – {shown(hit.source)}", style="dim")
        to.print(line.append(f"  {hit.score:.3f}", style="dim"))
        text = " ".join(shown(hit.text).split())
        to.print(Text(f"    {text[:SNIPPET]}{'…' * (len(text) > SNIPPET)}"))


def print_report(report: IndexReport, stats: Stats, to: Console = console) -> None:
    """What an indexing run did, failures with their reasons."""
    for failure in report.failed:
        to.print(Text("failed  ", style="red").append(shown(f"{failure.source}: {failure.reason}")))
    for duplicate in report.duplicates:
        same = f"{duplicate.source} has exactly the text of {duplicate.same_as}"
        to.print(Text("same    ", style="yellow").append(shown(same)))
    counts: dict[str, Sequence[object]] = {
        "indexed": report.indexed,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "removed": report.removed,
        "failed": report.failed,
        "skipped (format not supported)": report.skipped,
    }
    done = ", ".join(f"{len(items)} {name}" for name, items in counts.items() if items)
    rate = f" ({report.passages / report.seconds:.0f}/s)" if report.passages else ""
    to.print(
        f"{done or 'Nothing to do'}; {report.passages} passages embedded in "
        f"{report.seconds:.1f} s{rate}. "
        f"The index holds {stats.documents} documents in {stats.chunks} passages."
    )


def print_status(
    stats: Stats, documents: Sequence[DocumentInfo], path: Path, to: Console = console
) -> None:
    """The index in numbers, and its documents if asked for."""
    table = Table.grid(padding=(0, 2))
    dates = f"{stats.first_published} to {stats.last_published}" if stats.dated else "none dated"
    for name, value in {
        "Index": str(path),
        "Documents": f"{stats.documents} ({stats.dated} dated, {dates})",
        "Passages": f"{stats.chunks}",
        "Size": f"{sum(stats.bytes.values()) / 1e6:.1f} MB",
        "Embedder": stats.settings.embedder,
        "Created": stats.created,
        "Changes": f"{stats.generation}",
    }.items():
        table.add_row(Text(name, style="dim"), Text(value))
    to.print(table)
    for document in documents:
        line = Text(f"{document.published or '—'!s:10}  ", style="dim")
        line.append(shown(document.source), style="cyan")
        to.print(line.append(f"  {shown(document.title)}"))


@contextlib.contextmanager
def indexing_progress() -> Iterator[Callable[[Progress], object] | None]:
    """A progress bar with rate and remaining time on stderr, if that is a terminal."""
    errors = Console(stderr=True)
    if not errors.is_terminal:
        yield None
        return
    from rich import progress as bars  # noqa: PLC0415 - slow to import, and only used here

    with bars.Progress(
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.TaskProgressColumn(),
        bars.TextColumn("{task.fields[rate]}"),
        bars.TimeRemainingColumn(),
        console=errors,
        transient=True,
    ) as bar:
        task = bar.add_task("Indexing", total=None, rate="")

        def show(progress: Progress) -> None:
            elapsed = bar.tasks[0].elapsed or 0
            rate = f"{progress.passages / elapsed:.0f} passages/s" if elapsed > 1 else ""
            bar.update(
                task,
                completed=progress.done,
                total=progress.total or None,
                description=f"Indexing {Path(progress.current).name[:40]}",
                rate=rate,
            )

        yield show
