"""The service fuzzed against its own description: no 5xx, and every reply as described."""

import shutil
import subprocess
import sys
from importlib.resources import as_file, files

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Config, GenerationMode
from service_support import accepted, done
from serving import serving
from stub_assistant import StubAssistant
from support import make_document

from index import EmbeddedIndex
from qa.service import ServiceSettings, create_app

# 400 is for what a schema cannot say: that a question has to have a letter or digit in it.
CONFIG = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "400", "404"]

# Nor that an upload has a file in it of a known format, or a document a text.
[[operations]]
include-path = "/api/documents"
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "404", "415", "422"]

# Nor that a job has not come to its end yet. DELETE cancels it: it is still told how that went.
[[operations]]
include-path-regex = "^/api/index-jobs/"
checks.positive_data_acceptance.expected-statuses = ["2xx", "400", "404", "409"]
checks.use_after_free.enabled = false
"""
PHASES = "examples,coverage,fuzzing,stateful"


@pytest.fixture
def api(index):
    text = "Anna Berg met Tomas Lind in Oslo. A storm hit Bergen."
    index.add([make_document("a.txt", text, published="2024-03-05", desk="news")])
    app = create_app(StubAssistant(index), ServiceSettings(rate_limit="none"))
    return schemathesis.openapi.from_asgi("/openapi.json", app, config=Config.from_str(CONFIG))


def can_be_wrong(operation):
    """Whether a request can break what the description says: any text is the id of a session."""
    parameters = operation.get("parameters", ())
    return "requestBody" in operation or any(p["in"] == "query" for p in parameters)


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_replies_are_as_described(api, mode):
    """Requests that the description allows are served, others refused, as it says."""
    tried = 0
    for found in api.get_all_operations():
        operation = found.ok()
        if mode is GenerationMode.NEGATIVE and not can_be_wrong(operation.definition.raw):
            continue

        @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy(generation_mode=mode))
        def replies(case):
            case.call_and_validate()

        replies()
        tried += 1
    assert tried >= {GenerationMode.POSITIVE: 13, GenerationMode.NEGATIVE: 6}[mode]


@pytest.mark.slow
def test_a_real_server_against_all_that_schemathesis_knows(tmp_path):
    """Fuzzed with its models, from outside; afterwards it still answers."""
    with as_file(files("qa") / "sample") as sample:
        shutil.copytree(sample, tmp_path / "sample")
    with EmbeddedIndex.open(tmp_path / ".dateline") as index:
        index.add_files([tmp_path / "sample"])
    with serving(tmp_path, "--rate-limit", "none") as served:
        served.ready()
        (tmp_path / "schemathesis.toml").write_text(CONFIG)
        command = [
            *(sys.executable, "-m", "schemathesis.cli"),
            *("run", f"{served.url}/openapi.json", "--no-color", "--phases", PHASES),
            *("--max-examples", "300", "--continue-on-failure"),
        ]
        run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        print(run.stdout)
        assert run.returncode == 0, run.stdout
        # By now documents have been deleted, as the description allows.
        text = "Queen Ysolde Marram opened the new lighthouse in Haldervik on July 4, 2031."
        posted = served.client.post("/api/documents", json={"documents": [{"text": text}]})
        done(served.client, accepted(posted))
        question = {"question": "Who opened the lighthouse in Haldervik in July 2031?"}
        reply = served.client.post("/api/ask", json=question)
        assert "Ysolde Marram" in reply.json()["answers"][0]["text"]
    assert " 500 " not in served.log
