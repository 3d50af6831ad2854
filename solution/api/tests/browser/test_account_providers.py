"""Providers on the account's pages: what stands in their way is told there, not by an answer of the API."""

import re
import secrets

import pytest
from movie_testing.api_server import free_port, running_api
from movie_testing.our_clients import add_our_clients, variables_of
from movie_testing.running_provider import running_provider
from playwright.sync_api import Page, expect


@pytest.fixture
def provider():
    with running_provider("localhost") as provider:
        provider.set_person(sub=secrets.token_hex(8), email="ann@example.com", email_verified=True)
        yield provider


@pytest.fixture
def server(database_url, provider, tmp_path):
    port = free_port()
    add_our_clients(provider, f"http://127.0.0.1:{port}")
    with running_api(database_url, tmp_path, port=port, web_concurrency=2, **variables_of(provider)) as api:
        yield api


def sign_in(page: Page, server, account) -> None:
    page.goto(f"{server.url}/account/sign-in")
    page.get_by_label("E-mail address").fill(account.email)
    page.get_by_label("Password").fill(account.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ann")
    page.wait_for_load_state("networkidle")


def test_a_provider_is_linked_and_unlinked(server, visit, accounts):
    page = visit.page
    sign_in(page, server, accounts.create())
    page.get_by_role("link", name="Link Google").click()
    page.get_by_role("button", name="Agree").click()
    expect(page.locator("#identities li")).to_contain_text("ann@example.com")
    page.get_by_role("button", name="Unlink Google").click()
    expect(page.locator("#identities-says").get_by_role("status")).to_have_text(
        "Google, ann@example.com is linked no more."
    )
    expect(page.locator("#identities li")).to_have_count(0)
    assert visit.complaints == []


def test_the_last_way_in_stays_until_a_password_is_set(server, visit):
    page = visit.page
    page.goto(f"{server.url}/account/sign-in")
    page.get_by_role("link", name="Continue with Example").click()
    page.get_by_role("button", name="Agree").click()
    page.get_by_role("button", name="Unlink Example").click()
    expect(page.locator("#identities-says").get_by_role("alert")).to_be_focused()
    expect(page.get_by_text("The account has no password yet.")).to_be_visible()
    expect(page.get_by_label("Current password")).to_be_hidden()
    page.get_by_label("New password").fill("a lamp beside the third seat")
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_label("Current password")).to_be_visible()
    page.get_by_role("button", name="Unlink Example").click()
    expect(page.locator("#identities li")).to_have_count(0)


def test_linking_needs_a_fresh_sign_in_and_says_so(server, visit, accounts, database_cursor):
    account = accounts.create()
    sign_in(visit.page, server, account)
    database_cursor.execute("UPDATE sessions SET signed_in_at = now() - interval '16 min'")
    visit.page.get_by_role("link", name="Link Google").click()
    expect(visit.page).to_have_url(re.compile(r"/account/sign-in\?"))
    expect(visit.page.get_by_role("status")).to_contain_text("needs a fresh sign-in")


def test_a_provider_that_is_away_is_told_at_the_form(server, visit, provider):
    provider.stop()
    visit.page.goto(f"{server.url}/account/sign-in")
    visit.page.get_by_role("link", name="Continue with Example").click()
    expect(visit.page.get_by_role("alert")).to_be_focused()
    expect(visit.page.get_by_role("alert")).not_to_be_empty()
    expect(visit.page).to_have_url(f"{server.url}/account/sign-in")


def test_the_cookie_of_a_dead_session_stands_in_nobodys_way(server, visit, accounts, database_cursor):
    sign_in(visit.page, server, accounts.create())
    database_cursor.execute("UPDATE sessions SET ended_at = now()")
    visit.page.goto(f"{server.url}/account/sign-in")
    visit.page.get_by_role("link", name="Continue with Google").click()
    expect(visit.page.get_by_role("button", name="Agree")).to_be_visible()


def test_a_provider_leads_to_where_the_sign_in_was_to_lead(server, visit):
    visit.page.goto(f"{server.url}/account/sign-in?next=/movies%3Fpage_size=2")
    visit.page.get_by_role("link", name="Continue with Google").click()
    visit.page.get_by_role("button", name="Agree").click()
    expect(visit.page).to_have_url(f"{server.url}/movies?page_size=2")
