"""TREC's files: others' are read as trec_eval reads them, ours measure what the run does."""

import gzip

import ir_measures
import pytest
import pytrec_eval
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.metrics import measure_run
from eval.trec import ranked, read_qrels, read_run, read_topics, write_run
from index.errors import LoadError, UsageError

CLASSIC = """\
<top>
<head> Tipster Topic Description
<num> Number:  051
<dom> Domain: International Economics
<title> Topic:  Airbus & Boeing
  Subsidies

<desc> Description:
Document will discuss &quot;aid&quot; to Airbus.

<narr> Narrative:
A relevant document: any.
</top>

<top>
<num> Number: 052 </num>
<title> South African Sanctions </title>
</top>
"""
XML = """\
<?xml version="1.0"?>
<topics task="COVID">
  <topic number="1" type="faceted">
    <query>obama &amp; family tree</query>
    <description>Where from?</description>
    <subtopic number="1" type="nav">not this</subtopic>
  </topic>
  <topic number="2"><title>origin</title><question>Which?</question></topic>
  <topic number="3">plain text</topic>
</topics>
"""

names = st.text(min_size=1, max_size=8).filter(lambda name: name.split() == [name])
scores = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([1.0, 1.0000001, 1.00000000001, 1e-7, 2e-7, -0.0]),
)
runs = st.dictionaries(names, st.dictionaries(names, scores, min_size=1, max_size=8), min_size=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("trec")


# topics


def test_classic_topics(tmp_path):
    path = tmp_path / "topics"
    path.write_text(CLASSIC)
    assert read_topics(path) == {
        "051": "Airbus & Boeing Subsidies",
        "052": "South African Sanctions",
    }
    with pytest.raises(UsageError, match=r"line 15: topic 052 has no description\. It has: title"):
        read_topics(path, "description")
    path.write_text(CLASSIC.partition("<top>\n<num> Number: 052")[0])
    assert read_topics(path, "description") == {"051": 'Document will discuss "aid" to Airbus.'}
    assert read_topics(path, "narrative") == {"051": "A relevant document: any."}


def test_xml_topics(tmp_path):
    path = tmp_path / "topics.xml"
    path.write_text(XML)
    wanted = {"1": "obama & family tree", "2": "origin", "3": "plain text"}
    assert read_topics(path) == wanted


def test_tabbed_topics_gzipped_and_with_a_byte_order_mark(tmp_path):
    path = tmp_path / "queries.tsv.gz"
    path.write_bytes(gzip.compress("\ufeff7\twhat  is\ttea\n\n8\tcafé\r\n".encode()))
    assert read_topics(path) == {"7": "what is tea", "8": "café"}
    with pytest.raises(UsageError, match="Choose the title"):
        read_topics(path, "narrative")


def test_topics_in_another_encoding(tmp_path):
    path = tmp_path / "topics"
    path.write_text("1\tcafé\n", encoding="latin-1")
    assert read_topics(path, encoding="latin-1") == {"1": "café"}
    with pytest.raises(LoadError, match="line 1 is not UTF-8"):
        read_topics(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "holds no topic"),
        ("<topics>\n</topics>", "holds no topic"),
        ("1\ta\n2 no tab\n", "line 2 is not `number<TAB>text`"),
        ("1\ta\n1\tb\n", "line 2: topic '1' appears twice"),
        ("<top>\n<title> x\n</top>", "line 1: the topic has no number"),
        ("<top>\n<num> 1\n<title> x\n", "line 1: the topic is not closed"),
        ("<top>\n<num> 1\n<title> x\n\n<top>\n</top>", "line 5: the topic of .* line 1 is not"),
    ],
)
def test_damaged_topics_are_named_with_their_line(tmp_path, content, message):
    path = tmp_path / "topics"
    path.write_text(content)
    with pytest.raises(LoadError, match=message):
        read_topics(path)


# qrels


def test_qrels(tmp_path):
    path = tmp_path / "qrels"
    path.write_text("051 0 FT911-1 1\n051\t0\tFT911-2\t-2\n\n052 Q0 FT911-1 0\n")
    assert read_qrels(path) == {"051": {"FT911-1": 1, "FT911-2": -2}, "052": {"FT911-1": 0}}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "holds no judgement"),
        ("1 0 d 1\n1 d 1\n", "line 2 has 3 columns, not 4"),
        ("1 Q0 d 1 0.5 tag\n", "has 6 columns, not 4.*Is it a run"),
        ("1 0 d 0.5\n", "line 1: the grade '0.5' is not a whole number"),
        ("1 0 d 1\n2 0 d 1\n1 0 d 0\n", "line 3 judges document 'd' for query '1' again"),
    ],
)
def test_damaged_qrels_are_named_with_their_line(tmp_path, content, message):
    path = tmp_path / "qrels"
    path.write_text(content)
    with pytest.raises(LoadError, match=message):
        read_qrels(path)


# runs


def test_a_run_is_ordered_by_score_whatever_its_ranks_say(tmp_path):
    path = tmp_path / "a.run"
    path.write_text(
        "q2 Q0 x 1 -1e3 t\nq1 Q0 a 1 0.5 t\nq1 0 c 9 2 t\nq1 Q0 b - 0.5 t\nq2 Q0 y 1 +3 t"
    )
    run = read_run(path)
    assert [(query, list(ranking.items())) for query, ranking in run.items()] == [
        ("q2", [("y", 3.0), ("x", -1000.0)]),
        ("q1", [("c", 2.0), ("b", 0.5), ("a", 0.5)]),
    ]


@settings(deadline=None)  # the machine may be busy
@given(
    st.dictionaries(names, st.sampled_from([0.0, 0.5, 1.0, 2.0]), min_size=1, max_size=6),
    st.data(),
)
def test_ties_are_ordered_as_trec_eval_orders_them(scores, data):
    order = list(ranked(scores))
    relevant = data.draw(st.sampled_from(order))
    measured = pytrec_eval.RelevanceEvaluator({"q": {relevant: 1}}, {"recip_rank"}).evaluate(
        {"q": scores}
    )
    assert measured["q"]["recip_rank"] == pytest.approx(1 / (order.index(relevant) + 1))


@settings(deadline=None)  # the machine may be busy
@given(runs, st.booleans(), st.data())
def test_a_written_run_measures_what_the_run_does(folder, run, zipped, data):
    path = folder / ("x.run.gz" if zipped else "x.run")
    write_run(path, run, "tag")
    assert read_run(path) == run
    grades = st.dictionaries(
        st.sampled_from(sorted({d for r in run.values() for d in r})), st.integers(0, 3), min_size=1
    )
    qrels = {query: data.draw(grades) for query in run}
    direct = measure_run(qrels, run, ["nDCG@10", "nDCG@2", "RR", "AP"])
    assert measure_run(qrels, read_run(path), ["nDCG@10", "nDCG@2", "RR", "AP"]) == direct


def test_others_read_what_is_written(tmp_path):
    path = tmp_path / "x.run"
    run = {"q1": {"d1": 1.0, "d2": 2.5000000001, "d3": 2.5}, "q2": {}, "q3": {"a/b#c": -0.1}}
    write_run(path, run, "dateline-bm25")
    assert path.read_text() == (
        "q1 Q0 d2 1 2.5000000001 dateline-bm25\nq1 Q0 d3 2 2.5 dateline-bm25\n"
        "q1 Q0 d1 3 1.0 dateline-bm25\nq3 Q0 a/b#c 1 -0.1 dateline-bm25\n"
    )
    asked = {query: ranking for query, ranking in run.items() if ranking}
    with path.open() as file:
        assert pytrec_eval.parse_run(file) == asked
    found: dict[str, dict[str, float]] = {}
    for one in ir_measures.read_trec_run(str(path)):
        found.setdefault(one.query_id, {})[one.doc_id] = one.score
    assert found == asked
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("run", "tag"),
    [
        ({"q": {"a b": 1.0}}, "t"),
        ({"q": {"a\u00a0b": 1.0}}, "t"),
        ({"q": {"": 1.0}}, "t"),
        ({"q": {"\ud800": 1.0}}, "t"),
        ({"q 1": {"a": 1.0}}, "t"),
        ({"q": {"a": 1.0}}, "my system"),
        ({"q": {"a": float("nan")}}, "t"),
        ({"q": {"a": float("inf")}}, "t"),
    ],
)
def test_what_a_run_cannot_hold_is_refused_before_anything_is_written(tmp_path, run, tag):
    path = tmp_path / "x.run"
    path.write_text("before")
    with pytest.raises(UsageError):
        write_run(path, run, tag)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "holds no result"),
        (b"q Q0 d 1 0.5 t\nq Q0 d\n", "line 2 has 3 columns, not 6"),
        (b"q Q0 d 1 0.5 my tag\n", "line 1 has 7 columns"),
        (b"q 0 d 1\n", "has 4 columns.*Is it a qrels file"),
        (b"\nq Q0 d 1 high t\n", "line 2: the score 'high' is not a number"),
        (b"q Q0 d 1 0,5 t\n", "line 1: the score '0,5'"),
        (b"q Q0 d 1 nan t\n", "line 1: the score nan"),
        (b"q Q0 d 1 -inf t\n", "line 1: the score -inf"),
        (b"q Q0 d 1 2 t\nr Q0 d 1 2 t\nq Q0 d 3 1 t\n", "line 3 names document 'd' .* 'q' again"),
        (b"q Q0 d 1 2 t\nq Q0 \xff 2 1 t\n", "line 2 is not UTF-8"),
    ],
)
def test_a_damaged_run_is_named_with_its_line(tmp_path, content, message):
    path = tmp_path / "x.run"
    path.write_bytes(content)
    with pytest.raises(LoadError, match=message):
        read_run(path)


@pytest.mark.parametrize("damage", [lambda b: b[:-12], lambda b: b[:20] + b"\xff" * 9 + b[29:]])
def test_a_damaged_gzip_file_is_an_error(tmp_path, damage):
    path = tmp_path / "x.run.gz"
    path.write_bytes(damage(gzip.compress(b"".join(b"q Q0 d%d 1 2 t\n" % n for n in range(99)))))
    with pytest.raises(LoadError, match="cannot be read"):
        read_run(path)


@pytest.mark.parametrize("read", [read_run, read_qrels, read_topics])
def test_a_missing_file_is_wrong_usage(tmp_path, read):
    with pytest.raises(UsageError, match="no file"):
        read(tmp_path / "none")
