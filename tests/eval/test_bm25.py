import json
import sys

from rank_bm25 import BM25Okapi
from typer.testing import CliRunner

from eval import bm25, cli
from index.errors import DatelineError

RUNNER = CliRunner()


def test_zipfian_passages_are_repeatable_and_grow_in_vocabulary():
    passages = bm25.zipfian_passages(400)
    assert passages == bm25.zipfian_passages(400)
    assert passages[:10] == bm25.zipfian_passages(10)
    assert passages != bm25.zipfian_passages(400, seed=1)
    assert {len(terms) for terms in passages} == {bm25.PASSAGE_TERMS}
    half, whole = ({term for terms in passages[:n] for term in terms} for n in (200, 400))
    assert 1.3 * len(half) < len(whole)
    assert sum("w0" in terms for terms in passages) > 80


def test_queries_hold_different_terms_of_one_passage():
    passages = [["a", "b", "b"], list("cdefghij")]
    for query in bm25.sampled_queries(passages, 20):
        terms = passages[0] if query[0] in "ab" else passages[1]
        assert set(query) <= set(terms)
        assert len(query) == len(set(query)) == min(5, len(set(terms)))


def test_bm25_is_compared_with_its_peers(monkeypatch):
    ours, rank, third = bm25.compare_bm25([50], queries=12)
    assert (ours.engine, ours.passages, ours.queries) == ("dateline", 50, 12)
    assert ours.largest_difference < bm25.TOLERANCE
    for figure in (ours.mean, ours.median, ours.p95, ours.add, ours.query_after_add, ours.remove):
        assert 0 < figure < 1000
    assert rank.engine.startswith("rank-bm25 0.")
    assert rank.queries == bm25.PEER_QUERIES
    assert rank.add is None
    assert third.engine.startswith("bm25s")
    monkeypatch.setitem(sys.modules, "bm25s", None)
    *_, missing = bm25.compare_bm25([50], queries=12)
    assert (missing.engine, missing.queries, missing.mean) == ("bm25s", 0, None)


def test_bm25_command(monkeypatch):
    arguments = ["bm25", "--passages", "30", "--passages", "40", "--queries", "3"]
    printed = json.loads(RUNNER.invoke(cli.app, [*arguments, "--json"]).stdout)
    assert [r["passages"] for r in printed["results"]] == [30] * 3 + [40] * 3
    monkeypatch.setitem(sys.modules, "bm25s", None)
    table = RUNNER.invoke(cli.app, arguments)
    assert table.exit_code == 0, table.output
    assert "not installed" in table.stdout
    assert "40 passages: dateline's scores differ from rank-bm25's by" in table.stdout


def test_bm25_command_fails_when_the_scores_differ(monkeypatch):
    right = BM25Okapi.get_scores
    monkeypatch.setattr(BM25Okapi, "get_scores", lambda self, query: right(self, query) + 1e-5)
    done = RUNNER.invoke(cli.app, ["bm25", "--passages", "30", "--queries", "3"])
    assert "1.0e-05 at most" in done.stdout
    assert isinstance(done.exception, DatelineError)
