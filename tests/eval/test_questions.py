"""One's own questions: YAML, JSON Lines and CSV say the same, and errors say where."""

import csv
import json

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.questions import FIELDS, GoldQuestion, bundled_questions, read_questions
from index.errors import LoadError, UsageError

# What every one of the formats can hold; YAML has no other control characters.
texts = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\x85\ufeff"),
    max_size=20,
).map(lambda text: " ".join(text.split()))
words = texts.filter(bool)
records = st.builds(
    lambda question, answers, unanswerable, **rest: {
        "question": question,
        **({"unanswerable": True} if unanswerable else {"answers": answers}),
        **{name: value for name, value in rest.items() if not (unanswerable and name == "sources")},
    },
    words,
    st.lists(words, min_size=1, max_size=3),
    st.booleans(),
    sources=st.lists(words, max_size=2),
    type=texts,
    slot=texts,
    value=texts,
    note=texts,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("questions")


def as_csv(entries, delimiter):
    wide = {
        name: max(1, *(len(e.get(name, [])) for e in entries)) for name in ("answers", "sources")
    }
    plain = ["question", "unanswerable", "type", "slot", "value", "note"]
    rows = [[*plain, *(name for name, count in wide.items() for _ in range(count))]]
    for entry in entries:
        cells = [str(entry.get(name, "")) for name in plain]
        for name, count in wide.items():
            values = entry.get(name, [])
            cells += [*values, *[""] * (count - len(values))]
        rows.append(cells)
    return rows, delimiter


def written(folder, entries, form, delimiter=","):
    path = folder / f"q.{form}"
    if form == "yaml":
        path.write_text(yaml.safe_dump(entries, allow_unicode=True), encoding="utf-8")
    elif form == "jsonl":
        path.write_text("".join(f"{json.dumps(entry)}\n" for entry in entries), encoding="utf-8")
    else:
        rows, delimiter = as_csv(entries, delimiter)
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, delimiter=delimiter, lineterminator="\n").writerows(rows)
    return path


def same(question):
    """A question without where it stands."""
    return {name: getattr(question, name) for name in FIELDS}


@settings(deadline=None)  # the machine may be busy
@given(st.lists(records, min_size=1, max_size=4), st.sampled_from([",", ";", "\t"]))
def test_the_formats_say_the_same(folder, entries, delimiter):
    read = [
        [same(q) for q in read_questions(written(folder, entries, form, delimiter)).questions]
        for form in ("yaml", "jsonl", "csv")
    ]
    assert read[0] == read[1] == read[2]
    for entry, question in zip(entries, read[0], strict=True):
        assert question["question"] == entry["question"]
        assert question["answers"] == tuple(entry.get("answers", ()))
        assert question["sources"] == tuple(filter(None, entry.get("sources", ())))
        assert question["unanswerable"] == entry.get("unanswerable", False)
        assert question["value"] == (entry["value"] or None)


def test_yaml_by_hand(tmp_path):
    path = tmp_path / "q.yml"
    path.write_text(
        """\
# about the harbour
- question: When was it built?
  answer: 1998
- id: yes-no
  question: >
    Is it
    open?
  answers: [no, "no, it is not"]
  source: minutes.docx
  passages:
    - |
      The harbour
      is closed.
    -
  type: yes/no
- question:
  sources: [a.txt]
-
    question: Who won?
    unanswerable: Yes
"""
    )
    questions, unfilled = read_questions(path)
    assert unfilled == 1
    assert questions == (
        GoldQuestion(
            id="1", question="When was it built?", answers=("1998",), where=f"{path} line 2"
        ),
        GoldQuestion(
            id="yes-no",
            question="Is it open?",
            answers=("no", "no, it is not"),
            sources=("minutes.docx",),
            passages=("The harbour\nis closed.",),
            type="yes/no",
            where=f"{path} line 4",
        ),
        GoldQuestion(id="4", question="Who won?", unanswerable=True, where=f"{path} line 19"),
    )


def test_a_spreadsheets_csv(tmp_path):
    path = tmp_path / "q.csv"
    path.write_bytes(
        "\ufeffquestion;answers;answers;unanswerable;\r\n"
        'Wer kam?;Anna;"Berg; Anna";;\r\n'
        '"Two\nlines?";;;TRUE;\r\n'
        ";;;;\r\n"
        ";;;;\r\n".encode()
    )
    questions, unfilled = read_questions(path)
    assert [(q.question, q.answers, q.unanswerable) for q in questions] == [
        ("Wer kam?", ("Anna", "Berg; Anna"), False),
        ("Two lines?", (), True),
    ]
    assert unfilled == 0
    assert [q.where.rpartition(" ")[2] for q in questions] == ["2", "3"]


def test_the_bundled_questions_are_such_a_file():
    questions = bundled_questions()
    assert len(questions) == 60
    assert sum(q.unanswerable for q in questions) == 12
    assert all(q.sources for q in questions if not q.unanswerable)
    assert {q.value for q in questions if q.type == "when" and not q.unanswerable} >= {"2024-10-18"}


GOOD = "- question: Who?\n  answers: [x]\n"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        # YAML
        ("q.yaml", "", "holds no question"),
        ("q.yaml", "# nothing\n", "holds no question"),
        ("q.yaml", GOOD + "- question: Who: me?\n", "line 3 is not YAML: mapping values"),
        ("q.yaml", GOOD + "- question: 'x\n", "line 4 is not YAML|line 3 is not YAML"),
        ("q.yaml", "- question: Who?\n\tanswer: x\n", "line 2 is not YAML"),
        ("q.yaml", GOOD + "- question: a\x00\n", "line 3 is not YAML: special characters"),
        ("q.yaml", "[" * 5000, "nested too deeply"),
        ("q.yaml", "question: Who?\n", "line 1 is no list"),
        ("q.yaml", GOOD + "- Who?\n", "line 3: the entry has no fields"),
        ("q.yaml", GOOD + "  anwsers: [y]\n", "line 3: .*'anwsers'. Did you mean 'answers'"),
        ("q.yaml", GOOD + "  colour: red\n", "line 3: .*'colour'. Known are: id, question"),
        ("q.yaml", GOOD + "  answers: [y]\n", "line 3: 'answers' is given twice"),
        ("q.yaml", GOOD + "  answer: y\n", "line 3: both 'answer' and 'answers'"),
        ("q.yaml", GOOD + "  ? [a, b]\n  : c\n", "line 3: there is no field"),
        ("q.yaml", GOOD + "  note: [y]\n", "line 3: note is a list, wanted a text"),
        ("q.yaml", GOOD + "  sources:\n    a: b\n", "line 3: sources holds a group of fields"),
        ("q.yaml", GOOD + "  sources: [[a]]\n", "line 3: sources holds a list"),
        ("q.yaml", GOOD + "  unanswerable: maybe\n", "line 3: unanswerable is 'maybe'"),
        ("q.yaml", GOOD + "  unanswerable: true\n", "line 1 is unanswerable, yet has answers"),
        ("q.yaml", GOOD + "- question: Who?\n", "line 3 does not say what answers"),
        ("q.yaml", GOOD + "- answers: [x]\n", "line 3 has an answer but no question"),
        ("q.yaml", GOOD + "- unanswerable: true\n", "line 3 has an answer but no question"),
        ("q.yaml", GOOD + "  id: a\n" + GOOD + "  id: a\n", "line 4: the id 'a' .* line 1"),
        ("q.yaml", GOOD + "  id: 2\n" + GOOD, "line 4: the id '2' .* line 1"),
        ("q.yaml", b"- question: \xff\n", "line 1 is not UTF-8"),
        # JSON Lines
        ("q.jsonl", "", "holds no question"),
        ("q.jsonl", '{"question": "a", "answer": "b"}\n{"question"', "line 2 is not JSON"),
        ("q.jsonl", '{"n": ' + "[" * 100_000, "line 1 is nested too deeply"),
        ("q.jsonl", '{"n": ' + "1" * 5000 + "}", "line 1 is not JSON"),
        ("q.jsonl", "\n[1]", "line 2 is not a JSON object"),
        ("q.jsonl", '{"question": 3}', "line 1: question is a number"),
        ("q.jsonl", '{"question": "a", "answers": [1]}', "line 1: answers holds a number"),
        ("q.jsonl", '{"question": "a", "answers": ["b"], "n": 1}', "line 1: .* no field 'n'"),
        # CSV
        ("q.csv", "", "holds no question"),
        ("q.csv", "question,answers\n", "holds no question"),
        ("q.csv", "question,anser\nWho?,x\n", "line 1: .*'anser'. Did you mean 'answer"),
        ("q.csv", "question,question\n", "line 1: there are two columns 'question'"),
        ("q.csv", "question,answers\nWho?,x\nWho?,x,y\n", "line 3 has 3 columns, the header 2"),
        ("q.csv", 'question,answers\n"a\nb",x\n"Who?,x\n', "line 4 is not CSV: unexpected end"),
        ("q.csv", 'question,answers\n"Who" b?,x\n', "line 2 is not CSV"),
        ("q.csv", "question,unanswerable\nWho?,x\n", "line 2: unanswerable is 'x'"),
        ("q.csv", "question,answers\nWho?,\n", "line 2 does not say what answers"),
    ],
)
def test_damage_is_named_with_its_line(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(LoadError, match=message):
        read_questions(path)


def test_the_name_says_the_format(tmp_path):
    with pytest.raises(UsageError, match="eval init"):
        read_questions(tmp_path / "no.yaml")
    (tmp_path / "q.txt").touch()
    with pytest.raises(UsageError, match=r"Name it \.yaml, \.jsonl or \.csv"):
        read_questions(tmp_path / "q.txt")
