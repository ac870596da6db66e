"""`dateline eval all`: what is run, kept, run again, and what a failure leaves."""

import json
from importlib.util import find_spec

import pytest
import typer
from typer.testing import CliRunner

from eval import measurements
from eval.cli import app
from eval.measurements import (
    DATA,
    MEASUREMENTS,
    Measurement,
    chosen,
    find_data,
    fingerprint,
    measure,
    read_record,
    read_records,
    survey,
)
from index.errors import DatelineError, LoadError, UsageError

STORY = """<TimeML><DCT>
<TIMEX3 type="DATE" value="2023-09-19" functionInDocument="CREATION_TIME">Sept. 19</TIMEX3></DCT>
<TEXT>He left on <TIMEX3 tid="t1" type="DATE" value="2023-09-18">Monday</TIMEX3>.</TEXT></TimeML>"""

DATES = Measurement("dates", ("dates", f"{DATA}stories"))
BROKEN = Measurement("events", ("dates", f"{DATA}broken"))


@pytest.fixture
def data(tmp_path):
    """A data folder: one story, and a folder without any."""
    folder = tmp_path / "data"
    (folder / "dates" / "stories").mkdir(parents=True)
    (folder / "dates" / "stories" / "one.tml").write_text(STORY)
    (folder / "broken").mkdir()
    return folder


@pytest.fixture
def two(monkeypatch):
    """Only two measurements, of which the first fails."""
    monkeypatch.setattr(measurements, "MEASUREMENTS", (BROKEN, DATES))


@pytest.mark.parametrize("measurement", MEASUREMENTS, ids=lambda each: each.name)
def test_every_command_exists_with_its_options(measurement, tmp_path):
    name, *arguments = measurement.arguments
    command = typer.main.get_command(app).commands[name]
    with command.make_context(name, [*arguments, "--json"]) as context:
        assert context.params["as_json"] is True


def test_names_are_unique_and_commands_differ():
    assert len({each.name for each in MEASUREMENTS}) == len(MEASUREMENTS)
    assert len({each.command for each in MEASUREMENTS}) == len(MEASUREMENTS)


def test_data_is_found_in_the_folder_or_one_below(data):
    assert find_data(data, "stories") == data / "dates" / "stories"
    assert find_data(data, "broken") == data / "broken"
    assert find_data(data, "one.tml") is None
    assert find_data(None, "stories") is None
    assert DATES.command == "dateline eval dates DATA/stories"


def test_a_measurement_is_kept_until_what_it_depends_on_changes(data, tmp_path):
    results = tmp_path / "new" / "results"
    assert survey(DATES, data, results).state == "not measured"
    done = measure(DATES, data, results)
    assert (done.state, done.note) == ("measured", "")
    assert survey(DATES, data, results).state == "kept"

    record = read_record(results, "dates")
    assert record.command == "dateline eval dates DATA/stories"
    assert record.result[-1]["part"] == "all"
    assert record.result[-1]["relaxed"] == 1.0
    assert record.machine["cores"] >= 1
    assert record.versions["numpy"]
    assert record.seconds == done.seconds > 0
    assert record.date.startswith("20")

    other = Measurement("dates", ("dates", f"{DATA}stories", "--mistakes", "x.jsonl"))
    assert survey(other, data, results).state == "older"
    measurements._content.cache_clear()
    (data / "dates" / "stories" / "one.tml").write_text(STORY.replace("Monday", "Tuesday"))
    assert survey(DATES, data, results).state == "older"
    (data / "dates" / "stories" / "one.tml").unlink()
    (data / "dates" / "stories").rmdir()
    status = survey(DATES, data, results)
    assert (status.state, status.note) == ("no data", "needs stories")


def test_other_code_library_or_machine_is_another_fingerprint(data, monkeypatch):
    marks = {fingerprint(DATES, data)}
    assert fingerprint(DATES, data) in marks
    monkeypatch.setattr(measurements, "_code", lambda: "changed")
    marks.add(fingerprint(DATES, data))
    monkeypatch.setattr(measurements, "versions", lambda: {"numpy": "99"})
    marks.add(fingerprint(DATES, data))
    monkeypatch.setattr(measurements, "machine", lambda: {"cores": 999, "load": 0.0})
    marks.add(fingerprint(DATES, data))
    assert len(marks) == 4
    monkeypatch.setattr(measurements, "machine", lambda: {"cores": 999, "load": 7.0})
    assert fingerprint(DATES, data) in marks  # what else was running is no difference


def test_a_damaged_record_is_named(tmp_path):
    for content in ("{", "[]", '{"name": "dates"}'):
        (tmp_path / "dates.json").write_text(content)
        with pytest.raises(LoadError, match=r"dates\.json is not a result"):
            read_records(tmp_path)


def test_only_known_names_are_chosen():
    assert chosen(None) == MEASUREMENTS
    assert [each.name for each in chosen(["speed", "dates"])] == ["dates", "speed"]
    with pytest.raises(UsageError, match="There is no measurement 'nope'"):
        chosen(["nope"])


def call(*arguments):
    return CliRunner().invoke(app, ["all", *map(str, arguments)])


def test_a_failure_does_not_stop_the_others_and_nothing_is_done_twice(two, data, tmp_path, capfd):
    where = ("--data", data, "--results", tmp_path / "results")
    done = call(*where, "--json")
    assert isinstance(done.exception, DatelineError)
    assert "Failed: events" in str(done.exception)
    statuses = json.loads(done.stdout)["measurements"]
    assert [(each["name"], each["state"]) for each in statuses] == [
        ("events", "failed"),
        ("dates", "measured"),
    ]
    assert statuses[0]["note"] == "exit code 2"
    assert "no .tml" in capfd.readouterr().err  # the command's own message

    first = (tmp_path / "results" / "dates.json").read_bytes()
    again = call(*where, "--only", "dates")
    assert again.exit_code == 0
    assert [line.split()[:2] for line in again.stdout.splitlines()[1:3]] == [
        ["events", "not"],
        ["dates", "kept"],
    ]
    assert (tmp_path / "results" / "dates.json").read_bytes() == first
    assert call(*where, "--only", "dates", "--fresh").exit_code == 0
    assert "measured" in call(*where, "--list").stdout


def test_stopped_it_keeps_what_it_has(two, data, tmp_path, monkeypatch):
    def stop(measurement, *_):
        raise KeyboardInterrupt

    monkeypatch.setattr(measurements, "measure", stop)
    done = call("--data", data, "--results", tmp_path)
    assert done.exit_code != 0
    assert f"The results so far are in {tmp_path}" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--data", "none"), "none is not a folder"),
        (("--readme", "none.md"), "none.md is not a file"),
        (("--readme", "bad.md"), "bad.md line 1: <!-- /figures --> closes no region"),
        (("--only", "none"), "no measurement 'none'"),
    ],
)
def test_wrong_usage(arguments, problem, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.md").write_text("<!-- /figures -->\n")
    done = call(*arguments, "--results", tmp_path)
    assert isinstance(done.exception, UsageError)
    assert problem in str(done.exception)


def test_without_data_only_the_bundled_collections_are_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(measurements, "REPOSITORY", tmp_path)
    monkeypatch.delenv("DATELINE_DATA", raising=False)
    done = call("--list", "--json", "--results", tmp_path)
    states = {each["name"]: each["state"] for each in json.loads(done.stdout)["measurements"]}
    assert states["events"] == states["speed"] == "not measured"
    assert states["dates"] == "no data"
    for each in MEASUREMENTS:
        there = not each.data and all(map(find_spec, each.modules))
        assert states[each.name] == ("not measured" if there else "no data")


def test_what_needs_an_extra_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(measurements, "find_spec", lambda _: None)
    [peers] = chosen(["peers-sample"])
    assert survey(peers, None, tmp_path).note == "needs haystack, txtai"
