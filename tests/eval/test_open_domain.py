"""Open-domain answers: the figures of a tiny file by hand, and set-ups that change what is done."""

import dataclasses
import json

import pytest
from typer.testing import CliRunner

from eval import cli, tables
from eval.datasets import Example
from eval.measuring import FreshRun
from eval.open_domain import evaluate_open_domain, evaluate_setups, in_top, sampled_questions
from eval.setups import AnswerSetup, EvaluatedReader
from index.errors import DatelineError, QualityError, UsageError


def example(number, context, question, *answers, kind=""):
    return Example(str(number), "Some_title", context, question, answers, not answers, kind)


EXAMPLES = (
    example(0, "Tea is grown in China.", "Where is tea grown?", "China", kind="plain"),
    example(1, "Coffee comes from hot Brazil.", "Where does coffee come from?", "hot Brazil"),
    example(2, "Coffee comes from hot Brazil.", "Who drinks it?"),
)


@pytest.fixture
def no_processes(monkeypatch):
    monkeypatch.setattr("eval.answers.run_fresh", lambda _: FreshRun(0, "", "", 0.5, 100.0))


def test_sample_is_fixed_and_answerable_unless_asked_otherwise():
    examples = [example(n, "c", "q", *["a"] * (n % 2)) for n in range(100)]
    chosen = sampled_questions(examples, 10, seed=0)
    assert chosen == sampled_questions(examples, 10, seed=0)
    assert chosen != sampled_questions(examples, 10, seed=1)
    assert not any(e.is_impossible for e in chosen)
    assert len(sampled_questions(examples, 500, seed=0)) == 50
    both = sampled_questions(examples, 500, seed=0, unanswerable=True)
    assert sum(e.is_impossible for e in both) == 50
    with pytest.raises(UsageError, match="no answerable"):
        sampled_questions(examples[:1], 10, seed=0)
    with pytest.raises(UsageError, match="no unanswerable"):
        sampled_questions(examples[1:2], 10, seed=0, unanswerable=True)


def test_answerable_questions(tmp_path, light, no_processes):
    result = evaluate_open_domain(EXAMPLES, "tiny", work=tmp_path)
    by_id = {row.id: row for row in result.rows}
    assert (result.paragraphs, result.passages, result.questions) == (2, 2, 2)
    assert (by_id["0"].prediction, by_id["0"].exact_match, by_id["0"].f1) == ("China", 1.0, 1.0)
    assert (by_id["0"].span_rank, by_id["0"].passage_rank, by_id["0"].paragraph_rank) == (1, 1, 1)
    assert (by_id["1"].prediction, by_id["1"].exact_match) == ("Brazil", 0.0)
    assert by_id["1"].f1 == pytest.approx(2 / 3)
    assert by_id["1"].span_rank is None
    assert by_id["1"].passage_rank == 1
    assert result.exact_match == 0.5
    assert result.f1 == pytest.approx(5 / 6)
    assert result.answer_in_top_spans == {"1": 0.5, "3": 0.5, "5": 0.5, "10": 0.5}
    assert set(result.answer_in_top_passages.values()) == {1.0}
    assert set(result.paragraph_in_top.values()) == {1.0}
    assert result.exact_match_interval == (0.0, 1.0)
    assert result.start_seconds == 0.5
    assert result.passages_per_second > 0
    assert result.latency.p50 > 0
    assert result.no_answer is None
    assert {slot: s.questions for slot, s in result.by_slot.items()} == {"where": 2}
    assert result.by_slot["where"].abstained == result.abstained
    assert {kind: s.f1 for kind, s in result.by_type.items()} == {"plain": 1.0}


def test_unanswerable_questions_too(tmp_path, light, no_processes):
    result = evaluate_open_domain(EXAMPLES, "tiny", work=tmp_path, unanswerable=True)
    assert (result.questions, result.answerable) == (3, 2)
    assert result.f1 == pytest.approx(5 / 6)  # of the answerable ones, as before
    assert result.no_answer.unanswerable == 1
    assert result.no_answer.best_f1.score == pytest.approx((1 + 2 / 3) / 3)
    assert result.trust.accuracy == pytest.approx(2 / 3)
    who = result.by_slot["who"]
    assert (who.questions, who.f1, who.abstained) == (1, None, None)
    assert who.false_answers in (0.0, 1.0)


def test_citations_are_judged_against_the_paragraph_of_the_question(tmp_path, light, no_processes):
    result = evaluate_open_domain(EXAMPLES, "tiny", work=tmp_path)
    answered = sum(not row.abstained for row in result.rows)
    assert result.citations.answers == result.citations.citations == answered
    # The fake assistant puts a folder before the source, which is then no paragraph of the file.
    assert (result.citations.precision, result.citations.precision_anywhere) == (0.0, 1.0)
    assert result.citations.verbatim == 1.0


def test_a_fresh_process_that_fails_is_an_error(tmp_path, light, monkeypatch):
    monkeypatch.setattr("eval.answers.run_fresh", lambda _: FreshRun(1, "", "no model", 0.5, None))
    with pytest.raises(DatelineError, match="no model"):
        evaluate_open_domain(EXAMPLES, "tiny", work=tmp_path)


def test_in_top():
    assert in_top([1, 3, 6, None]) == {"1": 0.25, "3": 0.5, "5": 0.5, "10": 0.75}


@pytest.mark.parametrize("wrong", [{"passages": 0}, {"threshold": 1.5}])
def test_a_setup_says_what_is_wrong(wrong):
    with pytest.raises(UsageError):
        AnswerSetup(**wrong)


def test_one_retriever_alone_ranks_as_its_mode_does(new_index, tmp_path):
    from support import make_document

    from index import EmbeddedIndex

    animals = "cat dog cow hen bee ant owl fox eel emu".split()
    texts = [" ".join(animals[n % 10 : n % 10 + 1 + n % 4] + animals[: n % 3]) for n in range(30)]
    index = new_index(make_document(f"{n}.txt", text) for n, text in enumerate(texts))
    folder = index.path
    index.close()
    for mode in ("bm25", "dense"):
        with EmbeddedIndex.open(folder, settings=AnswerSetup(mode=mode).index_settings) as opened:
            alone = [h.chunk.id for h in opened.search("cat and hen", 30, mode=mode)]
            hits = opened.search("cat and hen", 30)
        assert len(alone) > 10
        assert [h.chunk.id for h in hits][: len(alone)] == alone
        assert all("dense" in h.scores for h in hits)


def test_a_reader_reads_the_same_passages_once_and_takes_any_threshold(monkeypatch):
    read = []
    monkeypatch.setattr(
        "qa.reader.Reader.read", lambda _, question, *rest: read.append(question) or [[]]
    )
    reader = EvaluatedReader(threshold=0.25)
    assert reader.settings["calibration"]["threshold"] == 0.25
    assert EvaluatedReader().settings["calibration"]["threshold"] != 0.25
    for question in ("a", "a", "b", "a"):
        reader.read(question, ["text"])
    reader.read("a", ["other text"])
    assert read == ["a", "b", "a", "a"]


def test_setups_are_compared_over_the_same_questions(tmp_path, light, no_processes, monkeypatch):
    monkeypatch.setattr("eval.open_domain.in_fresh_process", lambda f, *a, **k: f(*a, **k))
    setups = {"plain": AnswerSetup(), "lexical": AnswerSetup(mode="bm25", passages=1)}
    results = evaluate_setups(EXAMPLES, "tiny", setups, questions=1, work=tmp_path)
    assert list(results) == ["plain", "lexical"]
    plain, lexical = results.values()
    assert [row.id for row in plain.rows] == [row.id for row in lexical.rows]
    assert plain.start_seconds is None


def test_a_setup_and_a_result_pass_between_processes(tmp_path, light, no_processes):
    import pickle

    result = evaluate_open_domain(EXAMPLES, "tiny", work=tmp_path, unanswerable=True)
    assert pickle.loads(pickle.dumps(result)) == result
    setup = AnswerSetup(passages=3)
    assert pickle.loads(pickle.dumps(setup)) == setup


def test_the_command(tmp_path, light, no_processes):
    path = tmp_path / "tiny.jsonl"
    rows = [
        dataclasses.asdict(e) | {"answers": [{"text": text} for text in e.answers]}
        for e in EXAMPLES
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    out = tmp_path / "rows.jsonl"
    arguments = ["answers", str(path), "--unanswerable", "--work", str(tmp_path / "work")]
    done = CliRunner().invoke(cli.app, [*arguments, "--json", "--out", str(out)])
    assert done.exit_code == 0, done.output
    printed = json.loads(done.stdout)
    assert printed["answer_in_top_passages"]["10"] == 1.0
    assert set(printed["by_slot"]) == {"where", "who"}
    assert set(printed["by_type"]) == {"plain"}
    assert {"precision", "recall", "verbatim"} <= set(printed["citations"])
    written = [json.loads(line) for line in out.read_text().splitlines()]
    assert {row["id"]: row["slot"] for row in written} == {"0": "where", "1": "where", "2": "who"}
    assert any(row["citations"] and row["citations"][0][0]["quote"] for row in written)
    table = CliRunner().invoke(cli.app, arguments)
    assert table.exit_code == 0, table.output
    for expected in ("answer in top passages", "precision anywhere", "false answers", "plain"):
        assert expected in table.stdout


def test_the_command_compares_set_ups(tmp_path, light, no_processes, monkeypatch):
    monkeypatch.setattr("eval.open_domain.in_fresh_process", lambda f, *a, **k: f(*a, **k))
    path, out, report = (tmp_path / name for name in ("tiny.jsonl", "rows.jsonl", "report.md"))
    rows = [
        dataclasses.asdict(e) | {"answers": [{"text": text} for text in e.answers]}
        for e in EXAMPLES
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    file = tmp_path / "setups.toml"
    file.write_text("[configurations.one]\n[configurations.two]\npassages = 1")
    arguments = ["answers", str(path), "--work", str(tmp_path / "work"), "--report", str(report)]
    both = [*arguments, "--configurations", str(file)]

    done = CliRunner().invoke(cli.app, [*both, "--json", "--out", str(out)])
    assert done.exit_code == 0, done.output
    one, two = json.loads(done.stdout)
    assert (one["system"], two["system"]) == ("one", "two")
    assert one["against_baseline"] == {}
    assert two["against_baseline"]["F1"]["baseline"] == "one"
    written = [json.loads(line) for line in out.read_text().splitlines()]
    assert [line["system"] for line in written] == ["one", "one", "two", "two"]
    assert "| one ◆ |" in report.read_text()

    table = CliRunner().invoke(cli.app, [*both, "--baseline", "two"])
    assert "worse than two" in table.stdout
    fallen = CliRunner().invoke(cli.app, [*both, "--fail-under", "two:F1=1"])
    assert isinstance(fallen.exception, QualityError)
    for wrong in (["--baseline", "three"], ["--reader", "x"], ["--sweep"], ["--only", "hybrid"]):
        done = CliRunner().invoke(cli.app, [*both, *wrong])
        assert isinstance(done.exception, UsageError), wrong
    single = CliRunner().invoke(cli.app, [*arguments, "--json"])
    assert json.loads(single.stdout)["questions"] == 2


@pytest.mark.parametrize(
    "option",
    [["--unanswerable"], ["--sweep"], ["--baseline", "x"], ["--report", "x.md"],
     ["--fail-under", "F1=1"]],
)  # fmt: skip
def test_what_only_a_file_has(option):
    done = CliRunner().invoke(cli.app, ["answers", *option])
    assert isinstance(done.exception, UsageError)
    assert "only with a SQuAD file" in str(done.exception)


def test_summary_is_json(tmp_path, light, no_processes):
    result = evaluate_open_domain(EXAMPLES, "tiny", work=tmp_path, unanswerable=True)
    json.dumps(tables.summary(result), allow_nan=False)
