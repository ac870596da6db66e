"""Configuration files: what they may say, and what is said of one that is wrong."""

from dataclasses import replace

import pytest

from eval.configurations import (
    Configuration,
    bundled_configurations,
    load_configurations,
    selected,
)
from index import IndexSettings
from index.errors import UsageError


@pytest.fixture
def load(tmp_path):
    def loaded(text):
        path = tmp_path / "some.toml"
        path.write_text(text, encoding="utf-8")
        return load_configurations(path)

    return loaded


def test_a_configuration_has_its_own_settings_then_the_defaults_then_the_products(load):
    found = load(
        """
        [defaults]
        depth = 50
        chunk_tokens = 64
        overlap = 16

        [configurations.lexical]
        mode = "bm25"
        b = 1
        overlap = 0

        [configurations."with a space"]
        """
    )
    assert list(found) == ["lexical", "with a space"]
    assert found["lexical"] == Configuration(
        name="lexical",
        mode="bm25",
        depth=50,
        settings=IndexSettings(chunk_tokens=64, overlap=0, b=1.0),
    )
    assert found["with a space"].mode == "hybrid"
    assert found["with a space"].settings == IndexSettings(chunk_tokens=64, overlap=16)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[configurations.a]\nmdoe = 'bm25'", r"line 2: 'mdoe' is not known. Did you mean 'mode'"),
        ("[configurations.a]\n\n'fuson' = 'rrf'", r"line 3: 'fuson' .* Did you mean 'fusion'"),
        (
            "[configurations.a]\n[configurations.b]\nzzz = 1",
            r"line 3: 'zzz' is not known. What",
        ),
        ("[configurations.a]\n[configurations.a.more]\nx = 1", "line 2: 'more' is not known"),
        ("[default]\n[configurations.a]", r"line 1: 'default' .* Did you mean 'defaults'"),
        ("[configurations.a]\nmode = 'bm52'", r"line 2: there is no mode 'bm52'. Use one of"),
        ("[configurations.a]\nfusion = 'sum'", r"line 1: There is no fusion 'sum'"),
        ("[configurations.a]\nchunk_tokens = '64'", r"line 2: chunk_tokens is '64', wanted a wh"),
        ("[configurations.a]\nchunk_tokens = 64.0", r"line 2: .* wanted a whole number"),
        ("[configurations.a]\nstem = 1", r"line 2: stem is 1, wanted true or false"),
        ("[configurations.a]\nk1 = true", r"line 2: k1 is True, wanted a number"),
        ("[configurations.a]\ndepth = 0", r"line 2: depth is less than 1"),
        ("[configurations.a]\ndense_weight = 2", r"line 1: The dense weight"),
        ("[configurations.a]\nreader = 'none'", r"line 2: there is no folder .*none of a reader"),
        ("[configurations.a]\nthreshold = 2", r"line 1: threshold is 2"),
        ("[configurations.a]\npassages = 0", r"line 1: passages is 0"),
        ("[configurations.a]\nembedder = 'none'", r"line 1: There is no embedding model 'none'"),
        ("[defaults]\nmode = 1\n[configurations.a]", r"line 2: mode is 1, wanted a text"),
        ("[configurations]\na = 1", r"line 2: a is not a table"),
        ("defaults = 1\n[configurations.a]", r"line 1: defaults is not a table"),
        ("configurations = 1", r"line 1: configurations is not a table"),
        ("[configurations.'a/b']", r"line 1: the name 'a/b'"),
        ("", "has no configuration"),
        ("[configurations.a]\nmode = \n", r"is not TOML: .*line 2"),
        ("[configurations.a]\nmode = 'bm25'\nmode = 'bm25'\n", r"is not TOML: .*line 3"),
    ],
)
def test_what_is_not_understood_is_refused_with_its_line(load, text, message):
    with pytest.raises(UsageError, match=message):
        load(text)


def test_a_line_that_cannot_be_told_leaves_the_table(load):
    with pytest.raises(UsageError, match=r"\[configurations.a\]: 'x' is not known"):
        load("configurations = {a = {x = 1}}")


def test_a_file_that_is_not_there_or_not_text(tmp_path):
    with pytest.raises(UsageError, match=r"none.toml cannot be read"):
        load_configurations(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="is not TOML"):
        load_configurations(tmp_path / "bytes.toml")


def test_an_embedders_folder_is_looked_for_from_the_file(tmp_path, monkeypatch):
    (tmp_path / "files" / "model").mkdir(parents=True)
    path = tmp_path / "files" / "some.toml"
    path.write_text("[configurations.a]\nembedder = 'model'")
    monkeypatch.chdir(tmp_path)
    assert load_configurations(path)["a"].settings.embedder == str(path.parent / "model")


def test_what_is_about_answering(load, tmp_path):
    (tmp_path / "mine").mkdir()
    found = load(
        """
        [defaults]
        passages = 5
        [configurations.a]
        reader = "mine"
        threshold = 1
        explain = true
        [configurations.b]
        """
    )
    a, b = found.values()
    assert (a.passages, a.reader, a.threshold, a.explain) == (5, tmp_path / "mine", 1, True)
    assert (b.passages, b.reader, b.threshold, b.explain) == (5, None, None, False)
    assert a.described() == b.described()  # the same ranking


@pytest.mark.parametrize("file", ["configurations.toml", "answers.toml"])
def test_the_bundled_ones_begin_with_what_the_product_does(file):
    found = bundled_configurations(file)
    assert len(found) >= 10
    first, *others = (replace(each, name="") for each in found.values())
    assert first == Configuration(name="")
    assert first not in others
    assert all(others.count(other) == 1 for other in others)


def test_some_are_chosen_in_their_own_order():
    found = bundled_configurations()
    assert list(selected(found, ["bm25", "hybrid"])) == ["hybrid", "bm25"]
    with pytest.raises(UsageError, match=r"no configuration 'bm52'. Did you mean 'bm25'"):
        selected(found, ["bm52"])
