"""The service that the tests of the page open: a real one, over the sample and some documents that
are hard to show.
"""

import contextlib
import shutil
import threading
import time

import uvicorn
from support import make_document

from qa import Assistant
from qa.demo import SAMPLE
from qa.service import create_app
from qa.service.settings import ServiceSettings

# What it would do is seen on <html>; what it may do is be read.
OWN = "document.documentElement.dataset.owned='1'"
ATTACK = f'<img src=x onerror="{OWN}">'
SCRIPT = f"<script>{OWN}</script>"

BAKERY = f"""{ATTACK}{SCRIPT}</mark></div>
The Marlow bakery was founded by Greta Olsen {ATTACK} in 1962. It sells bread & cakes.
"""
AURORA = """\U0001f389\U0001f6a2 A day at sea \U0001f30a\U0001f30a

\U0001d49c crowd of \U0001f468‍\U0001f469‍\U0001f467 families waved. \
The icebreaker Aurora was steered by Captain Ilse Brandt \U0001f9ca on Tuesday.
"""
FILLER = "The minutes of the {n}th sitting were read and agreed to without a vote being taken.\n\n"
ARCHIVE = (
    "".join(FILLER.format(n=n) for n in range(200))
    + "The lighthouse at Vellgrund was designed by Oskar Thune after a storm.\n\n"
    + "".join(FILLER.format(n=n) for n in range(200, 240))
)
GERMAN = "Straßenbahnunfall: Bürgermeisterin fordert Geschwindigkeitsbegrenzung für Großräume"
TRAM = "Die Bürgermeisterin Änne Groß forderte Tempo 30."
ARABIC = "افتتاح جسر جديد على نهر النيل"
NILE = f"{ARABIC}\n\nقال الوزير سامي حداد إن الجسر كلف 40 مليون جنيه."
SHIP = "Aurora \U0001f6a2 sails"


def documents():
    """Documents that are hard to show."""
    return [
        make_document("hard/bakery.txt", BAKERY, title=f"Bakery {ATTACK}{SCRIPT}"),
        make_document("hard/aurora.txt", AURORA, title=SHIP, published="2024-02-06"),
        make_document("hard/archive.txt", ARCHIVE, title="Archive of the harbour board"),
        make_document("hard/tram.txt", TRAM, title=GERMAN, url="https://example.org/tram"),
        make_document("hard/nile.txt", NILE, title=ARABIC, url=f"javascript:{OWN}"),
    ]


def fill(index, folder, *, hard=True):
    """Put the sample, and the documents if they are wanted, into an index."""
    shutil.copytree(SAMPLE, folder / "sample")
    with contextlib.chdir(folder):  # so that sources are short, as people have them
        index.add_files(["sample"])
    if hard:
        index.add(documents())


@contextlib.contextmanager
def served(index, port=0):
    """The address of a service over an index."""
    assistant = Assistant(index)
    app = create_app(assistant, ServiceSettings(rate_limit="none"))
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)
