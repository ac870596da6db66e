import json
from datetime import date

import numpy as np
import pytest
from fake_peers import Absent, Backwards, Forgetful, Words
from typer.testing import CliRunner

from eval import cli, peers
from eval.calibration import RIGHT
from eval.measuring import FreshRun
from eval.metrics import randomization_test
from eval.peer_report import BETTER, MEASURES, WORSE, peer_report
from eval.peer_systems import SYSTEMS, Passage, Setup
from eval.peers import PeerQuestion, Task, compare, passages_of
from index.document import Document, document_id

RUNNER = CliRunner()


def passage(source, text, start=0):
    document = Document(id=document_id(source), source=source, title=source, text=text)
    return Passage(document, start, len(text), source)


PASSAGES = (
    passage("tea", "Green tea is grown by Chen"),
    passage("coffee", "Black coffee is grown by Dias"),
    passage("cocoa", "Sweet cocoa is grown by Osei"),
)


def question(text, *answers, gold=None, day=None):
    return PeerQuestion(text, text, answers, frozenset({document_id(gold)} if gold else ()), day)


TASK = Task(
    name="tiny",
    passages=PASSAGES,
    questions=(
        question("who grows green tea", "Chen", gold="tea"),
        question("who grows black coffee", "Mr Dias", gold="coffee"),
        question("who grows sweet cocoa", "Mensah", gold="cocoa"),
        question("nobody grows green tea"),
        question("who grows blue tea"),
    ),
    bare_spans=True,
)


@pytest.fixture
def quick(monkeypatch, tmp_path):
    """Everything in this process; what the peers would load is not written."""
    monkeypatch.setattr(peers, "in_fresh_process", lambda call, *arguments: call(*arguments))
    monkeypatch.setattr(peers, "run_fresh", lambda _: FreshRun(0, "", "", 0.5, 100.0))
    monkeypatch.setattr(peers, "_reader", lambda work: work)
    monkeypatch.setattr("fake_peers.os.getpid", iter(range(10_000)).__next__)
    return tmp_path


def rows_of(report):
    (table,) = report.tables
    return {row[0].text: dict(zip(table.columns[1:], row[1:], strict=True)) for row in table.rows}


def measured(task, *systems, work):
    return rows_of(peer_report(task, list(compare(task, systems, work=work)), {}))


def test_a_table_of_what_was_measured(quick):
    rows = measured(TASK, Words, work=quick)
    shown = {label: row["words"].text for label, row in rows.items()}
    assert shown["right document in the first 10"] == "1.000"
    assert shown["right words in the first 10"] == "0.333"  # "Mr Dias" and "Mensah" are not there
    assert shown["MRR@10"] == "1.000"
    assert shown["exact match"] == "0.333"
    assert shown["F1"] == "0.556"  # 1, 2/3, 0
    assert shown["answered, if answerable"] == "1.000"
    assert shown["answered, if not"] == "0.500"
    assert shown["AUC of the confidence in these"] == "0.500"  # always 0.75
    assert shown["answers with exact offsets"] == "1.000"
    # All believed with 0.75, of which two of five have an F1 of 0.5.
    assert RIGHT == 0.5
    assert shown["calibration error"] == "0.350"
    assert shown["from start to reply, s"] == "0.50"
    assert shown["events: who, where, when"] == "no"
    assert shown["dates resolved to the right day"] == "no"
    assert float(shown["adding a passage, ms"]) < 100


def test_what_a_system_cannot_do_is_no_and_not_zero(quick):
    rows = measured(TASK, Words, Backwards, work=quick)
    for measure in MEASURES:
        if measure.label in rows and measure.needs:
            cell = rows[measure.label]["backwards"]
            assert (cell.text, cell.value) == ("no", None)
            assert cell.detail == "fake_peers.py, Backwards"
    assert rows["MRR@10"]["backwards"].value == pytest.approx(1 / 3)
    assert rows["MRR@10"]["words"].best
    assert not rows["MRR@10"]["backwards"].best
    assert rows["indexing, passages/s"]["backwards"].value > 0


def test_every_system_is_tested_against_its_measure(quick):
    questions = tuple(
        PeerQuestion(str(n), "who grows green tea", ("Chen",), frozenset({document_id("tea")}))
        for n in range(12)
    )
    task = Task(name="many", passages=PASSAGES, questions=questions, bare_spans=True)
    rows = measured(task, Words, Backwards, work=quick)
    cell = rows["MRR@10"]["backwards"]
    p = randomization_test([1 / 3] * 12, [1.0] * 12)
    assert cell.mark == WORSE
    assert cell.detail == f"difference -0.667, p = {p:.4f}"
    assert rows["right document in the first 10"]["backwards"].mark == ""  # no difference
    assert {rows[label]["words"].mark for label in rows} == {""}
    assert not {cell.mark for row in rows.values() for cell in row.values()} & {BETTER}


def test_dates_count_where_a_system_says_the_day(quick):
    class Dated(Words):
        lacks = peers.Peer.lacks

        def last_name(self, id_):
            return peers.Span("Chen", 0.5, day="2024-03-04")

    questions = (
        question("when did tea grow", "Chen", gold="tea", day="2024-03-04"),
        question("when did coffee grow", "Chen", gold="tea", day="2024-03-05"),
        question("nobody asked when", "Chen", gold="tea", day="2024-03-04"),  # abstains
        question("what grows", "Chen", gold="tea"),
    )
    task = Task(name="dated", passages=PASSAGES, questions=questions, bare_spans=True)
    row = measured(task, Dated, work=quick)["dates resolved to the right day"]
    assert row["words"].value == pytest.approx(1 / 3)


def test_an_offset_beside_the_answer_is_not_exact(quick):
    class Beside(Words):
        def last_name(self, id_):
            span = super().last_name(id_)
            document, start, end = span.place
            return peers.Span(span.text, span.confidence, (document, start - 1, end - 1))

    assert measured(TASK, Beside, work=quick)["answers with exact offsets"]["words"].value == 0


def test_each_stage_has_a_fresh_process(tmp_path, monkeypatch):
    monkeypatch.setattr(peers, "_reader", lambda work: work)
    monkeypatch.setattr(peers, "run_fresh", lambda _: FreshRun(0, "", "", 0.5, 100.0))
    (result,) = compare(TASK, [Words], work=tmp_path)  # Words sees to it itself
    assert result.asked.peak_mib > 10
    assert result.built.disk_mib > 0
    assert list(tmp_path.iterdir()) == []  # the index is gone


def test_a_system_that_fails_is_named_and_the_others_go_on(quick, capsys):
    results = list(compare(TASK, [Forgetful, Words], work=quick))
    assert [one.system for one in results] == [Words]
    assert "forgetful failed" in capsys.readouterr().err
    assert list(quick.iterdir()) == []


def test_passages_are_those_of_our_index(light, tmp_path):
    long = " ".join(f"Sentence {n} is about the harbour." for n in range(60))
    documents = [
        Document(id="a", source="a", title="Harbour", text=long, published=date(2024, 3, 4)),
        Document(id="b", source="b", title="", text="Short."),
    ]
    found = passages_of("tiny", documents, tmp_path)
    assert len(found) > 2
    assert {p.context for p in found if p.document.id == "a"} == {"Harbour – March 4, 2024"}
    assert all(p.text == p.document.text[p.start : p.end] for p in found)
    assert found[-1].searched == "\nShort."
    assert len({p.id for p in found}) == len(found)


@pytest.fixture
def command(quick, monkeypatch, light):
    monkeypatch.setattr(peers, "sample_task", lambda _: TASK)
    monkeypatch.setattr("eval.peer_systems.SYSTEMS", (Words, Backwards, Absent))
    return lambda *arguments: RUNNER.invoke(
        cli.app, ["peers", "--work", str(quick / "work"), *arguments], terminal_width=200
    )


def test_command_leaves_out_what_is_not_installed(command):
    done = command()
    assert done.exit_code == 0, done.output
    assert "absent is left out: no-such-distribution is not installed" in done.stderr
    assert "pip install 'dateline[peers]'" in done.stderr
    assert "exact match" in done.stdout
    assert "absent" not in done.stdout


def test_command_as_json_and_as_a_report(command, tmp_path):
    done = command("--json", "--report", str(tmp_path / "peers.md"))
    report = json.loads(done.stdout)
    assert report["tables"][0]["columns"] == ["", "words", "backwards"]
    assert report["summary"]["collection"] == "3 documents, 3 passages"
    assert [q["outcomes"]["words"]["score"] for q in report["questions"]] == pytest.approx(
        [1, 2 / 3, 0, 1, 0]
    )
    assert "| exact match | **0.333** | no |" in (tmp_path / "peers.md").read_text()


def test_command_fails_where_a_system_does(command, monkeypatch):
    monkeypatch.setattr("eval.peer_systems.SYSTEMS", (Forgetful, Words))
    done = command()
    assert done.exit_code == 1
    assert "forgetful failed" in done.stderr
    assert "exact match" in done.stdout
    assert "does not say its format" in str(command("--report", "peers.xyz").exception)


def test_command_names_the_systems_it_knows(command):
    done = command("--only", "lucene")
    assert "There is no system 'lucene'" in str(done.exception)
    assert "absent" in str(done.exception)
    only = command("--only", "backwards")
    assert "is left out" not in only.stderr


# The systems themselves, where they are installed.

TEXTS = (
    passage("bridge", "The bridge over the sound was opened by Mayor Ilse Quill on May 4, 2021."),
    passage("talks", "Kim Jong Un met Vladimir Putin at the Vostochny Cosmodrome in September."),
    passage("storm", "The storm tore down nineteen oaks in the park, but nobody was hurt."),
)


@pytest.fixture(scope="module")
def reader_folder(tmp_path_factory):
    from eval.peer_systems.weights import export_reader

    folder = tmp_path_factory.mktemp("weights") / "reader"
    export_reader(folder)
    return folder


def test_the_peers_read_with_our_weights(reader_folder):
    import torch
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer

    from index.inference import OnnxRuntime
    from qa.reader import SHIPPED

    asked = "Who opened the bridge?", TEXTS[0].text
    tokens = AutoTokenizer.from_pretrained(reader_folder)(*asked, return_tensors="pt")
    inputs = {name: values.numpy().astype(np.int64) for name, values in tokens.items()}
    assert inputs["token_type_ids"].any()
    ours = OnnxRuntime(SHIPPED / "model.onnx").run(inputs)
    with torch.inference_mode():
        theirs = AutoModelForQuestionAnswering.from_pretrained(reader_folder)(**tokens)
    for mine, logits in zip(ours, (theirs.start_logits, theirs.end_logits), strict=True):
        np.testing.assert_allclose(mine, logits.numpy(), atol=1e-3)


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)
def test_a_system_finds_answers_and_changes(system, reader_folder, tmp_path):
    from index.embedding import DEFAULT_EMBEDDER, find_model

    if missing := system.missing():
        pytest.skip(f"{', '.join(missing)} is not installed")
    setup = Setup(tmp_path, find_model(DEFAULT_EMBEDDER), reader_folder, bare_spans=True)
    peer = system(setup)
    peer.warm_up()
    peer.index(TEXTS)
    if "disk" not in peer.lacks:
        peer.save()
        peer.close()
        peer = system(setup)
        peer.load()
    try:
        assert peer.search("Who opened the bridge?", 2)[0] == TEXTS[0].id
        if "answers" not in peer.lacks:
            reply = peer.answer("Who opened the bridge?")
            assert reply.spans[0].text == "Mayor Ilse Quill"
            assert [span.text for span in peer.candidates("Who opened the bridge?")][:1] == [
                "Mayor Ilse Quill"
            ]
            assert (reply.spans[0].confidence is None) == ("confidence" in peer.lacks)
        if "offsets" not in peer.lacks:
            document, start, end = reply.spans[0].place
            assert document == TEXTS[0].document.id
            assert TEXTS[0].document.text[start:end] == "Mayor Ilse Quill"
        if system.name in ("Dateline", "txtai"):  # the others never abstain with these passages
            assert peer.answer("Who won the World Cup in 2022?").abstained
            assert peer.candidates("Who won the World Cup in 2022?")
        if "add" not in peer.lacks:
            new = passage("light", "The keeper Zibeth Quarn counted puffins on the rock.")
            peer.add(new)
            assert peer.search("Who counted puffins?", 1) == [new.id]
            peer.remove(new)
            assert new.id not in peer.search("Who counted puffins?", 10)
    finally:
        peer.close()


def test_dateline_does_what_it_is_said_to(tmp_path):
    """What the table claims for Dateline without measuring it there."""
    from eval.answers import sample_index
    from qa import Assistant

    dateline = SYSTEMS[0]
    assert not dateline.lacks
    with sample_index() as (index, _):
        assistant = Assistant(index)
        assert assistant.ask("Who met where and when?").events
        session = assistant.sessions.create()
        first = assistant.ask("Where did Khadrim and Oldacre meet in March 2024?", session=session)
        assert first.answers
        second = assistant.ask("When?", session=session)
        assert "Oldacre" in second.resolved_question
        assert second.answers[0].value is not None
