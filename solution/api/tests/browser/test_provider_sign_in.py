"""Signing in through a provider in a browser; the provider is another site, as in earnest."""

import re
import secrets

import pytest
from movie_testing.api_server import free_port, running_api
from movie_testing.our_clients import add_our_clients, variables_of
from movie_testing.running_provider import running_provider
from playwright.sync_api import Page, expect

# What the browser itself says of a page whose status is no success.
REFUSED = "console: Failed to load resource: the server responded with a status of 400"


@pytest.fixture(scope="module")
def provider():
    # To a browser, localhost and 127.0.0.1 are two sites.
    with running_provider("localhost") as provider:
        yield provider


@pytest.fixture
def server(database_url, provider, tmp_path):
    port = free_port()
    add_our_clients(provider, f"http://127.0.0.1:{port}")
    with running_api(database_url, tmp_path, port=port, web_concurrency=2, **variables_of(provider)) as api:
        yield api


@pytest.fixture
def person(provider) -> dict:
    person = {
        "sub": secrets.token_hex(8),
        "email": f"{secrets.token_hex(6)}@example.com",
        "email_verified": True,
        "apple_name": {"firstName": "Ann", "lastName": "Other"},
    }
    provider.set_person(**person)
    return person


def user_of(page: Page, server) -> dict:
    answer = page.request.get(f"{server.url}/auth/user")
    assert answer.status == 200
    return answer.json()


def begin(page: Page, server, title: str) -> None:
    page.goto(f"{server.url}/account/sign-in")
    page.get_by_role("link", name=f"Continue with {title}").click()


@pytest.mark.parametrize("title", ["Google", "Example"])
def test_a_browser_signs_in_through_a_provider(server, provider, person, visit, title):
    begin(visit.page, server, title)
    visit.page.get_by_role("button", name="Agree").click()
    expect(visit.page).to_have_url(f"{server.url}/account")
    assert user_of(visit.page, server)["email"] == person["email"]
    assert visit.complaints == []


def test_what_apple_has_posted_from_another_site_signs_in(server, provider, person, visit):
    posts = []
    visit.page.on("request", lambda one: posts.append(one) if one.method == "POST" else None)
    begin(visit.page, server, "Apple")
    visit.page.get_by_role("button", name="Agree").click()
    visit.page.get_by_role("button", name="Go back").click()
    expect(visit.page).to_have_url(f"{server.url}/account")
    user = user_of(visit.page, server)
    assert (user["display_name"], user["email"]) == ("Ann Other", person["email"])
    # The post itself came without the cookie that tells this browser from others.
    (post,) = [one for one in posts if one.url == f"{server.url}/auth/apple/callback"]
    assert "cookie" not in post.all_headers()
    assert visit.complaints == []


def test_who_does_not_agree_is_told_and_can_go_back(server, provider, person, visit):
    begin(visit.page, server, "Google")
    visit.page.get_by_role("button", name="No").click()
    expect(visit.page.get_by_role("heading")).to_have_text("You are not signed in")
    expect(visit.page.get_by_text("Google signed nobody in.")).to_be_visible()
    visit.page.get_by_role("link", name="Try again").click()
    expect(visit.page).to_have_url(f"{server.url}/account/sign-in")
    assert [one for one in visit.complaints if not one.startswith(REFUSED)] == []


def test_a_way_that_another_browser_began_is_not_ended_here(server, provider, person, visit, browser):
    with browser.new_context() as context:
        thief = context.new_page()
        # The thief stops at the last step, and has somebody else open it.
        thief.route("**/callback**", lambda route: route.abort())
        begin(thief, server, "Google")
        with thief.expect_request("**/callback**") as caught:
            thief.get_by_role("button", name="Agree").click()
    visit.page.goto(f"{server.url}/auth/google/start")
    visit.page.goto(caught.value.url)
    expect(visit.page.get_by_text("not begun in this browser")).to_be_visible()
    assert visit.page.request.get(f"{server.url}/auth/user").status == 401


def test_an_account_links_a_provider_and_signs_in_by_it(server, provider, person, visit, accounts):
    account = accounts.create()
    visit.page.goto(f"{server.url}/account/sign-in")
    visit.page.get_by_label("E-mail").fill(account.email)
    visit.page.get_by_label("Password", exact=True).fill(account.password)
    visit.page.get_by_role("button", name="Sign in").click()
    visit.page.get_by_role("link", name="Link Google").click()
    visit.page.get_by_role("button", name="Agree").click()
    expect(visit.page).to_have_url(re.compile(f"{server.url}/account"))
    expect(visit.page.locator("#identities")).to_contain_text(person["email"])
    visit.page.context.clear_cookies()
    begin(visit.page, server, "Google")
    visit.page.get_by_role("button", name="Agree").click()
    expect(visit.page).to_have_url(f"{server.url}/account")
    assert user_of(visit.page, server)["id"] == account.id
