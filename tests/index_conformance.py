"""What every `Index` must do, whatever it is kept in.

    class TestMyIndex(IndexConformance):
        @pytest.fixture
        def open_index(self, tmp_path):
            return lambda name: MyIndex(tmp_path / name, embedder=HashEmbedder())

`open_index(name)` opens the index of that name, and makes it if there is none.
"""

from datetime import UTC, date, datetime, timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)
from support import make_document, sources_of

from index import Document, Filters
from index.errors import SessionNotFoundError, UsageError
from index.protocol import MODES

TEXTS = {
    "a.txt": "Kim met Putin at the cosmodrome. They spoke for hours about satellites.",
    "b.txt": "The ferry sank in the harbour during the storm. Nobody was hurt.",
    "c.txt": "Elections are planned for May. The ferry company supports the mayor.",
}
ANY_TEXT = st.text(st.characters(), max_size=200)  # lone surrogates and NUL among them


def sources(hits):
    return [hit.document.source for hit in hits]


def assert_same_passages(hits, expected):
    """The same passages with the same scores.

    Which of several equal passages is shown, and the order of equal scores, may differ.
    """
    texts, scores = [], []
    for found in (hits, expected):
        pairs = sorted((hit.chunk.text, hit.score) for hit in found)
        texts.append([text for text, _ in pairs])
        scores.append([score for _, score in pairs])
    assert texts[0] == texts[1]
    assert scores[0] == pytest.approx(scores[1], abs=1e-6)


class IndexConformance:
    """Subclass it and give it the fixture `open_index`."""

    @pytest.fixture
    def index(self, open_index):
        opened = open_index("main")
        yield opened
        opened.close()

    @pytest.fixture
    def filled(self, index):
        index.add(
            make_document(
                source, text, published=f"2023-0{number}-15", desk="news" if number > 1 else "x"
            )
            for number, (source, text) in enumerate(TEXTS.items(), 1)
        )
        return index

    # searching

    @pytest.mark.parametrize("mode", MODES)
    def test_hits_are_verbatim_and_best_first(self, filled, mode):
        hits = filled.search("ferry in the harbour storm", mode=mode)
        assert sources(hits)[0] == "b.txt"
        assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
        for hit in hits:
            document = filled.get(hit.chunk.document_id)
            assert document.source == hit.document.source
            assert document.text[hit.chunk.start : hit.chunk.end] == hit.chunk.text
            assert set(hit.scores) == ({"bm25", "dense"} if mode == "hybrid" else {mode})

    def test_top_k(self, filled):
        assert [len(filled.search("the ferry they met", k)) for k in (1, 2, 3, 50)] == [1, 2, 3, 3]
        assert filled.search("ferry", 0) == filled.search("ferry", -1) == []
        everything = filled.search("the ferry they met")
        assert filled.search("the ferry they met", 1) == everything[:1]

    def test_queries_without_an_answer(self, index):
        assert index.search("anything") == []
        index.add([make_document("a.txt", "Something.")])
        assert index.search("") == index.search(" \n ") == []
        assert index.search("???", mode="bm25") == []
        assert len(index.search("\0 \ud800 ???")) <= 1

    def test_an_unknown_mode_is_refused(self, filled):
        with pytest.raises(UsageError, match="no mode"):
            filled.search("x", mode="magic")

    def test_search_filters(self, filled):
        def found(**filters):
            return sorted(sources(filled.search("the ferry they met", filters=Filters(**filters))))

        assert found() == ["a.txt", "b.txt", "c.txt"]
        assert found(after=date(2023, 2, 15)) == ["b.txt", "c.txt"]
        assert found(before=date(2023, 2, 14)) == ["a.txt"]
        assert found(source="[ab].*") == ["a.txt", "b.txt"]
        assert found(metadata={"desk": "news"}, before=date(2023, 2, 28)) == ["b.txt"]
        assert found(metadata={'no"such': 1}) == []

    def test_documents_can_be_named(self, filled):
        wanted = next(d.id for d in filled.documents() if d.source == "b.txt")
        only = Filters(documents=frozenset([wanted]))
        assert set(sources(filled.search("ferry", filters=only))) == {"b.txt"}
        assert not filled.search("ferry", filters=Filters(documents=frozenset(["none such"])))

    def test_words_said_before_weigh_as_much_as_they_are_given(self, filled):
        def best(**context):
            return sources(filled.search("ferry", mode="bm25", context=context))[0]

        assert best(storm=0.5) == "b.txt"
        assert best(mayor=0.5) == "c.txt"
        plain = filled.search("ferry", mode="bm25")
        assert_same_passages(filled.search("ferry", mode="bm25", context={}), plain)
        # A word of the query itself is not weighed again.
        assert_same_passages(filled.search("ferry", mode="bm25", context={"ferry": 9.0}), plain)

    def test_passages_that_hold_a_word_are_counted(self, filled):
        words = ["Kim", "ferries", "the", "U-boat", "", "companies"]
        assert filled.frequencies(words) == [1, 2, 0, 0, 0, 1]
        filled.remove(["b.txt"])
        assert filled.frequencies(["ferry", "harbour"]) == [1, 0]
        assert filled.frequencies([]) == []

    def test_undated_documents_are_outside_every_date_range(self, filled):
        filled.add([make_document("undated.txt", "The ferry they met.")])
        for bounds in ({"after": date(1, 1, 1)}, {"before": date(9999, 12, 31)}):
            assert "undated.txt" not in sources(filled.search("ferry", filters=Filters(**bounds)))

    def test_filters_go_before_the_ranking(self, index):
        """However many better passages there are, the filter's own are found."""
        index.add(make_document(f"{n}.txt", f"Ferry ferry ferry {n}.") for n in range(150))
        index.add([make_document("z.txt", "A ferry once, among many other words.", desk="sea")])
        for mode in MODES:
            hits = index.search("ferry", 3, mode=mode, filters=Filters(metadata={"desk": "sea"}))
            assert sources(hits) == ["z.txt"]

    # changing

    def test_an_update_replaces_and_a_removal_removes(self, filled):
        report = filled.add([make_document("b.txt", "Volcano erupts.")])
        assert report.updated == ["b.txt"]
        assert sources(filled.search("harbour storm", mode="bm25")) == []
        assert sources(filled.search("volcano", mode="bm25")) == ["b.txt"]
        assert filled.remove(["b.txt"]) == ["b.txt"]
        assert sources(filled.search("volcano", mode="bm25")) == []
        assert filled.get(make_document("b.txt", "").id) is None
        assert filled.remove(["b.txt"]) == []

    def test_unchanged_documents_are_left_alone(self, filled):
        before = filled.stats().generation
        same = make_document("a.txt", TEXTS["a.txt"], published="2023-01-15", desk="x")
        report = filled.add([same])
        assert (report.unchanged, report.passages) == (["a.txt"], 0)
        assert filled.stats().generation == before

    def test_every_change_of_a_document_is_taken(self, index):
        versions = [
            make_document("a.txt", "Text."),
            make_document("a.txt", "Text.", title="Title"),
            make_document("a.txt", "Text.", title="Title", published="2023-01-15"),
            make_document("a.txt", "Text.", title="Title", published="2023-01-15", desk="x"),
            make_document("a.txt", "Text!", title="Title", published="2023-01-15", desk="x"),
        ]
        for number, version in enumerate(versions):
            report = index.add([version])
            assert (report.updated if number else report.indexed) == ["a.txt"]
            assert index.get(version.id) == version

    def test_chunk_ids_are_never_used_again(self, index):
        seen = set()
        for text in ("One.", "Two.", "Three."):
            index.add([make_document("a.txt", text)])
            (hit,) = index.search("anything", mode="dense")
            assert hit.chunk.id not in seen
            seen.add(hit.chunk.id)
            if text == "Two.":
                index.remove(["a.txt"])

    def test_folders_and_the_records_of_a_file_are_removed_together(self, index):
        names = ["news/a.txt", "news/b.jsonl#1", "news/b.jsonl#2", "newsroom.txt", "n%s.txt"]
        index.add(make_document(name, f"Text of {name}.") for name in names)
        assert index.remove(["news/b.jsonl"]) == ["news/b.jsonl#1", "news/b.jsonl#2"]
        assert index.remove(["news/", "news/a.txt"]) == ["news/a.txt"]
        assert index.remove(["n_s.txt", "n*", "", "\0", "'; --"]) == []
        assert sources_of(index) == ["n%s.txt", "newsroom.txt"]

    def test_documents_are_removed_by_id_and_no_others(self, index):
        names = ["news", "news/a.txt", "news#1", "news.txt"]
        index.add(make_document(name, f"Text of {name}.") for name in names)
        ids = [make_document(name, "").id for name in ("news", "news.txt", "none")]
        assert sorted(index.remove_documents(ids)) == ["news", "news.txt"]
        assert sources_of(index) == ["news#1", "news/a.txt"]
        assert index.remove_documents(ids) == index.remove_documents([]) == []
        assert sources(index.search("text of news", mode="bm25")) == ["news/a.txt", "news#1"]

    def test_exact_duplicates_are_noticed_and_found_once(self, filled):
        report = filled.add([make_document("copy.txt", TEXTS["b.txt"])])
        assert [(d.source, d.same_as) for d in report.duplicates] == [("copy.txt", "b.txt")]
        assert len(filled.search("harbour storm", mode="bm25")) == 1
        filled.remove(["b.txt"])
        assert sources(filled.search("harbour storm", mode="bm25")) == ["copy.txt"]

    def test_duplicates_do_not_crowd_out_the_others(self, index):
        index.add(make_document(f"{n}.txt", "Ferry storm.", title="Same") for n in range(130))
        index.add([make_document("other.txt", "A storm, and a ferry among many other words.")])
        for mode in MODES:
            assert sources(index.search("ferry storm", 2, mode=mode))[1:] == ["other.txt"]

    def test_one_source_is_one_document(self, filled):
        stranger = Document(id="stranger", source="a.txt", title="", text="Another text.")
        with pytest.raises(UsageError, match=r"Two documents have the source 'a\.txt'"):
            filled.add([stranger])
        assert filled.get("stranger") is None
        assert filled.get(make_document("a.txt", "").id).text == TEXTS["a.txt"]

    def test_progress_is_told(self, index):
        told = []
        report = index.add([make_document("a.txt", "Words. " * 500)], told.append)
        assert report.passages == told[-1].passages == index.stats().chunks > 1

    def test_a_source_of_documents_that_fails_leaves_nothing_half(self, filled):
        def broken():
            yield make_document("d.txt", "A volcano erupts.")
            raise OSError("the source is gone")

        with pytest.raises(OSError, match="is gone"):
            filled.add(broken())
        assert sources_of(filled) == sorted(TEXTS)
        assert filled.add([make_document("d.txt", "A volcano erupts.")]).indexed == ["d.txt"]
        assert sources(filled.search("volcano", mode="bm25")) == ["d.txt"]

    @settings(
        max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(text=ANY_TEXT, title=ANY_TEXT, key=ANY_TEXT, value=ANY_TEXT)
    def test_any_string_survives(self, index, text, title, key, value):
        document = make_document("odd.txt", text, title=title, **{f"x{key}": value})
        index.add([document])
        found = index.get(document.id)
        assert (found.text, found.metadata) == (text, document.metadata)
        written_out = document.title.encode("utf-8", "backslashreplace").decode()
        assert found.title in (document.title, written_out)
        only = Filters(metadata={f"x{key}": value})
        assert sources_of(index, only) == ["odd.txt"]
        for hit in index.search(f"{text[:50]} {title}", filters=only):
            assert text[hit.chunk.start : hit.chunk.end] == hit.chunk.text

    def test_odd_sources_survive(self, index):
        odd = ["a b.txt", "a'b.txt", 'a"b.txt', "a[1].txt", "ä/日本.txt", "a\nb.txt", "\udce9.txt"]
        index.add(make_document(name, f"Text of number {n}.") for n, name in enumerate(odd))
        for n, name in enumerate(odd):
            assert index.get(make_document(name, "").id).text == f"Text of number {n}."
            assert len(index.remove([name])) == 1
        assert index.stats().documents == 0

    # listing

    def test_documents_come_by_source_and_in_pages(self, index):
        names = [f"{n}.txt" for n in range(25)]
        index.add(make_document(name, "Text.", published="2023-01-15") for name in names)
        everything = index.documents()
        assert [document.source for document in everything] == sorted(names)
        assert not any(isinstance(document, Document) for document in everything)
        pages = [index.documents(limit=10, offset=first) for first in (0, 10, 20, 30)]
        assert [len(page) for page in pages] == [10, 10, 5, 0]
        assert [document for page in pages for document in page] == everything
        assert index.documents(limit=0) == []
        only = Filters(source="1*", after=date(2023, 1, 1))
        assert sources_of(index, only) == sorted(name for name in names if name[0] == "1")
        assert index.documents(only, limit=2, offset=1) == index.documents(only)[1:3]

    @pytest.mark.parametrize(
        ("words", "expected"),
        [
            ("treaty", ["a.txt"]),
            ("TREATY  signed", ["a.txt"]),
            ("b.txt storm", ["n/b.txt"]),  # one word in the source, one in the title
            ("eat", ["a.txt"]),
            ("straße", ["c.txt"]),
            ("STRASSE", ["c.txt"]),
            ("ﬁle", ["n/b.txt"]),  # a ligature is its letters
            ("treaty storm", []),
            ("%", []),
            ("'; --", []),
            ("\0 \ud800", []),
            ("", ["a.txt", "c.txt", "n/b.txt"]),
            (" \n", ["a.txt", "c.txt", "n/b.txt"]),
        ],
    )
    def test_words_of_title_or_source(self, index, words, expected):
        index.add(
            [
                make_document("a.txt", "Storm.", title="The Treaty is signed"),
                make_document("n/b.txt", "Treaty.", title="A storm file"),
                make_document("c.txt", "A treaty.", title="Die Straße"),
            ]
        )
        only = Filters(words=words)
        assert sources_of(index, only) == expected
        assert index.count(only) == len(expected)
        assert sorted(set(sources(index.search("treaty storm", filters=only)))) == expected

    def test_what_is_listed_is_counted(self, filled):
        assert filled.count() == filled.count(Filters()) == 3
        only = Filters(after=date(2023, 2, 1), source="[bc].txt", metadata={"desk": "news"})
        assert filled.count(only) == len(filled.documents(only)) == 2
        assert filled.count(Filters(source="none")) == 0

    def test_a_document_comes_back_whole(self, index):
        document = Document(
            id="0123456789abcdef",
            source="papers/report.pdf",
            title="Report",
            text="Page one. Page two.",
            published=date(2023, 9, 19),
            place="SEOUL",
            language="en",
            metadata={"tags": ["a", {"b": None}], "pi": 3.14, "draft": False},
            pages=(0, 10),
        )
        index.add([document])
        assert index.get(document.id) == document
        (listed,) = index.documents()
        for name in ("id", "source", "title", "published", "place", "language", "metadata"):
            assert getattr(listed, name) == getattr(document, name)
        assert index.get("unknown") is None

    def test_stats(self, filled):
        filled.add([make_document("undated.txt", "")])
        stats = filled.stats()
        assert (stats.documents, stats.dated) == (4, 3)
        assert (stats.first_published, stats.last_published) == ("2023-01-15", "2023-03-15")
        assert stats.chunks == len({hit.chunk.id for hit in filled.search("a", 99, mode="dense")})

    # sessions

    def test_a_session_keeps_its_turns_in_order(self, index):
        session = index.sessions.create()
        turns = [{"question": text, "n": [n, None, {"": 0.5}]} for n, text in enumerate("abc")]
        assert [index.sessions.append(session, turn) for turn in turns] == [1, 2, 3]
        numbered = [{**turn, "number": n} for n, turn in enumerate(turns, 1)]
        assert index.sessions.turns(session) == numbered
        for last in range(5):
            assert index.sessions.turns(session, last=last) == numbered[max(3 - last, 0) :]

    def test_sessions_are_listed_and_deleted(self, filled):
        before = filled.stats().generation
        first, second = filled.sessions.create(), filled.sessions.create("My-2_nd")
        filled.sessions.append(first, {})
        assert filled.sessions.create("My-2_nd") == second == "My-2_nd"
        infos = {info.id: info for info in filled.sessions.list()}
        assert {id_: info.turns for id_, info in infos.items()} == {first: 1, second: 0}
        assert infos[first] == filled.sessions.info(first)
        assert infos[first].created <= infos[first].used
        assert filled.sessions.delete(first)
        assert not filled.sessions.delete(first)
        for use in (filled.sessions.turns, lambda id_: filled.sessions.append(id_, {})):
            with pytest.raises(SessionNotFoundError):
                use(first)
        assert filled.sessions.create(first) == first
        assert filled.sessions.turns(first) == []
        assert filled.sessions.expire(datetime.now(UTC) + timedelta(days=1)) == 2
        assert filled.sessions.list() == []
        assert filled.stats().generation == before
        assert sources_of(filled) == sorted(TEXTS)

    def test_sessions_last(self, open_index):
        index = open_index("talked")
        session = index.sessions.create()
        index.sessions.append(session, {"question": "Who?"})
        index.close()
        index = open_index("talked")
        assert index.sessions.turns(session) == [{"question": "Who?", "number": 1}]
        index.close()

    @pytest.mark.parametrize("name", ["", " ", "a b", "a/b", "ä", "a\n", "\0", "\ud800", "x" * 65])
    def test_odd_names_of_sessions_are_refused(self, index, name):
        with pytest.raises(UsageError, match="id of a session"):
            index.sessions.create(name)
        with pytest.raises(SessionNotFoundError):
            index.sessions.turns(name)
        assert not index.sessions.delete(name)

    @settings(
        max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )
    @given(record=st.dictionaries(ANY_TEXT.filter(lambda key: key != "number"), ANY_TEXT))
    def test_any_turn_survives(self, index, record):
        number = index.sessions.append(index.sessions.create("odd"), record)
        assert index.sessions.turns("odd", last=1) == [{**record, "number": number}]

    # whatever came before

    def test_it_equals_a_fresh_index_after_any_history(self, open_index):
        numbers = count()
        run_state_machine_as_test(
            lambda: AnyHistory(open_index, f"history{next(numbers)}"),
            settings=settings(max_examples=20, stateful_step_count=15, deadline=None),
        )


NAMES = ("a.txt", "n/b.txt", "n/c.jsonl#1", "n/c.jsonl#2", "nd.txt", "n/d/e.txt")
_WORDS = "ferry storm mayor volcano treaty harbour bridge vote comet glacier".split()
_TEXTS = st.one_of(
    st.builds(
        lambda words, times: f"{' '.join(words)}. " * times,
        st.lists(st.sampled_from(_WORDS), min_size=1, max_size=12),
        st.sampled_from((1, 1, 3, 40)),
    ),
    st.text(max_size=30),
)


class AnyHistory(RuleBasedStateMachine):
    """Whatever was added, updated and removed, search is that of a fresh index of what is left."""

    def __init__(self, open_index, name):
        super().__init__()
        self.open_index, self.name = open_index, name
        self.index = open_index(name)
        self.kept = {}

    @rule(texts=st.dictionaries(st.sampled_from(NAMES), _TEXTS, min_size=1, max_size=4))
    def add(self, texts):
        report = self.index.add(make_document(*item) for item in texts.items())
        known = {name for name in texts if name in self.kept}
        same = {name for name in known if self.kept[name] == texts[name]}
        assert set(report.unchanged) == same
        assert set(report.updated) == known - same
        assert set(report.indexed) == texts.keys() - known
        self.kept.update(texts)

    @rule(gone=st.lists(st.sampled_from((*NAMES, "n", "n/d/", "n/c.jsonl", "none")), max_size=3))
    def remove(self, gone):
        under = [(name, base.rstrip("/")) for name in self.kept for base in gone]
        expected = {
            name
            for name, base in under
            if name == base or name.startswith((f"{base}/", f"{base}#"))
        }
        removed = self.index.remove(gone)
        assert sorted(removed) == sorted(expected)
        for name in removed:
            del self.kept[name]

    @rule()
    def reopen(self):
        self.index.close()
        self.index = self.open_index(self.name)

    @rule(query=st.lists(st.sampled_from(_WORDS), min_size=1, max_size=3).map(" ".join))
    def search(self, query):
        for mode in MODES:
            for hit in self.index.search(query, mode=mode):
                text = self.kept[hit.document.source]
                assert text[hit.chunk.start : hit.chunk.end] == hit.chunk.text

    @invariant()
    def holds_what_is_left(self):
        assert {d.source: self.index.get(d.id).text for d in self.index.documents()} == self.kept

    def teardown(self):
        fresh = self.open_index(f"{self.name}-fresh")
        fresh.add(make_document(*item) for item in sorted(self.kept.items()))
        for query in ("ferry storm", "glacier", "mayor vote treaty glacier"):
            for mode in MODES:
                found, expected = (i.search(query, 1000, mode=mode) for i in (self.index, fresh))
                assert_same_passages(found, expected)
        assert self.index.stats().chunks == fresh.stats().chunks
        fresh.close()
        self.index.close()
