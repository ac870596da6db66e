"""What training promises: spans survive every change, and a run can be stopped and taken up."""

import gzip
import json
import random
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer
from transformers import (
    BertConfig,
    BertForQuestionAnswering,
    MPNetConfig,
    MPNetForQuestionAnswering,
)

from index.dating import find_dateline
from index.embedding import DEFAULT_EMBEDDER, find_model
from qa.training import distil as distil_module
from qa.training import train as training_module
from qa.training.calibrate import _logistic
from qa.training.distil import Distillation, translation
from qa.training.examples import SOURCES, Corpus, Example, cut, is_held_out, load
from qa.training.features import MAX_TOKENS, SPECIAL, batches, collate, featurise
from qa.training.framing import framed
from qa.training.negatives import with_unanswerable
from qa.training.perturbation import OPPOSITES, Perturbation, noisy
from qa.training.scoring import word_f1
from qa.training.train import READER, START, TEACHER, Recipe, Stage, Training
from qa.training.unseen import Unseen
from qa.training.words import another_word, content_words

WORDS = "river harbour minister signed treaty opened bridge Lisbon Porto Maria Silva 1974 2,500"
PASSAGE = (
    "Maria Silva opened the largest bridge in Lisbon on 4 May 1974. The mayor of Porto, Rui Costa, "
    "stayed away. It cost 2,500 escudos before the war. Nobody lived in the northern harbour."
)


def example(question="Who opened the largest bridge in Lisbon in 1974?", answer="Maria Silva"):
    start = PASSAGE.index(answer)
    return Example("1", "test", "a", PASSAGE, question, ((start, start + len(answer)),))


def answers_of(some):
    return [some.context[start:end] for start, end in some.answers]


def other_examples():
    return [
        example("Who stayed away with Jorge Sampaio?", "Rui Costa"),
        example("What did Rui Costa of Porto do?", "stayed away"),
    ]


@given(st.integers(0, 10_000))
def test_a_changed_example_keeps_its_answer(seed):
    perturbation = Perturbation([example(), *other_examples()])
    changed = perturbation.consistent(example(), random.Random(seed))
    if changed:
        assert answers_of(changed) == ["Maria Silva"]
        assert changed.question != example().question
        assert changed.context != PASSAGE


@given(st.integers(0, 10_000))
def test_an_unanswerable_question_differs_from_the_answerable_one(seed):
    perturbation = Perturbation([example(), *other_examples()])
    made = perturbation.unanswerable(example(), random.Random(seed))
    if made:
        assert made.answers == ()
        assert made.question != example().question or "Maria Silva" not in made.context


def test_every_kind_of_unanswerable_question_comes_up():
    perturbation = Perturbation([example(), *other_examples()])
    made = {perturbation.unanswerable(example(), random.Random(seed)) for seed in range(300)} - {
        None
    }
    asked = " ".join(some.question for some in made)
    assert "Who never opened" in asked
    assert "smallest" in asked
    assert any(name in asked for name in ("Porto", "Rui Costa"))
    assert any(some.context != PASSAGE for some in made)
    assert len({some.question for some in made}) > 5


def test_a_word_is_exchanged_for_another_of_its_kind_that_means_something_else():
    question = "Who signed the treaty about the harbour?"
    others = content_words("The ministers opened bridges. A pact about a river was damaged.")
    changes = {another_word(question, others, random.Random(seed)) for seed in range(50)}
    assert changes
    tags = {word.word: word.tag for word in (*content_words(question), *others)}
    for old, new in changes:
        assert old in question
        assert new not in question
        assert tags[old] == tags[new]
    assert ("treaty", "pact") not in changes  # means the same
    assert another_word(question, (), random.Random(1)) is None


def test_the_word_that_says_what_is_asked_for_stays():
    others = content_words("A river and a harbour near the village.")
    assert another_word("Which city?", others, random.Random(1)) is None


def test_unseen_kinds_ask_what_the_passage_does_not_say():
    asked = [
        "Which minister stayed away from the ceremony in 1981?",
        "Who praised the new railway?",
    ]
    others = [replace(example(), context="Elsewhere.", question=question) for question in asked]
    unseen = Unseen([example(), *others])
    of_passage, words, circumstances = (
        {kind(example(), random.Random(seed)) for seed in range(60)} - {None}
        for kind in (unseen.passage_word, unseen.word, unseen.circumstance)
    )
    for made in of_passage | words | circumstances:
        assert made.answers == ()
        assert made.context == PASSAGE
    here = {word.word for word in content_words(PASSAGE)}
    for made in of_passage:
        assert made.question != example().question
        assert {word.word for word in content_words(made.question)} <= here
    assert of_passage
    assert any("ceremony" in made.question or "railway" in made.question for made in words)
    assert {made.question for made in circumstances} <= {
        "Who opened the largest bridge in Lisbon in 1974 from the ceremony?",
        "Who opened the largest bridge in Lisbon in 1974 in 1981?",
    }
    assert circumstances


def test_opposites_go_both_ways():
    assert "smallest" in OPPOSITES["largest"]
    assert "largest" in OPPOSITES["smallest"]


@given(st.lists(st.sampled_from(WORDS.split()), min_size=2, max_size=900), st.integers(0, 99))
def test_a_cut_passage_holds_an_answer_whole(words, seed):
    context = ". ".join(words)
    dice = random.Random(seed)
    at = dice.randrange(len(words))
    start = sum(len(word) + 2 for word in words[:at])
    whole = Example("1", "t", "g", context, "What?", ((start, start + len(words[at])),))
    assert words[at] in answers_of(cut(whole, dice))


@given(st.integers(0, 10_000))
def test_a_title_or_dateline_moves_the_answer_with_it(seed):
    plain = replace(example(), group="Maria_Silva")
    made = framed(plain, random.Random(seed))
    assert answers_of(made) == ["Maria Silva"]
    assert made.context.endswith(PASSAGE)


def test_titles_and_datelines_come_up():
    plain = replace(example(), group="Maria_Silva")
    heads = {
        framed(plain, random.Random(seed)).context.removesuffix(PASSAGE) for seed in range(200)
    }
    assert "" in heads
    assert "Maria Silva\n\n" in heads
    assert any(find_dateline(head + PASSAGE) for head in heads)
    other = replace(example(), group="Filtered_Comments")  # no name of what the text is about
    assert not any("\n" in framed(other, random.Random(seed)).context for seed in range(50))


@given(st.text(max_size=80), st.integers(0, 99))
def test_noise_is_small(question, seed):
    made = noisy(question, random.Random(seed))
    assert abs(len(made) - len(question)) <= len(question) - len(question.rstrip("?.! ")) + 1


def tokenizer(folder=None):
    made = Tokenizer.from_file(str((folder or find_model(DEFAULT_EMBEDDER)) / "tokenizer.json"))
    made.no_truncation()
    made.no_padding()
    return made


@given(st.lists(st.sampled_from(WORDS.split()), min_size=1, max_size=700), st.integers(0, 99))
def test_target_tokens_are_the_answer(words, seed):
    context = " ".join(words)
    dice = random.Random(seed)
    at = dice.randrange(len(words))
    start = sum(len(word) + 1 for word in words[:at])
    made = Example("1", "t", "g", context, "Who signed it?", ((start, start + len(words[at])),))
    encoder = tokenizer()
    (feature,) = featurise([made], encoder, dice)
    ((first, last),) = feature.targets
    assert encoder.decode(feature.ids[first : last + 1]).replace(" ", "") == words[at].lower()
    assert len(feature.ids) <= MAX_TOKENS
    assert first >= feature.passage


def test_batches_hold_everything_once_and_targets_are_distributions():
    examples = [example(), *other_examples()] * 20
    examples += with_unanswerable(examples, 0.5, random.Random(3))
    features = featurise(examples, tokenizer(), random.Random(0))
    seen = 0
    for group in batches(features, 8, random.Random(1)):
        batch = collate(group)
        seen += len(group)
        assert batch.starts.sum(1) == pytest.approx(1)
        assert batch.ends.sum(1) == pytest.approx(1)
        assert (batch.starts > 0).astype(int).max(1).all()
        assert batch.readable[batch.starts > 0].all()
    assert seen == len(features)
    assert any(feature.targets == ((0, 0),) for feature in features)


def test_word_f1():
    assert word_f1("the Maria Silva", ["Maria Silva"]) == 1
    assert word_f1("Silva", ["Maria Silva"]) == pytest.approx(2 / 3)
    assert word_f1("Porto", ["Maria Silva"]) == 0
    assert word_f1("Porto", []) == 0


def test_nothing_speaks_against_an_answer_in_its_confidence():
    dice = np.random.default_rng(0)
    x = dice.normal(size=(600, 3))
    right = (x[:, 0] - x[:, 1] + dice.logistic(size=600) > 0.5).astype(float)
    weights, bias = _logistic(x, right)
    assert weights[1] == 0, "it speaks against, and is left out"
    assert 0.4 < weights[0] < 1.2
    assert 0 <= weights[2] < 0.3
    assert bias < 0


@pytest.fixture
def data(tmp_path):
    """A folder with a few examples of every source."""
    folder = tmp_path / "data"
    folder.mkdir()
    for source in SOURCES:
        rows = []
        for number in range(14):
            some = [example(), *other_examples()][number % 3]
            start, end = some.answers[0]
            row = {
                "id": f"{source.name}-{number}",
                "title": f"Wiki1k:wikinews:{number % 12}:{number}:1",
                "context": f"{number}. {some.context}",
                "question": some.question,
                "answers": [{"text": some.context[start:end], "start": start + len(f"{number}. ")}],
                "is_impossible": False,
            }
            rows.append(json.dumps(row))
        with gzip.open(folder / f"{source.name}.jsonl.gz", "wt", encoding="utf-8") as file:
            file.write("\n".join(rows))
    return folder


def test_held_out_articles_are_in_no_epoch(data):
    corpus = Corpus(data)
    kept = {e.group for examples in corpus.held_out.values() for e in examples}
    used = {
        e.group
        for kind in ("sentence", "passage", "core")
        for e in corpus.epoch(kind, random.Random())
    }
    assert used
    assert not used & kept
    assert all(is_held_out(e) for examples in corpus.held_out.values() for e in examples)


def test_a_sentence_among_its_neighbours_keeps_its_answers(data):
    corpus = Corpus(data)
    for some in corpus.examples["qamr_dev"]:
        composed = corpus.composed(some, random.Random(0))
        assert answers_of(composed) == answers_of(some)


def test_loaded_answers_carry_no_white_space(tmp_path):
    row = {
        "id": 1, "title": "", "context": " a b ", "question": "?",
        "answers": [{"text": " b ", "start": 2}], "is_impossible": False,
    }  # fmt: skip
    path = tmp_path / "x.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write(json.dumps(row))
    assert answers_of(load(path)[0]) == ["b"]


@pytest.fixture
def backbone(tmp_path):
    """A model of a few thousand parameters with the real tokenizer."""
    folder = tmp_path / "backbone"
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=30522, hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, max_position_embeddings=512,
    )  # fmt: skip
    BertForQuestionAnswering(config).save_pretrained(folder)
    shutil.copyfile(find_model(DEFAULT_EMBEDDER) / "tokenizer.json", folder / "tokenizer.json")
    return folder


@pytest.fixture
def teacher(tmp_path):
    """A small MPNet, which has BERT's word pieces under other ids and special tokens of its own."""
    folder = tmp_path / "teacher"
    torch.manual_seed(1)
    config = MPNetConfig(
        vocab_size=30527, hidden_size=8, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, max_position_embeddings=514, initializer_range=1.0,
    )  # fmt: skip
    MPNetForQuestionAnswering(config).save_pretrained(folder)
    made = json.loads((find_model(DEFAULT_EMBEDDER) / "tokenizer.json").read_text("utf-8"))
    words = {token: number + 4 for token, number in made["model"]["vocab"].items()}
    special = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "<mask>": 30526}
    made["model"] |= {"vocab": special | words, "unk_token": "<unk>"}
    made["added_tokens"] = []
    made["post_processor"] = None
    (folder / "tokenizer.json").write_text(json.dumps(made))
    return folder


RECIPE = Recipe(
    (Stage("sentence", 1, 16, 1e-3, 5e-4), Stage("passage", 2, 16, 1e-3, 0.0, 0.5)),
    averaged=(START, 0, 1),
)


@pytest.mark.parametrize("taught", [False, True])
def test_a_stopped_run_ends_with_the_weights_of_one_that_was_not(  # noqa: PLR0917
    taught, data, backbone, teacher, tmp_path, monkeypatch
):
    monkeypatch.setattr(training_module, "SAVE_SECONDS", 0)

    def trained(work, stop_at=None):
        if taught:
            run = Distillation(data, work, backbone, teacher, RECIPE)
        else:
            run = Training(data, work, backbone, RECIPE)
        if stop_at:
            learn, steps = run._learn, iter(range(stop_at))

            def interrupted(batch):
                if next(steps, None) is None:
                    raise KeyboardInterrupt
                return learn(batch)

            run._learn = interrupted
        run.run()
        return run.model.state_dict()

    whole = trained(tmp_path / "whole")
    for stop_at in (3, 10):
        with pytest.raises(KeyboardInterrupt):
            trained(tmp_path / "stopped", stop_at)
    resumed = trained(tmp_path / "stopped")
    kept = [torch.load(tmp_path / "whole" / f"epoch-{n}.pt", weights_only=True) for n in (-1, 0, 1)]
    for name, weights in whole.items():
        assert torch.allclose(weights, sum(k[name] for k in kept) / 3), "the mean of all"
        assert torch.equal(weights, resumed[name]), name
    assert (tmp_path / "stopped" / "model" / "model.safetensors").exists()
    assert (tmp_path / "stopped" / "model" / "tokenizer.json").exists()


def test_a_student_comes_to_read_as_its_teacher_does(
    data, backbone, teacher, tmp_path, monkeypatch
):
    monkeypatch.setattr(distil_module, "TAUGHT", 1.0)
    run = Distillation(data, tmp_path / "work", backbone, teacher, RECIPE)
    for group in run.optimizer.param_groups:
        group["lr"] = 1e-2
    examples = with_unanswerable([example(), *other_examples()], 0.5, random.Random(3))
    batch = collate(featurise(examples, run.tokenizer, random.Random(0)))

    answerable = torch.from_numpy(batch.starts[:, 0] == 0)

    def distance():
        run.model.eval()
        with torch.no_grad():
            own = torch.log_softmax(run._logits(batch)[0][:, 1:], -1)[answerable]
        theirs = torch.log_softmax(run._teacher.spans(batch)[0], -1)[answerable]
        return float(torch.nn.functional.kl_div(own, theirs, log_target=True, reduction="sum"))

    before = distance()
    run.model.train()
    for _ in range(60):
        run._learn(batch)
    assert distance() < 0.5 * before


def test_the_teacher_does_not_say_whether_there_is_an_answer(
    data, backbone, teacher, tmp_path, monkeypatch
):
    monkeypatch.setattr(distil_module, "TAUGHT", 1.0)
    run = Distillation(data, tmp_path / "work", backbone, teacher, RECIPE)
    unanswerable = [replace(example(), answers=())]
    assert run._loss(collate(featurise(unanswerable, run.tokenizer, random.Random(0)))) == 0
    answerable = collate(featurise([example()], run.tokenizer, random.Random(0)))
    assert run._loss(answerable) > 0
    spans = run._teacher.spans(answerable)[0]
    assert spans.shape[1] == answerable.ids.shape[1] - 1
    assert (spans[~torch.from_numpy(answerable.readable[:, 1:])] < -1e3).all()


def test_the_words_of_a_question_are_the_same_to_student_and_teacher(teacher):
    own, theirs = tokenizer(), tokenizer(teacher)
    ids = translation(own, theirs)
    asked = "Who opened the Vasco da Gama bridge?"
    read_by_student = own.encode(asked, add_special_tokens=False).ids
    read_by_teacher = theirs.encode(asked, add_special_tokens=False).ids
    assert list(ids[read_by_student]) == read_by_teacher
    for name, other in SPECIAL.items():
        assert ids[own.token_to_id(name)] == theirs.token_to_id(other)
    (feature,) = featurise([example()], theirs, random.Random(0))
    assert (feature.ids[0], feature.ids[feature.passage - 1], feature.ids[-1]) == (0, 2, 2)


def test_a_teacher_of_other_word_pieces_is_refused(teacher):
    made = json.loads((teacher / "tokenizer.json").read_text("utf-8"))
    del made["model"]["vocab"]["bridge"]
    with pytest.raises(ValueError, match="bridge"):
        translation(tokenizer(), Tokenizer.from_str(json.dumps(made)))


@pytest.mark.parametrize("recipe", [READER, TEACHER, distil_module.DISTILLED])
def test_a_recipe_averages_epochs_that_there_are(recipe):
    assert all(START <= epoch < recipe.stages[-1].epochs for epoch in recipe.averaged)
