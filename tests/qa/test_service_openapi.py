"""The API's description: versioned, every field described, errors and examples in it."""

from importlib.metadata import version

import pytest
from fastapi.testclient import TestClient
from stub_assistant import StubAssistant

from qa import Answer
from qa.service import create_app
from qa.service.errors import is_openai
from qa.service.guarding import scope_needed


@pytest.fixture
def schema(index):
    return TestClient(create_app(StubAssistant(index))).get("/openapi.json").json()


def operations(schema):
    return [
        (path, method, operation)
        for path, methods in schema["paths"].items()
        for method, operation in methods.items()
    ]


def undescribed(schema):
    """Places in the description that say nothing of a parameter or property."""
    for path, method, operation in operations(schema):
        for text in ("summary", "description", "tags"):
            if not operation.get(text):
                yield f"{method} {path}: {text}"
        for parameter in operation.get("parameters", ()):
            if not parameter.get("description"):
                yield f"{method} {path}: {parameter['name']}"
        for status, reply in operation["responses"].items():
            if not reply.get("description"):
                yield f"{method} {path}: {status}"
    for name, model in schema["components"]["schemas"].items():
        if not model.get("description"):
            yield name
        for field, described in model.get("properties", {}).items():
            if not described.get("description"):
                yield f"{name}.{field}"


def test_every_operation_parameter_and_field_is_described(schema):
    assert list(undescribed(schema)) == []


def test_the_check_above_would_notice(schema):
    del schema["components"]["schemas"]["Span"]["properties"]["confidence"]["description"]
    del schema["paths"]["/api/ask"]["post"]["tags"]
    assert list(undescribed(schema)) == ["post /api/ask: tags", "Span.confidence"]


def test_it_has_the_version(schema):
    assert schema["info"]["version"] == version("dateline")
    assert schema["openapi"].startswith("3.1")


def test_tags_are_described(schema):
    told = {tag["name"] for tag in schema["tags"] if tag["description"]}
    used = {tag for _, _, operation in operations(schema) for tag in operation["tags"]}
    assert used <= told


def test_errors_are_described_in_their_own_shape(schema):
    for path, method, operation in operations(schema):
        replies = operation["responses"]
        if "requestBody" in operation:
            assert {"408", "413", "422"} <= replies.keys(), path
        needed = scope_needed(method.upper(), path)
        assert ("401" in replies) == ("429" in replies) == ("security" in operation)
        assert ("security" in operation) == (needed is not None), path
        for status, reply in replies.items():
            if status >= "400":
                shape = reply["content"]["application/json"]["schema"]["$ref"]
                model = "OpenAIErrorReply" if is_openai(path) else "ErrorReply"
                assert shape == f"#/components/schemas/{model}", f"{path} {status}"
    for status in ("503", "504"):
        assert status in schema["paths"]["/api/ask"]["post"]["responses"]
    assert "HTTPValidationError" not in schema["components"]["schemas"]


def test_the_example_is_an_answer(schema):
    reply = schema["paths"]["/api/ask"]["post"]["responses"]["200"]
    answer = Answer.model_validate(reply["content"]["application/json"]["example"])
    (citation,) = answer.citations
    start = citation.start - citation.passage.start
    assert citation.passage.text[start:][: len(citation.quote)] == citation.quote
    assert answer.answers[0].text == citation.quote


def test_every_request_has_an_example(schema):
    for path, method, operation in operations(schema):
        if "requestBody" in operation:
            content = operation["requestBody"]["content"]["application/json"]["schema"]
            names = str(content)
            models = [m for m in schema["components"]["schemas"] if f"/{m}'" in names]
            told = str([content, *(schema["components"]["schemas"][m] for m in models)])
            assert "example" in told, f"{method} {path}"
