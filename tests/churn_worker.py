"""A writer that adds documents to an index and removes them, until its input is closed.

    python churn_worker.py INDEX

Every finished change is told on a line of its own; at the end all its documents are gone.
"""

import sys
import threading
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # before tests/, which has an index/ too

from support import make_document

from index import EmbeddedIndex

KEPT = 3  # documents at a time


def main() -> None:
    """Add one, remove one."""
    stop = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
    with EmbeddedIndex.open(sys.argv[1]) as index:
        for number in count():
            text = f"Glacier number {number} is made of ice and slides by {number} millimetres."
            index.add([make_document(f"churn/{number}.txt", text)])
            index.remove([f"churn/{number - KEPT}.txt"])
            print(number, flush=True)
            if stop.is_set():
                break
        index.remove(["churn"])


if __name__ == "__main__":
    main()
