"""`dateline serve` over an assistant that takes its time; run in a process of its own.

    python slow_server.py --port 0 [any other option of `dateline serve`]

A question is answered once a file of the name `go` is there; `begun` says that one is asked.
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # before tests/, which has an index/ too

import qa.assistant
from qa import cli
from tests.stub_assistant import StubAssistant, make_answer


class SlowAssistant(StubAssistant):
    """Answers when it is let."""

    def ask(self, question, **_):
        Path("begun").touch()
        while not Path("go").exists():
            time.sleep(0.01)
        return make_answer(question)


if __name__ == "__main__":
    qa.assistant.Assistant = SlowAssistant
    sys.argv.insert(1, "serve")
    cli.main()
