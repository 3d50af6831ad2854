"""Swagger UI in a browser: everything it needs comes from here, and it works."""

import re
from urllib.parse import urlsplit

import pytest
from movie_testing.api_server import running_api
from playwright.sync_api import expect

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture
def server(database_url, movies, tmp_path):
    movies.create(title="The Night Heist", rating=9.1, genres=("Action", "Crime"))
    with running_api(database_url, tmp_path, web_concurrency=2) as api:
        yield api


def try_out(page, operation: str) -> None:
    block = page.locator(f"#operations-{operation}")
    block.locator(".opblock-summary-control").click()
    block.get_by_role("button", name="Try it out").click()
    block.get_by_role("button", name="Execute").click()


def authorize(page, token: str) -> None:
    page.get_by_role("button", name="Authorize").first.click()
    dialog = page.locator(".modal-ux")
    dialog.locator("input").first.fill(token)
    dialog.get_by_role("button", name="Apply credentials").first.click()
    dialog.get_by_role("button", name="Close").first.click()


def sign_in(page, server, account) -> None:
    page.goto(f"{server.url}/account/sign-in")
    page.get_by_label("E-mail address").fill(account.email)
    page.get_by_label("Password").fill(account.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{server.url}/account")
    page.goto(f"{server.url}/docs")


def status_of(page, operation: str):
    return page.locator(f"#operations-{operation} .live-responses-table tbody .response-col_status").first


def operations(server, page) -> list[str]:
    paths = page.request.get(f"{server.url}/docs/openapi.json").json()["paths"]
    return [
        operation["operationId"]
        for methods in paths.values()
        for method, operation in methods.items()
        if method in METHODS
    ]


@pytest.mark.parametrize("path", ["/docs", "/docs/"])
def test_the_docs_show_every_operation_and_ask_nobody_else(idle_server, visit, path):
    visit.page.goto(idle_server.url + path)
    expect(visit.page.locator(".opblock")).to_have_count(len(operations(idle_server, visit.page)))
    assert visit.complaints == []
    assert {urlsplit(url).netloc for url in visit.requests} == {urlsplit(idle_server.url).netloc}


@pytest.mark.parametrize("path", ["/docs", "/docs/errors", "/docs/errors/no-such-movie"])
def test_a_page_that_the_browser_kept_is_as_good_as_new(idle_server, visit, path):
    for _ in range(2):
        visit.page.goto(idle_server.url + path)
        expect(visit.page.locator("h1, h2").first).to_be_visible()
        assert visit.page.evaluate(
            "document.styleSheets.length > 0 && document.styleSheets[0].cssRules.length > 0"
        )


def test_try_it_out_gives_the_action_movies_above_8_5(server, visit, tmp_path):
    visit.page.goto(f"{server.url}/docs")
    try_out(visit.page, "movies-list_movies")
    answer = visit.page.locator("#operations-movies-list_movies .live-responses-table")
    expect(answer.locator("tbody .response-col_status").first).to_contain_text("200")
    expect(answer).to_contain_text("The Night Heist")
    visit.page.screenshot(path=tmp_path / "list.png", full_page=True)
    assert visit.complaints == []
    assert {urlsplit(url).netloc for url in visit.requests} == {urlsplit(server.url).netloc}


def test_with_an_editors_key_try_it_out_makes_the_movie_of_the_example(server, visit, accounts):
    visit.page.goto(f"{server.url}/docs")
    authorize(visit.page, accounts.key(accounts.create(role="editor")))
    try_out(visit.page, "movies-create_movie")
    answer = visit.page.locator("#operations-movies-create_movie .live-responses-table")
    expect(answer.locator("tbody .response-col_status").first).to_contain_text("201")
    expect(answer).to_contain_text("La dernière bobine")
    assert visit.complaints == []


def test_a_problem_leads_to_the_page_that_explains_it(idle_server, visit):
    problem = visit.page.request.get(f"{idle_server.url}/movies?genr=Action").json()
    visit.page.goto(idle_server.url + problem["type"])
    expect(visit.page.get_by_role("heading")).to_have_text(problem["title"])
    visit.page.get_by_role("link", name="All kinds of problems").click()
    expect(visit.page).to_have_url(re.compile("/docs/errors$"))
    visit.page.get_by_role("link", name="There is no such movie").click()
    expect(visit.page).to_have_url(re.compile("/docs/errors/no-such-movie$"))
    assert visit.complaints == []


def test_what_needs_an_account_is_refused_without_one(server, visit):
    visit.page.goto(f"{server.url}/docs")
    try_out(visit.page, "movies-create_movie")
    expect(status_of(visit.page, "movies-create_movie")).to_contain_text("401")


def test_a_session_of_this_browser_reads_and_writes_what_is_tried_out(server, visit, accounts):
    sign_in(visit.page, server, accounts.create(role="editor", display_name="Ann the Editor"))
    try_out(visit.page, "accounts-get_user")
    expect(visit.page.locator("#operations-accounts-get_user .live-responses-table")).to_contain_text(
        "Ann the Editor"
    )
    try_out(visit.page, "movies-create_movie")
    expect(status_of(visit.page, "movies-create_movie")).to_contain_text("201")
    assert visit.complaints == []


def test_a_session_whose_access_token_is_over_is_refreshed_first(server, visit, accounts):
    sign_in(visit.page, server, accounts.create(role="editor"))
    visit.page.context.clear_cookies(name=re.compile("^movie_(access|csrf)$"))
    try_out(visit.page, "movies-create_movie")
    expect(status_of(visit.page, "movies-create_movie")).to_contain_text("201")
    assert visit.complaints == []


def test_a_given_key_comes_before_the_session(server, visit, accounts):
    sign_in(visit.page, server, accounts.create(role="editor"))
    authorize(visit.page, accounts.key(accounts.create(role="user")))
    try_out(visit.page, "movies-create_movie")
    expect(status_of(visit.page, "movies-create_movie")).to_contain_text("403")


def test_the_docs_lead_to_the_sign_in_which_leads_back(server, visit, accounts):
    visit.page.goto(f"{server.url}/docs")
    visit.page.get_by_role("link", name="Sign in").click()
    expect(visit.page).to_have_url(f"{server.url}/account/sign-in?next=/docs")
    account = accounts.create()
    visit.page.get_by_label("E-mail address").fill(account.email)
    visit.page.get_by_label("Password").fill(account.password)
    visit.page.get_by_role("button", name="Sign in").click()
    expect(visit.page).to_have_url(f"{server.url}/docs")


def test_the_docs_lead_who_is_signed_in_to_the_account(server, visit, accounts):
    sign_in(visit.page, server, accounts.create())
    visit.page.get_by_role("link", name="Account", exact=True).click()
    expect(visit.page).to_have_url(f"{server.url}/account")
