"""Tiny systems to compare, in a module that fresh processes can import."""

import json
import os
import re
from pathlib import Path

from eval.peer_systems import Peer, Reply, Span

WORD = re.compile(r"\w+")


class Words(Peer):
    """Ranks passages by the words they share with the query; answers with the last name."""

    name = "words"
    lacks = dict.fromkeys(["dates", "events", "follow-ups"], "fake_peers.py, Words")

    def __init__(self, setup):
        super().__init__(setup)
        self.passages = {}

    def index(self, passages):
        self.passages = {p.id: (p.text, p.document.id, p.start) for p in passages}

    def save(self):
        self.file.write_text(json.dumps([self.passages, os.getpid()]))

    def load(self):
        self.passages, indexed_in = json.loads(self.file.read_text())
        assert indexed_in != os.getpid()  # a process of its own for indexing, and for asking

    def search(self, query, k):
        wanted = set(WORD.findall(query.lower()))
        shared = {
            id_: len(wanted & set(WORD.findall(text.lower())))
            for id_, (text, _, _) in self.passages.items()
        }
        return sorted(shared, key=lambda id_: -shared[id_])[:k]

    def answer(self, question):
        self.found = [self.last_name(id_) for id_ in self.search(question, 10)]
        return Reply() if "nobody" in question else Reply(tuple(self.found))

    def candidates(self, question):
        return self.found

    def last_name(self, id_):
        text, document, start = self.passages[id_]
        name = list(re.finditer(r"[A-Z]\w+", text))[-1]
        place = document, start + name.start(), start + name.end()
        return Span(name.group(), confidence=0.75, place=place)

    def add(self, passage):
        self.passages[passage.id] = (passage.text, passage.document.id, passage.start)

    def remove(self, passage):
        del self.passages[passage.id]

    @property
    def file(self):
        return Path(self.setup.folder) / "passages.json"


class Backwards(Words):
    """Finds, and nothing else: the worst first, from memory."""

    name = "backwards"
    against = "words"
    lacks = dict.fromkeys(
        [
            *("answers", "abstains", "confidence", "offsets", "spans", "dates", "events"),
            *("follow-ups", "add", "remove", "disk"),
        ],
        "fake_peers.py, Backwards",
    )

    def search(self, query, k):
        return super().search(query, len(self.passages))[::-1][:k]


class Forgetful(Words):
    """Says that it has added a passage, and has not."""

    name = "forgetful"

    def add(self, passage):
        pass


class Absent(Words):
    """Needs what nobody has."""

    name = "absent"
    requires = ("no-such-distribution",)
