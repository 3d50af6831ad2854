"""Which providers there are: in their list, in the documentation, and as the settings say."""

import time

import pytest
import yaml
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from movie_api import create_app
from movie_api.accounts import providers
from movie_api.accounts.routes import provider_pages
from movie_database.settings import SettingsError
from movie_testing.our_clients import APPLE_WEB, GOOGLE_APP, GOOGLE_WEB, OURS, settings_of

NAMES = ("google", "apple", "oidc")


@pytest.fixture
def with_settings(make_app, provider):
    """Makes a caller of a server that some of the providers are set up for."""

    def make(*names: str, **more):
        chosen = {
            name: value for name, value in settings_of(provider).items() if name.partition("_")[0] in names
        }
        return make_app(**chosen | more).test_client()

    return make


def paths_of(contract: dict) -> set[str]:
    """Which of the providers a contract has a path of."""
    return {name for name in NAMES for path in contract["paths"] if path.startswith(f"/auth/{name}")}


def test_the_list_tells_those_that_are_set_up(api):
    answer = api.get("/auth/providers")
    assert answer.json == [
        {"name": "google", "title": "Google", "start": f"{OURS}/auth/google/start"},
        {"name": "apple", "title": "Apple", "start": f"{OURS}/auth/apple/start"},
        {"name": "oidc/example", "title": "Example", "start": f"{OURS}/auth/oidc/example/start"},
    ]
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_list_may_be_empty(make_app):
    assert make_app().test_client().get("/auth/providers").json == []


def test_a_provider_that_takes_no_browsers_is_not_in_the_list(with_settings):
    assert with_settings("apple", apple_team_id=None).get("/auth/providers").json == []


@pytest.mark.parametrize("names", [(), ("google",), ("apple",), ("oidc",), NAMES])
def test_the_documentation_has_what_is_set_up(with_settings, names):
    api = with_settings(*names)
    assert paths_of(api.get("/docs/openapi.json").json) == set(names)
    assert paths_of(yaml.safe_load(api.get("/docs/openapi.yaml").data)) == set(names)


def test_both_documents_are_the_same_where_something_is_absent(with_settings):
    api = with_settings("google")
    assert yaml.safe_load(api.get("/docs/openapi.yaml").data) == api.get("/docs/openapi.json").json


def test_the_contract_is_served_as_it_is_written_where_all_is_there(with_settings):
    text = with_settings(*NAMES).get("/docs/openapi.yaml").text
    assert "# " in text or "{$ref: " in text


def test_without_apples_key_its_ways_for_browsers_are_not_in_the_documentation(with_settings):
    paths = with_settings("apple", apple_key_id=None).get("/docs/openapi.json").json["paths"]
    assert [path for path in paths if path.startswith("/auth/apple")] == ["/auth/apple"]


def test_a_path_that_begins_alike_stays_in_the_documentation(make_app):
    paths = make_app().test_client().get("/docs/openapi.json").json["paths"]
    assert {"/auth/providers", "/auth/nonce", "/auth/identities"} <= set(paths)


def test_google_calls_itself_by_two_names(make_settings):
    (google,) = providers.all_of(make_settings(google_client_ids=("x",)))
    assert google.token_issuers == ("https://accounts.google.com", "accounts.google.com")


def test_googles_apps_have_no_secret(make_settings, provider):
    google = providers.find(make_settings(**settings_of(provider)), "google")
    assert google.secret(GOOGLE_WEB) is not None
    assert google.secret(GOOGLE_APP) is None


def test_apples_secret_says_who_we_are_for_some_minutes(make_settings, provider):
    settings = make_settings(**settings_of(provider))
    secret = providers.find(settings, "apple").secret(APPLE_WEB)
    key = ECKey.import_key(settings.apple_private_key.get_secret_value())
    token = jwt.decode(secret, key, ["ES256"])
    claims = token.claims
    assert token.header == {"typ": "JWT", "alg": "ES256", "kid": settings.apple_key_id}
    assert (claims["iss"], claims["aud"], claims["sub"]) == (
        settings.apple_team_id,
        provider.issuer,
        APPLE_WEB,
    )
    assert 0 < claims["exp"] - time.time() <= 300


@pytest.mark.parametrize(
    "key", [ECKey.generate_key("P-384"), RSAKey.generate_key(2048)], ids=["P-384", "RSA"]
)
def test_a_key_that_is_not_apples_kind_is_refused_at_start(make_settings, database_url, key):
    settings = make_settings(database_url=database_url, apple_private_key=key.as_pem(private=True).decode())
    with pytest.raises(SettingsError, match="APPLE_PRIVATE_KEY"):
        create_app(settings)


def test_where_a_browser_goes_is_the_same_in_contract_and_program(api):
    schema = api.get("/docs/openapi.json").json["components"]["schemas"]["OwnPath"]
    assert (schema["pattern"], schema["maxLength"]) == (
        provider_pages.NEXT_PATTERN,
        provider_pages.LONGEST_NEXT,
    )
