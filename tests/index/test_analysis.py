import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.analysis import Analyzer, fold
from index.errors import UsageError

words = Analyzer(stem=False, stop_words=False)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", []),
        ("... – !?", []),
        ("Kim's and Kim’s", ["kim", "and", "kim"]),
        ("int’l O'Neill", ["intl", "oneill"]),
        ("the U.S. and the U.N. met", ["the", "us", "and", "the", "un", "met"]),
        ("U.S.-led, U.S", ["us", "led", "us"]),
        ("COVID-19 snake_case", ["covid", "19", "snake", "case"]),
        ("3.5 per cent, 3.5m", ["3.5", "per", "cent", "3.5", "m"]),
        ("1,000 and 1,234,567.89", ["1000", "and", "1234567.89"]),
        ("1,2,3", ["1", "2", "3"]),
        ("13.09.2023 2023-09-13 10:30", ["13", "09", "2023", "2023", "09", "13", "10", "30"]),
        ("end.Begin, kim@example.com", ["end", "begin", "kim", "example", "com"]),
        ("São SÃO Sa\u0303o Łódź straße Ærø", ["sao", "sao", "sao", "lodz", "strasse", "aero"]),
        ("ﬁnance Ｎａｔｏ co\u00adoperate", ["finance", "nato", "cooperate"]),
        ("Άθήνα Москва Ёлка", ["αθηνα", "москва", "елка"]),
        ("习近平 茶", ["习近", "近平", "茶"]),
        ("東京でKimが", ["東京", "京で", "kim", "が"]),
        ("서울에서", ["서울", "울에", "에서"]),
        ("สวัส", ["สว", "วั", "ัส"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
    ],
)
def test_words(text, terms):
    assert words(text) == terms


def test_decomposed_hangul_meets_composed():
    import unicodedata

    assert words(unicodedata.normalize("NFD", "서울에서")) == words("서울에서")


def test_stems_and_stop_words():
    assert Analyzer()("When did the ministers previously meet?") == ["minist", "previous", "meet"]
    assert Analyzer(stem=False)("They didn't, and we’re not.") == []
    assert Analyzer(stop_words=False, stem=False)("the house") == ["the", "house"]


def test_a_stop_word_in_capitals_is_a_name_unless_all_is_in_capitals():
    assert Analyzer()("The WHO told US officials who") == ["who", "told", "us", "offici"]
    assert Analyzer()("WHO WON THE CUP?") == ["won", "cup"]
    assert Analyzer()("WHO") == ["who"]


def test_another_language_has_its_stemmer_and_no_stop_words():
    assert Analyzer(language="german")("die Häuser")[0] == "die"
    with pytest.raises(UsageError, match="klingon"):
        Analyzer(language="klingon")


@given(st.text())
def test_any_text_gives_plain_terms(text):
    for term in words(text):
        assert term
        assert not any(character.isspace() for character in term)


@given(st.text())
def test_folding_twice_changes_nothing_more(text):
    assert fold(fold(text)) == fold(text)


@given(st.lists(st.sampled_from(["Kim's", "U.S.", "São", "3.5", "running", "the", "東京都"])))
def test_words_do_not_depend_on_their_neighbours(tokens):
    alone = [term for token in tokens for term in Analyzer()(token)]
    assert Analyzer()(" ".join(tokens)) == alone


def test_threads_share_an_analyzer():
    texts = [f"running{i} houses{i} meetings{i}" for i in range(300)]
    expected = [[f"running{i}", f"houses{i}", f"meetings{i}"] for i in range(300)]
    results = {}

    def work(name):
        results[name] = [Analyzer()(text) for text in texts]

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(result == expected for result in results.values())
