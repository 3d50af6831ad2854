"""Which web sites' scripts may read our answers."""

import pytest

SITE = "https://app.example.com"
OTHER_SITE = "https://evil.example"
PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type",
}


@pytest.fixture
def open_api(make_app):
    """A server that two sites may call."""
    return make_app(cors_origins=f"{SITE},http://[::1]:3000").test_client()


def names_of_cors(answer):
    return [name for name, _ in answer.headers if name.startswith("Access-Control-")]


def test_no_site_may_unless_it_is_named(api):
    for answer in (
        api.get("/genres", headers={"Origin": SITE}),
        api.options("/movies", headers={"Origin": SITE, **PREFLIGHT}),
    ):
        assert names_of_cors(answer) == []
        assert "Origin" not in answer.headers.getlist("Vary")


def test_a_site_that_is_named_may_read_answers_with_its_cookies(open_api):
    answer = open_api.get("/genres", headers={"Origin": SITE})
    assert answer.headers["Access-Control-Allow-Origin"] == SITE
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"


def test_a_site_by_an_address_of_ipv6_may_too(open_api):
    answer = open_api.get("/genres", headers={"Origin": "http://[::1]:3000"})
    assert answer.headers["Access-Control-Allow-Origin"] == "http://[::1]:3000"


@pytest.mark.parametrize(
    "origin",
    [
        OTHER_SITE,
        "https://app.example.com.evil.example",
        "https://app.example.com:8443",
        "http://app.example.com",
        "https://appXexample.com",
        "https://evil.example/https://app.example.com",
        "http://:3000",
        "null",
        "*",
        "",
    ],
)
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_another_site_may_not(open_api, method, origin):
    answer = open_api.open("/movies", method=method, headers={"Origin": origin, **PREFLIGHT})
    assert names_of_cors(answer) == []


def test_what_scripts_need_of_an_answer_is_shown_to_them(open_api):
    answer = open_api.get("/genres", headers={"Origin": SITE})
    shown = set(answer.headers["Access-Control-Expose-Headers"].split(", "))
    assert shown == {
        "Link",
        "ETag",
        "Location",
        "Data-Generation",
        "Retry-After",
        "RateLimit",
        "RateLimit-Policy",
        "X-Request-ID",
        "WWW-Authenticate",
    }


@pytest.mark.parametrize("path", ["/movies", "/auth/login", "/auth/user"])
def test_a_preflight_is_answered_without_credentials(open_api, path):
    answer = open_api.options(path, headers={"Origin": SITE, **PREFLIGHT})
    assert (answer.status_code, answer.data) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == SITE
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert "PATCH" in answer.headers["Access-Control-Allow-Methods"].split(", ")
    assert answer.headers["Access-Control-Allow-Headers"] == "authorization, content-type"
    assert answer.headers["Access-Control-Max-Age"] == "7200"


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "Content-Type",
        "X-CSRF-Token",
        "If-None-Match",
        "If-Match",
        "Idempotency-Key",
        "X-Request-ID",
    ],
)
def test_these_headers_may_be_sent(open_api, name):
    asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": name.lower()}
    answer = open_api.options("/movies", headers={"Origin": SITE, **asked})
    assert answer.headers["Access-Control-Allow-Headers"] == name.lower()


def test_other_headers_may_not_be_sent(open_api):
    asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "x-forwarded-for"}
    answer = open_api.options("/movies", headers={"Origin": SITE, **asked})
    assert "Access-Control-Allow-Headers" not in answer.headers


@pytest.mark.parametrize("origin", [None, SITE, OTHER_SITE])
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/genres", 200),
        ("/healthz", 200),
        ("/docs", 200),
        ("/nope", 404),
        ("/movies/nope", 400),
        ("/auth/user", 401),
    ],
)
def test_every_answer_says_that_it_differs_by_origin(open_api, path, status, origin):
    answer = open_api.get(path, headers={"Origin": origin} if origin else {})
    assert answer.status_code == status
    assert answer.headers.getlist("Vary").count("Origin") == 1
    assert ("Access-Control-Allow-Origin" in answer.headers) == (origin == SITE)


def test_an_answer_that_is_known_already_has_them_too(open_api):
    tag = open_api.get("/genres").headers["ETag"]
    answer = open_api.get("/genres", headers={"Origin": SITE, "If-None-Match": tag})
    assert answer.status_code == 304
    assert answer.headers["Access-Control-Allow-Origin"] == SITE
    assert set(answer.headers.getlist("Vary")) == {"Origin", "Accept-Encoding"}


def test_an_answer_that_is_kept_carries_nobodys_origin(open_api, movies):
    movies.create_many(title=["A", "B"])
    seen = [
        open_api.get("/movies", headers={"Origin": origin} if origin else {}).headers.getlist(
            "Access-Control-Allow-Origin"
        )
        for origin in (SITE, None, "http://[::1]:3000", OTHER_SITE, SITE)
    ]
    assert seen == [[SITE], [], ["http://[::1]:3000"], [], [SITE]]


def test_a_fault_of_ours_has_them_too(make_app):
    app = make_app(cors_origins=SITE)

    @app.get("/broken")
    def broken():
        raise ValueError("unforeseen")

    broken.access_rule = None
    answer = app.test_client().get("/broken", headers={"Origin": SITE})
    assert answer.status_code == 500
    assert answer.headers["Access-Control-Allow-Origin"] == SITE


def test_a_sign_in_from_another_site_gets_its_cookies_and_may_be_read(open_api, accounts):
    account = accounts.create()
    answer = open_api.post(
        "/auth/login",
        json={"email": account.email, "password": account.password, "cookies": True},
        headers={"Origin": SITE},
    )
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == SITE
    assert any(one.startswith("movie_access=") for one in answer.headers.getlist("Set-Cookie"))
