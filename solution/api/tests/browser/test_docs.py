"""Swagger UI in a browser: everything it needs comes from here, and it works."""

import re
from urllib.parse import urlsplit

import pytest
from movie_testing.api_server import running_api
from playwright.sync_api import expect


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


@pytest.mark.parametrize("path", ["/docs", "/docs/"])
def test_the_docs_show_every_operation_and_ask_nobody_else(idle_server, visit, path):
    visit.page.goto(idle_server.url + path)
    expect(visit.page.locator(".opblock")).to_have_count(11)
    assert visit.complaints == []
    assert {urlsplit(url).netloc for url in visit.requests} == {urlsplit(idle_server.url).netloc}


def test_try_it_out_gives_the_action_movies_above_8_5(server, visit, tmp_path):
    visit.page.goto(f"{server.url}/docs")
    try_out(visit.page, "movies-list_movies")
    answer = visit.page.locator("#operations-movies-list_movies .live-responses-table")
    expect(answer.locator("tbody .response-col_status").first).to_contain_text("200")
    expect(answer).to_contain_text("The Night Heist")
    visit.page.screenshot(path=tmp_path / "list.png", full_page=True)
    assert visit.complaints == []
    assert {urlsplit(url).netloc for url in visit.requests} == {urlsplit(server.url).netloc}


def test_try_it_out_makes_the_movie_of_the_example(server, visit):
    visit.page.goto(f"{server.url}/docs")
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
