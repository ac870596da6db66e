import codecs

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from index.errors import LoadError
from index.loading.common import normalise
from index.loading.encoding import decode, detect_encoding

RUSSIAN = "Президент России встретился с лидером КНДР на космодроме Восточный."
FRENCH = "Le président a déclaré à l’Élysée que les négociations étaient « terminées »."

# Any character but the controls that make text binary and what UTF-8 cannot hold.
TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], include_characters="\t\n\r"), min_size=1
).filter(lambda text: not text.startswith("\ufeff"))


@given(TEXT)
@example("a\r\nb\rc\n")
@example("\u2028\x85 stay")
@example("\U0001f600")
@example("\ufffd")
def test_utf8_round_trip(text):
    assert decode(text.encode(), "f") == text
    assert decode(text.encode("utf-8-sig"), "f") == text


@given(TEXT, st.sampled_from(["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"]))
def test_byte_order_marks(text, encoding):
    marks = {
        "utf-16-le": codecs.BOM_UTF16_LE,
        "utf-16-be": codecs.BOM_UTF16_BE,
        "utf-32-le": codecs.BOM_UTF32_LE,
        "utf-32-be": codecs.BOM_UTF32_BE,
    }
    if encoding == "utf-16-le" and text.startswith("\0"):
        return
    assert decode(marks[encoding] + text.encode(encoding), "f") == text


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_a_mark(encoding):
    assert decode("A headline\n\nAnd text – typographic.".encode(encoding), "f").endswith("phic.")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Café crème à Genève", "latin-1"),
        ("Der Präsident", "latin-1"),
        ("Le café", "latin-1"),
        ("El presidente llegó a la reunión en España, según informó el ministerio.", "latin-1"),
        ("Der Außenminister sagte, die Gespräche würden fortgeführt.", "latin-1"),
        ("The int’l summit – “historic” – was naïve, he said.", "cp1252"),
        (FRENCH, "cp1252"),
        (RUSSIAN, "cp1251"),
        ("Привет мир", "cp1251"),
        (RUSSIAN, "koi8-r"),
        ("Ο πρωθυπουργός συναντήθηκε με τον πρόεδρο στην Αθήνα.", "cp1253"),
        ("Čeští vojáci přijeli do města včera večer, řekl mluvčí.", "cp1250"),
        ("A miniszterelnök kedden találkozott az elnökkel, közölte a szóvivője.", "cp1250"),
        ("Rozmowy dotyczyły współpracy, źródła podały wcześniej, że jesień.", "iso8859-2"),
        ("Lietuvos užsienio reikalų ministerija antradienį iškvietė ambasadorių.", "cp1257"),
        ("Le président a déclaré que les négociations étaient terminées.", "mac-roman"),
        ("Le président a déclaré que les négociations étaient terminées.", "cp850"),
        (
            "Președinte? Preşedintele a declarat că întâlnirea va fi mâine.".replace("ș", "ş"),
            "cp1250",
        ),
        (RUSSIAN.upper(), "cp1251"),
        ("Müller, Ñandú, Gonçalves, Ångström", "cp1252"),
        ("ראש הממשלה נפגש עם נשיא רוסיה ביום שלישי בירושלים.", "cp1255"),
        ("התקיים", "cp1255"),
        ("التقى رئيس الوزراء مع الرئيس الروسي يوم الثلاثاء في القاهرة.", "cp1256"),
        ("韓國外交部週二召見俄羅斯大使，要求停止與北韓的軍事合作。", "big5"),
        ("韓国外務省は火曜日、ロシア大使を呼び出した。", "euc_jp"),
        ("Rozmowy dotyczyły współpracy wojskowej, źródła podały wcześniej.", "cp1250"),
        ("Türkiye Cumhurbaşkanı salı günü İstanbul'da açıklamada bulundu.", "cp1254"),
        ("韓国外務省は火曜日、ロシア大使を呼び出した。", "shift_jis"),
        ("韩国外交部周二召见俄罗斯大使，要求停止与朝鲜的军事合作。", "gb18030"),
        ("한국 외교부는 화요일 러시아 대사를 초치했다고 밝혔다.", "euc_kr"),
    ],
)
def test_detection(text, encoding):
    assert decode(text.encode(encoding), "f") == text


SENTENCES = (
    "Le gouvernement a présenté mercredi un projet de loi sur l'énergie. ",
    "Les négociations ont échoué, a déclaré le ministère à Genève. ",
    "El ministro viajó a España después de la reunión del miércoles. ",
    "Die Gespräche über die Außenpolitik würden nächste Woche fortgeführt. ",
    "The café owner’s naïve résumé – “quite good” – was read. ",
)


@given(st.lists(st.sampled_from(SENTENCES), min_size=1, max_size=8))
def test_western_text_round_trip(sentences):
    text = "".join(sentences)
    assert decode(text.encode("cp1252"), "f") == text


RUSSIAN_SENTENCES = (
    "Правительство представило в среду новый законопроект об энергетике. ",
    "Переговоры завершились без результата, сообщило министерство. ",
    "Посол прибыл в столицу вечером и встретился с журналистами. ",
)


@given(st.lists(st.sampled_from(RUSSIAN_SENTENCES), min_size=1, max_size=8))
def test_russian_text_round_trip(sentences):
    text = "".join(sentences)
    assert decode(text.encode("cp1251"), "f") == text


def test_what_is_declared_settles_what_bytes_cannot():
    assert decode("čeští".encode("cp1250"), "f", "windows-1250") == "čeští"
    assert decode("日本語".encode("iso-2022-jp"), "f", "iso-2022-jp") == "日本語"
    assert decode("“x”".encode("cp1252"), "f", "iso-8859-1") == "“x”"  # as browsers read it


@pytest.mark.parametrize("declared", ["latin-1", "no-such-charset", "", "rot13", "utf-16", "idna"])
def test_a_wrong_declaration_is_ignored(declared):
    assert decode("“naïve” Überraschung".encode(), "f", declared) == "“naïve” Überraschung"


def test_a_few_damaged_bytes_do_not_turn_utf8_into_another_encoding():
    data = (FRENCH * 5).encode()
    assert decode(data + b"\xff" + data, "f") == f"{FRENCH * 5}\ufffd{FRENCH * 5}"
    assert decode((RUSSIAN * 3).encode()[:-1], "f").startswith(RUSSIAN)


@pytest.mark.parametrize(
    "data",
    [
        b"abc\0def",
        b"PK\x03\x04 and so on",
        b"\x89PNG\r\n\x1a\n",
        b"%PDF-1.7 renamed",
        b"\x7fELF\x02\x01",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"text \x01\x02\x03\x04 \x05\x06",
        codecs.BOM_UTF16_LE + bytes([1, 0, 2, 0, 0, 0xD8]) * 50,
    ],
)
def test_binary_is_refused(data):
    with pytest.raises(LoadError, match="looks like a binary file"):
        decode(data, "f")


def test_the_undecidable_is_refused():
    with pytest.raises(LoadError, match="encoding"):
        decode(bytes(range(128, 256)) * 20, "f")


@given(st.binary(max_size=300))
def test_any_bytes_are_text_or_a_load_error(data):
    try:
        assert isinstance(decode(data, "f"), str)
    except LoadError as error:
        assert error.next_step


def test_a_long_file_is_judged_by_all_of_it(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"plain ascii line\n" * 100_000 + (FRENCH + "\n").encode("cp1252") * 20)
    encoding, errors = detect_encoding(path, "f")
    assert path.read_bytes().decode(encoding, errors).endswith(FRENCH + "\n")
    path.write_bytes(b"plain ascii line\n" * 100_000 + "é".encode() * 9)
    assert detect_encoding(path, "f")[0] == "utf-8"
    path.write_bytes(b"plain ascii line\n" * 100_000 + b"\0")
    with pytest.raises(LoadError, match="binary"):
        detect_encoding(path, "f")


def test_a_character_cut_by_the_block_is_whole(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(b"x" * ((1 << 20) - 1) + "é".encode() * 10)
    assert detect_encoding(path, "f") == ("utf-8", "replace")


@given(st.text())
@example("\ufeff\ufeff\r\r\n\0\ud800")
def test_normalise(text):
    once = normalise(text)
    assert normalise(once) == once
    assert not set(once) & {"\r", "\0"}
    once.encode("utf-8")


@given(TEXT.filter(lambda text: "\r" not in text), st.sampled_from(["\r\n", "\r", "\n"]))
def test_only_line_endings_change(text, ending):
    assert normalise(text.replace("\n", ending)) == text
