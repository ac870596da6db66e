"""`dateline eval retrieval` and `dateline eval compare`, as they are used."""

import json
import random

import pytest
from typer.testing import CliRunner

from eval import cli, drilldown
from eval.configurations import Configuration
from eval.datasets import load_beir
from eval.drilldown import depth_curves, differences_table, questions
from eval.experiment import run_experiment
from eval.retrieval import evaluate_run
from eval.retrieval_report import compared, retrieval_report
from eval.trec import read_run, write_run
from index import IndexSettings
from index.errors import LoadError, QualityError, UsageError

WORDS = "harbour ferry bridge storm council tariff treaty envoy vessel quarry mill dam".split()


@pytest.fixture
def folder(tmp_path):
    """Forty documents and twenty queries; what is relevant has both words of the query."""
    generator = random.Random(4)
    folder = tmp_path / "news"
    (folder / "qrels").mkdir(parents=True)
    documents = [" ".join(generator.choices(WORDS, k=12)) for _ in range(40)]
    pairs = [generator.sample(WORDS, 2) for _ in range(20)]
    (folder / "corpus.jsonl").write_text(
        "".join(
            json.dumps({"_id": f"d{n}", "title": f"Story {n}", "text": f"The {text}."}) + "\n"
            for n, text in enumerate(documents)
        )
    )
    (folder / "queries.jsonl").write_text(
        "".join(
            json.dumps({"_id": f"q{n}", "text": " ".join(pair)}) + "\n"
            for n, pair in enumerate(pairs)
        )
    )
    rows = [
        f"q{q}\td{d}\t{min(document.split().count(word) for word in pair)}\n"
        for q, pair in enumerate(pairs)
        for d, document in enumerate(documents)
        if set(pair) <= set(document.split())
    ]
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(rows))
    return folder


@pytest.fixture
def run(folder, light, tmp_path):
    """The command on that folder."""

    def invoke(*arguments, command="retrieval"):
        where = ["--work", str(tmp_path / "work")] if command == "retrieval" else []
        paths = [str(folder)] if command == "retrieval" else []
        return CliRunner().invoke(cli.app, [command, *paths, *map(str, arguments), *where])

    return invoke


@pytest.fixture
def three(tmp_path):
    path = tmp_path / "three.toml"
    path.write_text(
        "[configurations.plain]\nmode = 'bm25'\n"
        "[configurations.shallow]\nmode = 'bm25'\ndepth = 10\n"
        "[configurations.odd]\nmode = 'dense'\n"
    )
    return path


def output(done):
    assert done.exit_code == 0, done.output
    return done.stdout


def test_a_table_of_configurations(run, three):
    shown = output(run("--configurations", three))
    assert "news: 40 documents, 20 queries" in shown
    assert "worse than plain (◆)" in shown
    assert "nDCG@10 compared with plain" in shown
    assert "d_z" in shown
    assert "–" in shown.split("shallow")[1].split("\n")[0]  # R@100 is deeper than it ranks


def test_json_has_the_comparisons(run, three):
    results = json.loads(output(run("--configurations", three, "--json", "--baseline", "odd")))
    assert [result["system"] for result in results] == ["plain", "shallow", "odd"]
    plain, shallow, odd = results
    assert odd["against_baseline"] == {}
    found = plain["against_baseline"]["nDCG@10"]
    assert found["difference"] == pytest.approx(
        plain["measures"]["nDCG@10"] - odd["measures"]["nDCG@10"], abs=1e-5
    )
    assert found["interval"]["low"] <= found["difference"] <= found["interval"]["high"]
    assert 0 < found["p"] <= found["adjusted_p"] <= 1
    assert "Judged@10" not in plain["against_baseline"]
    assert "R@100" not in shallow["measures"]
    assert plain["settings"]["k1"] == 1.5
    assert plain["cost"]["passages"] == 40
    assert plain["cost"]["kept"] is False
    again = json.loads(output(run("--configurations", three, "--json")))
    assert all(result["cost"]["kept"] for result in again)
    fresh = json.loads(output(run("--configurations", three, "--json", "--fresh")))
    assert not any(result["cost"]["kept"] for result in fresh)


def test_single_options_describe_a_configuration(run):
    options = ["--mode", "hybrid", "--fusion", "rrf", "--dense-weight", "0.3", "--no-stem"]
    (found,) = json.loads(output(run(*options, "--no-stop-words", "--json")))
    assert (
        found["settings"]
        == Configuration(
            name="hybrid",
            settings=IndexSettings(fusion="rrf", dense_weight=0.3, stem=False, stop_words=False),
        ).described()
    )
    assert [r["mode"] for r in json.loads(output(run("--json")))] == ["bm25", "dense", "hybrid"]


def test_bundled_configurations_by_name(run):
    found = json.loads(output(run("--only", "bm25", "--only", "hybrid-rrf", "--json")))
    assert [result["system"] for result in found] == ["hybrid-rrf", "bm25"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sweep", "--mode", "bm25"], "--mode describes a configuration"),
        (["--sweep", "--dense-weight", "0"], "--dense-weight describes a configuration"),
        (["--only", "bm26"], "Did you mean 'bm25'"),
        (["--baseline", "dens"], "Did you mean 'dense'"),
        (["--differences", "bm25", "x"], "'x' is not among those compared"),
        (["--measure", "ndcg@10"], "Did you mean 'nDCG'"),
        (["--measure", "nDCG@1000"], "ranks 100 documents, too few for nDCG@1000"),
        (["--report", "x.pdf"], "does not say its format"),
        (["--fail-under", "nDCG@10"], "is not a floor"),
        (["--fail-under", "sparse:nDCG@10=0.1"], "Nothing that is measured is called 'sparse'"),
        (["--against", "none.json"], "none.json cannot be read"),
        (["--configurations", "none.toml"], "none.toml cannot be read"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_measured(run, monkeypatch, arguments, message):
    monkeypatch.setattr("eval.experiment.run_experiment", None)  # calling it would fail otherwise
    done = run(*arguments)
    assert isinstance(done.exception, UsageError)
    assert message in str(done.exception)


def test_two_collections_of_one_name_are_refused(run, folder):
    done = run(folder)
    assert isinstance(done.exception, UsageError)
    assert "Two collections are called 'news'" in str(done.exception)


def test_several_collections_have_a_table_of_their_own(run, beir_folder):
    shown = output(run(beir_folder, "--mode", "bm25", "--measure", "AP", "--measure", "P@5"))
    assert "All collections" in shown
    assert "mean AP" in shown
    assert "tiny: 3 documents, 3 queries" in shown
    assert "Queries without any result, which count 0: bm25 1." in shown  # "zebra"


def test_reports_have_curves_and_questions(run, three, tmp_path):
    paths = [tmp_path / f"report.{suffix}" for suffix in ("json", "md", "html")]
    output(run("--configurations", three, *(f"--report={path}" for path in paths)))
    report = json.loads(paths[0].read_text())
    assert "numpy" in report["summary"]["versions"]
    assert report["summary"]["collections"] == "news, 40 documents, 20 queries"
    captions = [curve["caption"] for curve in report["curves"]]
    assert captions == [f"news: {name}@k" for name in ("nDCG", "R", "Success")]
    assert [x for x, _ in report["curves"][1]["series"]["odd"]] == [1, 2, 3, 5, 10]
    assert len(report["questions"]) == 20
    assert "plain" in paths[1].read_text()
    assert "plain" in paths[2].read_text()


def test_the_queries_on_which_two_differ(run, three):
    shown = output(run("--configurations", three, "--differences", "odd", "plain"))
    assert "where odd and plain differ most in nDCG@10" in " ".join(shown.split())
    assert "Story" in shown


def test_all_pairs(run):
    shown = output(run("--all-pairs"))
    assert "nDCG@10 of every pair" in shown
    assert "One family (comparisons: 3)" in shown


def test_quality_that_is_too_low_ends_with_an_error(run):
    floor = ["--fail-under", "nDCG@10=0.999", "--fail-under", "dense:AP@100=0"]
    done = run("--mode", "all", *floor)
    assert isinstance(done.exception, QualityError)
    assert "news/bm25: nDCG@10 is 0." in str(done.exception)
    assert "AP@100" not in str(done.exception)
    assert "news: 40 documents" in done.stdout  # what was measured is shown all the same
    output(run("--mode", "bm25", "--fail-under", "NDCG@10=0.1", "--fail-under", "MAP=0.1"))


def test_a_baseline_guards_what_comes_later(run, tmp_path, monkeypatch):
    path = tmp_path / "baseline.json"
    output(run("--mode", "bm25", "--save-baseline", path))
    output(run("--mode", "bm25", "--against", path))
    real = evaluate_run

    def broken(collection, system, found, measures):
        reversed_ = {q: {d: -s for d, s in ranking.items()} for q, ranking in found.items()}
        return real(collection, system, reversed_, measures)

    monkeypatch.setattr("eval.experiment.evaluate_run", broken)
    done = run("--mode", "bm25", "--no-stem", "--against", path)
    assert isinstance(done.exception, QualityError)
    assert "news/bm25: nDCG@10 fell from" in str(done.exception)
    assert "news/bm25: stem is False; it was True when the baseline was made." in done.stderr


def test_stopped_by_hand(run, monkeypatch):
    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("eval.experiment._search", stopped)
    done = run("--mode", "bm25")
    assert done.exit_code == 130
    assert "the same command goes on" in done.stderr


# run files


def test_run_files_are_compared_as_configurations_are(run, folder, three, tmp_path):
    runs = tmp_path / "runs"
    measured = json.loads(output(run("--configurations", three, "--json", "--run-out", runs)))
    paths = [runs / f"news.{result['system']}.run" for result in measured]
    compared = json.loads(output(run(*paths, "--collection", folder, "--json", command="compare")))
    assert [result["system"] for result in compared] == ["news.plain", "news.shallow", "news.odd"]
    for ours, theirs in zip(measured, compared, strict=True):
        for name, value in ours["measures"].items():
            assert theirs["measures"][name] == pytest.approx(value, abs=1e-3)
    shown = output(
        run(*paths, "--collection", folder, "--differences", "news.odd", "news.plain",
            "--report", tmp_path / "r.json", command="compare")
    )  # fmt: skip
    assert "ms p50/p95" not in shown
    curves = json.loads((tmp_path / "r.json").read_text())["curves"]
    assert curves[0]["series"].keys() == {"news.plain", "news.shallow", "news.odd"}


def test_run_files_that_are_none(run, folder, tmp_path):
    (tmp_path / "bad.run").write_text("q0 Q0 d1\n")
    done = run(tmp_path / "bad.run", "--collection", folder, command="compare")
    assert isinstance(done.exception, LoadError)
    (tmp_path / "other.run").write_text("zz Q0 d1 1 2.0 tag\n")
    done = run(tmp_path / "other.run", "--collection", folder, command="compare")
    assert isinstance(done.exception, UsageError)
    assert "no query that news judges" in str(done.exception)
    done = run(tmp_path / "other.run", tmp_path / "other.run.gz", "--collection", folder,
               command="compare")  # fmt: skip
    assert "same name" in str(done.exception)


def test_a_run_file_is_read_best_first(tmp_path):
    write_run(tmp_path / "a.run", {"q1": {"d2": 2.5, "d1": 1.0}}, "tag")
    assert read_run(tmp_path / "a.run") == {"q1": {"d2": 2.5, "d1": 1.0}}
    (tmp_path / "b.run").write_text("q1 Q0 d1 2 1.0 t\nq1 Q0 d2 1 2.5 t\n")
    assert list(read_run(tmp_path / "b.run")["q1"]) == ["d2", "d1"]


# what the report says


@pytest.fixture
def results(folder, light, tmp_path):
    plan = [Configuration(name="bm25", mode="bm25"), Configuration(name="dense", mode="dense")]
    collection = load_beir(folder)
    return collection, run_experiment(
        [collection], plan, ["nDCG@10", "R@10", "Judged@10"], work=tmp_path
    )


def test_every_figure_of_a_table_is_the_mean_and_says_how_sure_it_is(results):
    collection, (bm25, dense) = results
    report = retrieval_report([bm25, dense], [collection], title="T", summary={}, baseline="bm25")
    table, comparison = report.tables
    rows = {row[0].text: dict(zip(table.columns, row, strict=True)) for row in table.rows}
    for result, name in ((bm25, "bm25"), (dense, "dense")):
        for measure, mean in result.measures.items():
            assert rows[name][measure].value == mean
            assert rows[name][measure].text == f"{mean:.3f}"
    best = max(bm25.measures["nDCG@10"], dense.measures["nDCG@10"])
    assert [cell["nDCG@10"].best for cell in rows.values()] == [
        result.measures["nDCG@10"] == best for result in (bm25, dense)
    ]
    found = compared([bm25, dense], "bm25")["news", "nDCG@10"]["dense"]
    assert rows["dense"]["nDCG@10"].mark == found.mark
    assert f"p = {found.p:.4f}" in rows["dense"]["nDCG@10"].detail
    assert rows["dense"]["Judged@10"].mark == ""
    assert comparison.rows[0][1].value == pytest.approx(found.difference)


def test_curves_end_in_the_measures(results):
    collection, (bm25, dense) = results
    ndcg, recall, success = depth_curves(collection, [bm25, dense])
    assert dict(ndcg.series["bm25"])[10] == pytest.approx(bm25.measures["nDCG@10"])
    assert dict(recall.series["dense"])[10] == pytest.approx(dense.measures["R@10"])
    for line in [*recall.series.values(), *success.series.values()]:
        values = [y for _, y in line]
        assert values == sorted(values)  # deeper never finds less


def test_questions_say_what_each_system_made_of_them(results):
    collection, group = results
    asked = questions(collection, group)
    assert {question.id for question in asked} == {f"news {query}" for query in collection.qrels}
    spreads = [
        max(o.score for o in q.outcomes.values()) - min(o.score for o in q.outcomes.values())
        for q in asked
    ]
    assert spreads == sorted(spreads, reverse=True)
    for question in asked:
        for outcome in question.outcomes.values():
            assert (
                ("(relevant)" in outcome.text)
                or ("first relevant at" in outcome.text)
                or ("none relevant" in outcome.text)
            )


def test_differences_have_the_largest_first_on_both_sides(results, monkeypatch):
    monkeypatch.setattr(drilldown, "MOST_DIFFERENT", 3)
    collection, (bm25, dense) = results
    table = differences_table(collection, [bm25, dense], "bm25", "dense")
    gains = [row[2].value for row in table.rows]
    all_gains = sorted(
        bm25.per_query["nDCG@10"][q] - dense.per_query["nDCG@10"][q] for q in collection.qrels
    )
    ahead = [gain for gain in all_gains[::-1][:3] if gain > 0]
    behind = [gain for gain in all_gains[:3] if gain < 0]
    assert gains == pytest.approx(ahead + behind)
    assert f"{bm25.system} is ahead on {sum(g > 0 for g in all_gains)} of 20" in table.note


def test_an_outcome_in_words():
    labels = {"a": "Title A", "b": "Title B"}
    grades = {"b": 1, "c": 0}
    assert (
        drilldown._outcome({"a": 2.0, "b": 1.0}, grades, labels) == "Title A; first relevant at 2"
    )
    assert drilldown._outcome({"b": 2.0}, grades, labels) == "Title B (relevant)"
    assert drilldown._outcome({"x": 2.0}, grades, labels) == "x; none relevant in 1"
    assert drilldown._outcome({}, grades, labels) == "nothing found"
    many = {f"d{n}": n for n in range(9)}
    assert drilldown._expected(many, {}).startswith("d8 (8); d7 (7)")
    assert drilldown._expected(many, {}).endswith("and 3 more")
