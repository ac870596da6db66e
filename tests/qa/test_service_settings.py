"""Settings: where they come from, what is refused, and that each is documented."""

import re
from pathlib import Path

import pytest
import typer

from index.errors import UsageError
from qa import serve_command
from qa.service.settings import PREFIX, ServiceSettings, is_loopback, load_settings

README = Path(__file__).parents[2] / "README.md"
FIELDS = ServiceSettings.model_fields


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_flags_win_over_the_environment_and_that_over_the_file(elsewhere, monkeypatch):
    file = elsewhere / "mine.toml"
    file.write_text(
        '[serve]\nport = 1\nworkers = 3\nqueue = 4\ncors_origins = ["https://a.example"]\n'
    )
    monkeypatch.setenv("DATELINE_SERVE_PORT", "2")
    monkeypatch.setenv("DATELINE_SERVE_WORKERS", "5")
    settings = load_settings(file, port=6, workers=None)
    assert (settings.port, settings.workers, settings.queue) == (6, 5, 4)
    assert settings.cors_origins == ("https://a.example",)
    assert settings.host == "127.0.0.1"


def test_the_file_in_the_working_folder(elsewhere):
    assert load_settings().port == 8765
    (elsewhere / "dateline.toml").write_text("[serve]\nport = 99\n")
    assert load_settings().port == 99
    (elsewhere / "dateline.toml").write_text("")
    assert load_settings().port == 8765


def test_several_values(monkeypatch):
    monkeypatch.setenv("DATELINE_SERVE_CORS_ORIGINS", "https://a.example, http://b.example:8080/")
    assert load_settings().cors_origins == ("https://a.example", "http://b.example:8080")
    assert load_settings(allowed_hosts=["a,b", "c"]).allowed_hosts == ("a", "b", "c")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[serve]\nprot = 1", "no setting 'prot'. Do you mean port?"),
        ("[server]\nport = 1", "no table or key 'server'"),
        ("port = 1", "no table or key 'port'"),
        ("serve = 1", "is not a table"),
        ("[serve\n", "(at line 1, column 7)"),
        ("[serve]\nport = 70000", "wrong.toml: port: "),
        ('[serve]\nport = "many"', "wrong.toml: port: "),
        ('[serve]\nrate_limit = "often"', "rate_limit: couldn't parse"),
        ('[serve]\ncors_origins = ["a.example"]', "cors_origins: it begins with http"),
        ('[serve]\ncors_origins = ["https://a.example/x"]', "cors_origins: an origin ends"),
        ('[serve]\npublic_url = "qa.example"', "public_url: it begins with http"),
        ('[serve]\ntrusted_proxies = ["proxy"]', "trusted_proxies: 'proxy' does not appear"),
        ("[serve]\ncors_origins = 7", "wrong.toml: cors_origins: "),
        ('[serve]\nauth = "maybe"', "wrong.toml: auth: "),
    ],
)
def test_a_wrong_file(elsewhere, content, told):
    file = elsewhere / "wrong.toml"
    file.write_text(content)
    with pytest.raises(UsageError) as caught:
        load_settings(file)
    assert "wrong.toml" in str(caught.value)
    assert told in str(caught.value)


def test_a_file_that_is_not_there(elsewhere):
    with pytest.raises(UsageError, match=r"none.toml cannot be read: No such file"):
        load_settings(elsewhere / "none.toml")


def test_wrong_flags_and_variables(monkeypatch):
    with pytest.raises(UsageError, match=r"--max-body-mib: .* greater than 0"):
        load_settings(max_body_mib=0)
    monkeypatch.setenv("DATELINE_SERVE_QUEUE", "-1")
    with pytest.raises(UsageError, match=r"DATELINE_SERVE_QUEUE: .* greater than or equal to 0"):
        load_settings()
    monkeypatch.delenv("DATELINE_SERVE_QUEUE")
    monkeypatch.setenv("DATELINE_SERVE_AUHT", "on")
    with pytest.raises(UsageError, match=r"no setting DATELINE_SERVE_AUHT. Do you mean .*_AUTH?"):
        load_settings()


def test_a_key_is_long_and_never_shown(monkeypatch):
    monkeypatch.setenv("DATELINE_SERVE_API_KEY", "hunter2hunter2")
    with pytest.raises(UsageError, match="at least 32 characters") as caught:
        load_settings()
    assert "hunter2" not in str(caught.value)
    monkeypatch.setenv("DATELINE_SERVE_API_KEY", "k" * 40)
    settings = load_settings()
    assert settings.api_key.get_secret_value() == "k" * 40
    assert "kkk" not in repr(settings)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("", False),
        ("192.168.1.5", False),
        ("no-such-host.invalid", False),
    ],
)
def test_loopback(host, loopback):
    assert is_loopback(host) == loopback
    assert ServiceSettings(host=host).needs_keys == (not loopback)
    assert ServiceSettings(host=host, auth="on").needs_keys
    assert not ServiceSettings(host=host, auth="off").needs_keys


def test_behind_a_proxy_it_is_not_alone():
    assert ServiceSettings(public_url="https://qa.example/dateline").needs_keys
    assert ServiceSettings(trusted_proxies=("10.0.0.1",)).needs_keys
    settings = ServiceSettings(
        public_url="https://qa.example/dateline/", cors_origins=("https://a.example",)
    )
    assert settings.origins == ("https://qa.example", "https://a.example")


def test_every_setting_is_in_the_readme_with_its_variable_and_default():
    rows = {}
    for line in README.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and (variable := re.fullmatch(rf"`({PREFIX}\w+)`", cells[1])):
            rows[variable[1]] = cells
    assert rows.keys() == {f"{PREFIX}{name.upper()}" for name in FIELDS}
    for name, field in FIELDS.items():
        flag, _, default, text = rows[f"{PREFIX}{name.upper()}"]
        shown = "–" if field.default in (None, ()) else str(field.default)
        shown = "yes" if field.default is True else shown
        assert flag == ("–" if name in serve_command.SECRET else f"`--{name.replace('_', '-')}`")
        assert default == shown, name
        assert text == field.description, name


def test_every_setting_is_a_flag_with_its_description():
    command = typer.main.get_command(serve_command.app)
    flags = {option.name: option for option in command.params}
    for name, field in FIELDS.items():
        if name not in serve_command.SECRET:
            assert flags[name].opts == [f"--{name.replace('_', '-')}"]
            assert flags[name].default is None
            assert field.description[1:] in flags[name].help
    assert flags.keys() - FIELDS.keys() == {"index", "config"}
