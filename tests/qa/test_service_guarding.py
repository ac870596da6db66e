"""Who may ask, how often and how much: keys, rates, sizes, foreign sites, headers."""

import asyncio
import json
import time

import pytest
from fastapi.testclient import TestClient
from stub_assistant import StubAssistant

from qa.service import ServiceSettings, create_app
from qa.service.guarding import scope_needed
from qa.service.keys import KeyStore

ASK = {"question": "Who did Anna Berg meet?"}


@pytest.fixture
def serve(index):
    """A client of a service with some settings; `keys` and `client` as given."""

    def start(keys=None, client=("203.0.113.5", 50000), base="http://testserver", **settings):
        app = create_app(StubAssistant(index), ServiceSettings(**settings), keys)
        return TestClient(app, base_url=base, client=client)

    return start


@pytest.fixture
def keys(tmp_path):
    return KeyStore(tmp_path)


def bearer(key):
    return {"Authorization": f"Bearer {key}"}


# keys


@pytest.mark.parametrize(
    ("method", "path", "needed"),
    [
        ("GET", "/", None),
        ("GET", "/page/main.js", None),
        ("GET", "/docs", None),
        ("GET", "/openapi.json", None),
        ("GET", "/healthz", None),
        ("GET", "/readyz", None),
        ("GET", "/metrics", "read"),
        ("GET", "/pages", "read"),
        ("POST", "/api/ask", "read"),
        ("DELETE", "/api/sessions/x", "read"),
        ("POST", "/v1/chat/completions", "read"),
        ("GET", "/api/documents", "read"),
        ("POST", "/api/documents", "write"),
        ("DELETE", "/api/documents/x", "write"),
        ("POST", "/api/index-jobs", "write"),
        ("GET", "/api/index-jobs/x/events", "read"),
        ("BREW", "/api/documents", "write"),
        ("GET", "/what/ever", "read"),
    ],
)
def test_what_needs_which_scope(method, path, needed):
    assert scope_needed(method, path) == needed


def test_every_route_is_closed_without_a_key_unless_it_is_meant_to_be_open(serve, keys):
    client = serve(keys)
    keys.add("somebody")
    opened = set()
    for path, operations in client.get("/openapi.json").json()["paths"].items():
        for method in operations:
            if client.request(method, path).status_code != 401:
                opened.add(path)
    assert opened == {"/healthz", "/readyz"}


def test_keys_and_scopes(serve, keys):
    client = serve(keys)
    reader, writer = keys.add("reader"), keys.add("writer", "write")
    refused = client.post("/api/ask", json=ASK)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == 'Bearer realm="dateline"'
    assert refused.json()["error"]["code"] == "D401"
    for wrong in ("Bearer nonsense", "Bearer", "", f"Basic {reader}", reader, "Bearer \udc80"):
        header = {"Authorization": wrong.encode("utf-8", "surrogateescape")}
        assert client.post("/api/ask", json=ASK, headers=header).status_code == 401
    for key in (reader, writer):
        assert client.post("/api/ask", json=ASK, headers=bearer(key)).status_code == 200
    lower = {"authorization": f"bearer {reader}"}
    assert client.post("/api/ask", json=ASK, headers=lower).status_code == 200
    refused = client.post("/api/documents", headers=bearer(reader))
    assert refused.status_code == 403
    assert 'scope="write"' in refused.headers["www-authenticate"]
    assert client.post("/api/documents", headers=bearer(writer)).status_code != 403
    keys.revoke("reader")
    assert client.post("/api/ask", json=ASK, headers=bearer(reader)).status_code == 401


def test_openai_clients_get_their_own_error_shape(serve, keys):
    client = serve(keys)
    error = client.post("/v1/chat/completions").json()["error"]
    assert error.keys() == {"message", "type", "param", "code"}
    assert (error["type"], error["code"]) == ("authentication_error", "invalid_api_key")
    error = client.get("/v1/nothing", headers=bearer(keys.add("x"))).json()["error"]
    assert (error["type"], error["code"]) == ("invalid_request_error", "D404")


def test_a_damaged_key_file_closes_the_door(serve, keys):
    client, key = serve(keys), keys.add("reader")
    keys.path.write_text("?")
    reply = client.post("/api/ask", json=ASK, headers=bearer(key))
    assert reply.status_code == 500
    assert reply.json()["error"]["code"] == "D203"


@pytest.mark.parametrize(("needs_key", "status", "read"), [(True, 401, 0), (False, 200, 1)])
def test_the_body_is_not_read_before_the_key_is_checked(index, keys, needs_key, status, read):
    app = create_app(StubAssistant(index), ServiceSettings(), keys if needs_key else None)
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/api/ask",
        "query_string": b"",
        "headers": [(b"content-type", b"application/json"), (b"host", b"x")],
    }
    reads, statuses = [], []

    async def receive():
        if reads:
            await asyncio.Event().wait()
        reads.append(1)
        return {"type": "http.request", "body": json.dumps(ASK).encode()}

    async def send(message):
        statuses.append(message.get("status"))

    asyncio.run(app(scope, receive, send))
    assert (statuses[0], len(reads)) == (status, read)


# rates


def test_the_rate_is_limited_for_each_key(serve, keys):
    client = serve(keys, rate_limit="3/minute")
    first, second = keys.add("first"), keys.add("second")
    replies = [client.get("/api/sessions", headers=bearer(first)) for _ in range(5)]
    assert [r.status_code for r in replies] == [200, 200, 200, 429, 429]
    assert [r.headers["ratelimit-remaining"] for r in replies] == ["2", "1", "0", "0", "0"]
    assert {r.headers["ratelimit-limit"] for r in replies} == {"3"}
    assert replies[-1].json()["error"]["code"] == "D429"
    assert 1 <= int(replies[-1].headers["retry-after"]) <= 60
    assert client.get("/api/sessions", headers=bearer(second)).status_code == 200
    assert client.get("/healthz").status_code == 200  # probes and page are not counted


def test_guessing_is_limited_too(serve, keys):
    client = serve(keys, rate_limit="3/minute")
    replies = [client.get("/api/sessions", headers=bearer(f"dl_{n}")) for n in range(5)]
    assert [r.status_code for r in replies] == [401, 401, 401, 429, 429]


def test_after_a_while_it_is_allowed_again(serve):
    client = serve(rate_limit="2/second")
    replies = [client.get("/api/sessions").status_code for _ in range(3)]
    assert replies == [200, 200, 429]
    time.sleep(1.05)
    assert client.get("/api/sessions").status_code == 200


def test_without_keys_addresses_are_counted_and_ipv6_by_network(index):
    app = create_app(StubAssistant(index), ServiceSettings(rate_limit="1/minute"))

    def status(address):
        return TestClient(app, client=(address, 1)).get("/api/sessions").status_code

    assert [status("203.0.113.5"), status("203.0.113.6"), status("203.0.113.5")] == [200, 200, 429]
    assert [status("2001:db8::1"), status("2001:db8::2"), status("2001:db8:1::1")] == [
        200,
        429,
        200,
    ]
    assert [status("somewhere"), status("somewhere")] == [200, 429]


def test_no_rate(serve):
    client = serve(rate_limit="none")
    reply = [client.get("/api/sessions") for _ in range(50)][-1]
    assert reply.status_code == 200
    assert "ratelimit-limit" not in reply.headers


# sizes


def test_large_bodies_are_refused_whatever_they_say_of_themselves(serve):
    client = serve(max_body_mib=0.001)
    large = {"question": "x" * 2000}
    assert client.post("/api/ask", json={"question": "x" * 900}).status_code == 200
    declared = client.post("/api/ask", json=large)
    chunks = iter([b'{"question": "', b"x" * 900, b"x" * 900, b'"}'])
    streamed = client.post("/api/ask", content=chunks, headers={"Content-Type": "application/json"})
    for reply in (declared, streamed):
        assert reply.status_code == 413
        assert reply.json()["error"]["problem"] == "The request is larger than 1048 bytes."


def test_a_body_that_is_not_read_does_not_matter(serve):
    reply = serve(max_body_mib=0.001).request("GET", "/healthz", content=b"x" * 5000)
    assert reply.status_code == 200


# other sites


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8765", 200),
        ("LOCALHOST", 200),
        ("127.0.0.1:1", 200),
        ("[::1]:8765", 200),
        ("[::1]", 200),
        ("evil.example", 400),
        ("evil.example:8765", 400),
        ("localhost.evil.example", 400),
        ("localhost:8765:1", 400),
        ("localhost@evil.example", 400),
        ("", 400),
    ],
)
def test_names_that_others_point_here_are_refused(serve, host, status):
    client = serve(allowed_hosts=("localhost", "127.0.0.1", "[::1]"))
    reply = client.get("/api/sessions", headers={"Host": host})
    assert reply.status_code == status
    if status == 400:
        assert "not known under that Host" in reply.json()["error"]["problem"]


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 200),
        ("http://testserver", 200),
        ("https://testserver", 200),  # a proxy may do TLS
        ("http://testserver:81", 403),
        ("https://evil.example", 403),
        ("https://qa.example", 200),
        ("https://friend.example", 200),
        ("null", 403),
        ("", 403),
    ],
)
def test_pages_of_other_sites_are_refused(serve, origin, status):
    client = serve(public_url="https://qa.example/", cors_origins=("https://friend.example",))
    headers = {} if origin is None else {"Origin": origin}
    assert client.post("/api/ask", json=ASK, headers=headers).status_code == status
    assert client.get("/api/sessions", headers=headers).status_code == status
    assert client.delete("/api/sessions/x", headers=headers).status_code in (404, status)


def preflight(client, origin):
    wanted = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, content-type",
    }
    return client.options("/api/ask", headers=wanted)


def test_cors_is_closed_unless_an_origin_is_named(serve, keys):
    assert "access-control-allow-origin" not in preflight(serve(), "https://a.example").headers
    client = serve(keys, cors_origins=("https://a.example",))
    allowed = preflight(client, "https://a.example")  # browsers send no key with it
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == "https://a.example"
    assert "access-control-allow-credentials" not in allowed.headers
    assert "access-control-allow-origin" not in preflight(client, "https://b.example").headers
    reply = client.post("/api/ask", json=ASK, headers={"Origin": "https://a.example"})
    assert reply.status_code == 401
    assert reply.headers["access-control-allow-origin"] == "https://a.example"


# headers


@pytest.mark.parametrize("path", ["/", "/api/sessions", "/nothing", "/docs", "/openapi.json"])
def test_security_headers_are_on_every_reply(serve, path):
    headers = serve().get(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "frame-ancestors 'none'" in policy
    assert ("'unsafe-inline'" in policy) == (path == "/docs")
    assert (headers.get("cache-control") == "no-store") == path.startswith("/api")


def test_a_refused_request_has_them_too(serve, keys):
    for reply in (
        serve(keys).get("/api/sessions"),
        serve(allowed_hosts=("x",)).get("/api/sessions"),
        serve(max_body_mib=0.001).post("/api/ask", json={"question": "x" * 5000}),
    ):
        assert reply.status_code >= 400
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["x-request-id"]


def test_the_description_can_be_switched_off(serve):
    client = serve(docs=False)
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert client.get(path).status_code == 404
