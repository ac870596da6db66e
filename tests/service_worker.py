"""A service whose embedder waits for a file; the tests kill it while it indexes.

    python service_worker.py INDEX PORT [GATE]

With GATE nothing is embedded until there is a file of that name. The models are stand-ins.
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # before tests/, which has an index/ too

from stub_assistant import StubAssistant
from support import HashEmbedder

from index import EmbeddedIndex
from qa.service.server import run
from qa.service.settings import ServiceSettings


class GatedEmbedder(HashEmbedder):
    """Waits at the gate, telling its progress, so that whoever watches can end the run."""

    def __init__(self, gate):
        self.gate = gate

    def embed(self, texts, progress=None):
        while self.gate and not self.gate.exists():
            if progress:
                progress(0)
            time.sleep(0.01)
        return super().embed(texts, progress)


def main() -> None:
    """Serve until killed."""
    folder, port, *gate = sys.argv[1:]
    embedder = GatedEmbedder(Path(gate[0]) if gate else None)
    with EmbeddedIndex.open(folder, embedder=embedder) as index:
        run(StubAssistant(index), index.path, ServiceSettings(port=int(port), rate_limit="none"))


if __name__ == "__main__":
    main()
