"""A writer that adds turns to a session; several run at once, and some are killed.

    python session_worker.py INDEX SESSION NAME [COUNT]

The number of every written turn is printed on a line of its own before the next one is begun;
without COUNT there is no end.
"""

import sys
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # before tests/, which has an index/ too

from index.catalog import Catalog
from index.sessions import SessionStore


def main() -> None:
    """Add turn after turn."""
    folder, session, name, *most = sys.argv[1:]
    store = SessionStore(Catalog(Path(folder)))
    for n in range(int(most[0])) if most else count():
        print(store.append(session, {"by": name, "n": n, "text": "word " * 500}), flush=True)


if __name__ == "__main__":
    main()
