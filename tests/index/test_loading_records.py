"""JSON, JSON Lines and CSV: many documents in one file."""

import json
import tracemalloc
from datetime import date

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.document import document_id
from index.errors import LoadError
from index.loading import FieldMap, load_file


@pytest.fixture
def load(tmp_path):
    """Writes a file of the given name; returns its documents and the errors reported."""

    def load_(name, content, fields=None):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        errors = []
        documents = list(load_file(path, name, fields or FieldMap(), errors.append))
        return documents, errors

    return load_


def test_jsonl(load):
    documents, errors = load(
        "a.jsonl",
        '{"id": "x1", "title": "One", "text": "First.\\r\\nText", "date": "2023-09-19T23:00:00Z",'
        ' "url": "https://example.org", "lang": "en-US", "rank": 0, "tags": ["a", "b"],'
        ' "nested": {"a": 1}, "none": null}\n\n{"text": "Second."}\n',
    )
    assert not errors
    one, two = documents
    assert (one.source, one.id) == ("a.jsonl#x1", document_id("a.jsonl#x1"))
    assert (one.title, one.text, one.language) == ("One", "First.\nText", "en")
    assert one.published == date(2023, 9, 19)
    assert one.metadata == {
        "url": "https://example.org",
        "date": "2023-09-19T23:00:00Z",
        "date_from": "field",
        "lang": "en-US",
        "rank": 0,
        "tags": ["a", "b"],
    }
    assert (two.source, two.title) == ("a.jsonl#3", "a #3")


def test_metadata_that_equals_a_mapped_value_is_kept(load):
    [document], _ = load("a.json", '{"id": 3, "count": 3, "text": "x", "title": "y", "alt": "y"}')
    assert document.metadata == {"count": 3, "alt": "y"}


def test_one_bad_line_does_not_lose_the_others(load):
    lines = [json.dumps({"text": f"Document {n}."}) for n in range(1, 8)]
    lines[0] = "not json"
    lines[2] = '{"text": ""}'
    lines[3] = "[1, 2]"
    lines[5] = '{"title": "without text"}'
    documents, errors = load("a.jsonl", "\n".join(lines))
    assert [document.source for document in documents] == ["a.jsonl#2", "a.jsonl#5", "a.jsonl#7"]
    assert [error.problem.split(" (")[0] for error in errors] == [
        "a.jsonl, line 1, is not valid JSON",
        "a.jsonl#3 has no text.",
        "a.jsonl, line 4, is not an object with fields.",
        "a.jsonl#6 has no text.",
    ]


def test_without_a_listener_the_first_bad_record_is_raised(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a"}\nnot json\n{"text": "b"}\n')
    documents = load_file(path, "a.jsonl")
    assert next(documents).text == "a"
    with pytest.raises(LoadError, match="line 2"):
        next(documents)


def test_records_that_share_an_id_do_not_replace_each_other(load):
    documents, _ = load("a.jsonl", '{"id": 2, "text": "a"}\n{"text": "b"}\n{"id": 2, "text": "c"}')
    assert [document.source for document in documents] == [
        "a.jsonl#2",
        "a.jsonl#2@2",
        "a.jsonl#2@3",
    ]
    assert len({document.id for document in documents}) == 3


@pytest.mark.parametrize(
    "content",
    [
        '[{"text": "a"}, {"text": "b"}]',
        '{"documents": [{"text": "a"}, {"text": "b"}]}',
        '{"version": 1, "tags": ["x"], "data": [{"text": "a"}, {"text": "b"}]}',
        '{"text": "a"}\n{"text": "b"}\n',
    ],
)
def test_json_shapes(load, content):
    documents, errors = load("a.json", content)
    assert [(document.source, document.text) for document in documents] == [
        ("a.json#1", "a"),
        ("a.json#2", "b"),
    ]
    assert not errors


def test_a_single_object_is_the_file_itself(load):
    [document], _ = load("a.json", '{"headline": "T", "body": "Text.", "score": NaN}')
    assert (document.source, document.title, document.metadata) == ("a.json", "T", {})


@pytest.mark.parametrize(
    "record",
    [
        {"_id": "q", "content": "Words.", "headline": "T", "published_at": "2023-09-05"},
        {"ID": "q", "Text": "Words.", "Title": "T", "DATE": "5 September 2023"},
        {"id": "q", "article": "Words.", "name": "T", "timestamp": 1693872000},
        {"id": "q", "text": None, "contents": "Words.", "title": "T", "pubDate": "20230905"},
    ],
)
def test_common_other_names(load, record):
    [document], _ = load("a.jsonl", json.dumps(record))
    assert (document.source, document.text, document.title, document.published) == (
        "a.jsonl#q",
        "Words.",
        "T",
        date(2023, 9, 5),
    )


def test_fields_are_mapped_also_into_nested_objects(load):
    record = {
        "text": "not this",
        "doc": {"main": "Words."},
        "a.b": "T",
        "meta": {"on": "2023-09-05"},
    }
    fields = FieldMap(text="doc.main", title="a.b", date="meta.on")
    [document], _ = load("a.jsonl", json.dumps(record), fields)
    assert (document.text, document.title) == ("Words.", "T")
    assert document.published == date(2023, 9, 5)
    assert document.metadata["text"] == "not this"


def test_a_mapped_name_is_taken_at_its_word(load):
    with pytest.raises(LoadError, match=r"no text field.*body.*--text-field"):
        load("a.jsonl", '{"body": "Words."}\n', FieldMap(text="story"))


def test_a_date_that_cannot_be_read_stays_as_metadata(load):
    [document], _ = load("a.jsonl", '{"text": "Words.", "date": "03/04/2023"}')
    assert (document.published, document.metadata) == (None, {"date": "03/04/2023"})


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.json", "{", "not valid JSON"),
        ("a.json", "[" * 100_000, "not usable JSON"),
        ("a.json", '"text"', "not an object"),
        ("a.json", "[]", "holds no records"),
        ("a.json", '["a", "b"]', "no usable record among 2"),
        ("a.json", '[{"foo": "x"}, {"bar": "y"}]', "the fields it has are: bar, foo"),
        ("a.jsonl", "x\ny\n", "no usable line among 2"),
        ("a.jsonl", "x\n" * 5000, "no usable line among 1000"),
        ("a.csv", "a,b\n1,2\n", "the fields it has are: a, b"),
        ("a.csv", "Kim met Putin,2023\nThey talked,2023\n", "no text field"),
        ("a.csv", "text,b\n", "holds no records"),
        ("a.csv", 'text\n"unclosed\nrest\n', "not valid CSV"),
    ],
)
def test_files_without_a_usable_record(load, name, content, reason):
    with pytest.raises(LoadError, match=reason) as caught:
        load(name, content)
    assert caught.value.next_step


def test_odd_characters_in_json_can_be_stored(load):
    [document], _ = load("a.jsonl", '{"text": "a\\u0000b\\ud800c"}')
    assert document.text == "ab\ufffdc"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.csv"])
def test_encodings(load, name, encoding):
    text = "Le président a déclaré à l’Élysée"
    content = (
        f"text\n{text}\n" if name == "a.csv" else json.dumps({"text": text}, ensure_ascii=False)
    )
    [document], _ = load(name, content.encode(encoding))
    assert document.text == text


def test_csv(load):
    documents, errors = load(
        "a.csv",
        'Title;Text;Date;kind\r\nOne;"First; ""quoted""\r\nline";2023-09-05;news\r\n'
        "Two;too;many;cells;here\r\nThree;Third.\r\n",
    )
    assert [(d.source, d.title, d.text) for d in documents] == [
        ("a.csv#1", "One", 'First; "quoted"\nline'),
        ("a.csv#3", "Three", "Third."),
    ]
    assert documents[0].published == date(2023, 9, 5)
    assert documents[0].metadata["kind"] == "news"
    assert [error.problem for error in errors] == [
        "a.csv, row 2, has 5 cells where the header has 4."
    ]


def test_a_bad_row_does_not_lose_the_next(load):
    documents, errors = load("a.csv", 'text,b\n"a"b,c\nWords.,d\n')
    assert [document.source for document in documents] == ["a.csv#2"]
    assert "row 1, is not valid CSV" in errors[0].problem


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters(load, delimiter):
    rows = ["id,text,note", "1,Some words; and | more,x"]
    content = "\n".join(rows).replace(",", delimiter)
    if delimiter in ";|":
        content = content.replace("Some words", '"Some words').replace("more", 'more"')
    [document], _ = load("a.tsv", content)
    assert document.text == "Some words; and | more"


def test_long_cells(load):
    [document], _ = load("a.csv", f"text\n{'word ' * 100_000}\n")
    assert len(document.text) == 500_000


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1), min_size=1))
def test_every_jsonl_text_comes_back_verbatim(load, texts):
    texts = [f"x{text}" for text in texts]
    lines = [json.dumps({"text": text}, ensure_ascii=False) for text in texts]
    documents, _ = load("a.jsonl", "\n".join(lines))
    assert [document.text for document in documents] == texts


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
def test_records_are_streamed(tmp_path, name):
    text = "word " * 2_000
    line = json.dumps({"text": text}) if name == "a.jsonl" else text
    (tmp_path / name).write_text("text\n" * (name == "a.csv") + f"{line}\n" * 2_000)
    tracemalloc.start()
    count = sum(1 for _ in load_file(tmp_path / name, name))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 2_000
    assert peak < 12 << 20  # the file has 20 MB


@pytest.mark.parametrize("number", ["1e999", "-1e999", "NaN", "Infinity", "-Infinity"])
def test_numbers_that_json_cannot_hold_are_dropped(load, number):
    record = f'{{"text": "x", "x": {number}, "list": [1, {number}], "y": 1.5e3}}'
    for name in ("a.json", "a.jsonl"):
        [document], _ = load(name, record)
        assert document.metadata == {"y": 1500.0}
        json.dumps(dict(document.metadata), allow_nan=False)


@pytest.mark.parametrize("content", ["", "\n\n", ",,\n", "title,text\n"])
def test_an_empty_csv_is_called_empty(load, content):
    with pytest.raises(LoadError, match=r"a\.csv is empty"):
        load("a.csv", content)


def test_blank_rows_above_the_header_of_a_csv(load):
    [document], _ = load("a.csv", "\n;\ntitle;text\nOne;First, and last.\n")
    assert (document.source, document.text) == ("a.csv#1", "First, and last.")
