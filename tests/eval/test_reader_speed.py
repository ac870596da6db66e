"""The shipped engine beside PyTorch: the same weights, and the same logits."""

import json
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from eval import cli
from eval.reader_speed import TOKENS, measure_engines, random_inputs
from eval.torch_reader import TorchEngine, load_folder, load_onnx
from index.errors import ReaderError, UsageError
from qa.reader import SHIPPED, Reader

RUNNER = CliRunner()
TEXT = "Kim Jong-un met the Russian president at the Vostochny Cosmodrome on September 13, 2023."


def counting_engine(name):
    sizes = []

    def run(inputs):
        sizes.append(inputs["input_ids"].shape)
        return []

    return SimpleNamespace(name=name, run=run, sizes=sizes)


def test_engines_are_timed_in_turns():
    one, two = counting_engine("one"), counting_engine("two")
    results = measure_engines([one, two], batches=(1, 3), turns=2, runs=4)
    assert [(r.engine, r.batch) for r in results] == [
        ("one", 1),
        ("one", 3),
        ("two", 1),
        ("two", 3),
    ]
    # At each size: once to prepare, then in each turn once unmeasured and four times measured.
    assert one.sizes.count((3, TOKENS)) == two.sizes.count((1, TOKENS)) == 1 + 2 * 5
    for r in results:
        assert r.runs == 8
        assert 0 < r.latency.p50 <= r.latency.p95
        assert r.per_input == pytest.approx(r.latency.p50 / r.batch)
        assert r.inputs_per_second == pytest.approx(1000 / r.per_input)


def test_inputs_are_full_rows():
    inputs = random_inputs(4)
    assert {values.shape for values in inputs.values()} == {(4, 256)}
    assert inputs["attention_mask"].all()
    assert np.array_equal(inputs["input_ids"], random_inputs(4)["input_ids"])


@pytest.fixture(scope="module")
def shipped_weights():
    return load_onnx(SHIPPED / "model.onnx")


def test_the_shipped_weights_run_in_pytorch(shipped_weights):
    question = "When did Kim meet the Russian president?"
    (ours, *_), (theirs, *_) = (
        reader.read(question, [TEXT])[0]
        for reader in (Reader(), Reader(engine=TorchEngine(shipped_weights)))
    )
    assert (ours.start, ours.end) == (theirs.start, theirs.end)
    assert ours.margin == pytest.approx(theirs.margin, abs=0.5)  # bf16 where there are units
    rough = Reader(engine=TorchEngine(shipped_weights, bf16=True)).read(question, [TEXT])[0][0]
    assert rough.margin == pytest.approx(theirs.margin, abs=0.5)
    assert rough.margin != theirs.margin


def test_a_file_that_pytorch_cannot_run(tmp_path):
    (tmp_path / "model.onnx").write_bytes(b"no model")
    with pytest.raises(ReaderError, match="PyTorch cannot run the weights"):
        load_onnx(tmp_path / "model.onnx")


def test_a_folder_of_hugging_face(tmp_path):
    from transformers import BertConfig, BertForQuestionAnswering

    size = {"hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2}
    made = BertForQuestionAnswering(BertConfig(vocab_size=30522, intermediate_size=8, **size))
    made.half().save_pretrained(tmp_path)
    engine = TorchEngine(load_folder(tmp_path))
    starts, ends = engine.run(random_inputs(2))
    assert engine.name == "torch float32"
    assert starts.shape == ends.shape == (2, 256)
    assert starts.dtype == np.float32
    with pytest.raises(UsageError, match="no model that PyTorch can load"):
        load_folder(tmp_path / "none")


def test_command(monkeypatch, shipped_weights):
    short = partial(measure_engines, batches=(1,), turns=1, runs=1)
    monkeypatch.setattr("eval.reader_speed.measure_engines", short)
    monkeypatch.setattr("eval.torch_reader.load_onnx", lambda _: shipped_weights)
    printed = json.loads(RUNNER.invoke(cli.app, ["reader-speed", "--json"]).stdout)
    names = [r["engine"] for r in printed["results"]]
    assert names[1:] == ["torch float32", "torch bfloat16"]
    assert set(printed["results"][0]["latency"]) == {"p50", "p95"}

    def fails(path):
        raise ReaderError("No such weights.", "Give --torch.")

    monkeypatch.setattr("eval.torch_reader.load_onnx", fails)
    table = RUNNER.invoke(cli.app, ["reader-speed"])
    assert table.exit_code == 0, table.output
    assert "torch" not in table.stdout
    assert "Only" in table.stderr
