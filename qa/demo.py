"""`dateline demo`: the bundled sample, indexed in a temporary folder, and three questions."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from index import EmbeddedIndex

from .assistant import Assistant
from .rendering import console, indexing_progress, print_answer, print_report

SAMPLE = Path(__file__).parent / "sample"
QUESTIONS = (
    "Who called off a visit to Haldervik in September 2024?",
    "When was the pilots’ strike settled?",
    "Why had the ferry’s forward radar not been repaired?",
)


def show() -> None:
    """Index the sample and answer the three questions."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(SAMPLE, Path(folder) / "sample")
        with EmbeddedIndex.open(Path(folder) / ".dateline") as index:
            with indexing_progress() as on_progress:
                report = index.add_files([Path(folder) / "sample"], on_progress=on_progress)
            print_report(report, index.stats())
            assistant = Assistant(index)
            for question in QUESTIONS:
                console.print()
                console.print(f"? {question}", style="bold")
                print_answer(assistant.ask(question), index)
