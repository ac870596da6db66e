"""A writer that changes an index without end; `test_crash.py` kills it at random moments.

    python crash_worker.py INDEX FOLDER SEED

Every finished operation is reported on a line of standard output before the next one starts.
"""

import json
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # before tests/, which has an index/ too

from support import HashEmbedder

from index import EmbeddedIndex

FILES = 12


def text_of(number: int, version: int) -> str:
    """What file `number` says in `version`; long enough for several chunks."""
    dice = random.Random(number * 1000 + version)
    words = "ferry storm mayor volcano treaty harbour bridge vote comet glacier".split()
    return f"File {number} version {version}. " + " ".join(
        f"{dice.choice(words).capitalize()} {dice.choice(words)} {dice.choice(words)}."
        for _ in range(dice.randrange(20, 400))
    )


def main() -> None:
    """Write, index and remove files for ever."""
    folder, dice = Path(sys.argv[2]), random.Random(int(sys.argv[3]))
    index = EmbeddedIndex.open(sys.argv[1], embedder=HashEmbedder())
    while True:
        numbers = dice.sample(range(FILES), dice.randrange(1, FILES))
        if dice.random() < 0.3:
            operation = {"remove": numbers}
            print(json.dumps({"begin": operation}), flush=True)
            index.remove(f"docs/{number}.txt" for number in numbers)
        else:
            version = dice.randrange(1000)
            for number in numbers:
                (folder / f"{number}.txt").write_text(text_of(number, version))
            operation = {"add": numbers, "version": version}
            print(json.dumps({"begin": operation}), flush=True)
            report = index.add_files([folder / f"{number}.txt" for number in numbers])
            assert not report.failed, report.failed
        print(json.dumps({"done": operation}), flush=True)


if __name__ == "__main__":
    main()
