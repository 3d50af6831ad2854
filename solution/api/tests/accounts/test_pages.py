"""The account's pages, as they are served: what they may do, how they are kept, and where they lead."""

import re
from urllib.parse import urljoin

import pytest

PAGES = ["/account", *(f"/account/{name}" for name in ("sign-in", "register", "forgot", "reset", "verify"))]
ASSETS = ["/account/assets/account.css", "/account/assets/api.js", "/account/assets/account.js"]
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def links(page) -> list[str]:
    return re.findall(r'(?:src|href)="([^"]+)"', page.text)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_may_run_our_files_and_nothing_else(idle_api, path):
    page = idle_api.get(path)
    assert (page.status_code, page.mimetype) == (200, "text/html")
    assert page.headers["Content-Security-Policy"] == POLICY
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("path", PAGES)
def test_a_page_holds_no_script_no_style_and_no_address_of_elsewhere(idle_api, path):
    text = idle_api.get(path).text
    assert not re.search(
        r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\son\w+=|(src|href|action)=\"(https?:)?//", text
    )


@pytest.mark.parametrize("path", PAGES)
def test_all_that_a_page_leads_to_is_there(idle_api, path):
    paths = {urljoin(path, link) for link in links(idle_api.get(path))}
    assert len(paths) >= 5
    assert {one: idle_api.get(one).status_code for one in paths} == dict.fromkeys(paths, 200)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_says_what_is_the_matter_where_scripts_are_off(idle_api, path):
    assert "<noscript>" in idle_api.get(path).text


@pytest.mark.parametrize("path", PAGES)
def test_every_field_of_a_page_has_a_label_and_one_id(idle_api, path):
    text = idle_api.get(path).text
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert sorted(set(ids)) == sorted(ids)
    for field in re.findall(r"<input[^>]*>", text):
        # Those in a label need no more, nor does the one that is for password managers alone.
        if 'type="checkbox"' not in field and "aria-hidden" not in field:
            identifier = re.search(r'\bid="([^"]+)"', field)[1]
            assert f'for="{identifier}"' in text


@pytest.mark.parametrize("path", PAGES + ASSETS)
def test_who_has_a_page_already_is_told_so_with_the_policy_that_goes_with_it(idle_api, path):
    first = idle_api.get(path)
    again = idle_api.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert first.headers["Cache-Control"] == "public, no-cache"
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["Content-Security-Policy"] == first.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", PAGES + ASSETS)
def test_head_answers_what_get_does_without_a_body(idle_api, path):
    whole, head = idle_api.get(path), idle_api.head(path)
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["ETag"] == whole.headers["ETag"]
    assert head.headers["Content-Length"] == whole.headers["Content-Length"]


@pytest.mark.parametrize("path", PAGES + ASSETS)
def test_a_page_does_not_look_at_what_a_browser_still_has(idle_api, path):
    fresh = idle_api.get(path)
    worn = idle_api.get(
        path, headers={"Cookie": "movie_access=worn; movie_refresh=out", "Authorization": "Bearer none"}
    )
    assert (worn.status_code, worn.data) == (200, fresh.data)
    assert "Set-Cookie" not in worn.headers


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_the_same_whatever_stands_behind_it(idle_api, path):
    assert idle_api.get(f"{path}?next=//evil.example/<script>").data == idle_api.get(path).data


@pytest.mark.parametrize("path", PAGES)
def test_nothing_is_posted_to_a_page(idle_api, path):
    assert idle_api.post(path, data={"email": "ann@example.com", "password": "secret"}).status_code == 405


@pytest.mark.parametrize("path", ["/account/assets/none.js", "/account/assets/../pages.py", "/account/none"])
def test_nothing_else_is_below_account(idle_api, path):
    assert idle_api.get(path).status_code == 404


@pytest.mark.parametrize("path", [path for path in ASSETS if path.endswith(".js")])
def test_a_script_is_of_a_type_that_browsers_run_as_a_module(idle_api, path):
    assert idle_api.get(path).mimetype in ("text/javascript", "application/javascript")


def test_nothing_leads_to_registration_where_it_is_closed(make_app):
    api = make_app(registration=False).test_client()
    assert "../account/register" not in links(api.get("/account/sign-in"))
    page = api.get("/account/register").text
    assert "Nobody can register on this server." in page
    assert "<form" not in page


def test_where_no_mail_can_be_sent_no_page_asks_for_one(make_app):
    api = make_app(host="192.0.2.1").test_client()
    assert links(api.get("/account/sign-in")).count("../account/forgot") == 0
    assert "Nobody can register" in api.get("/account/register").text
    assert "can send no mails" in api.get("/account/forgot").text
    assert "the address can't be changed" in api.get("/account").text


def test_where_mails_go_by_a_server_all_pages_are_open(make_app):
    api = make_app(
        host="192.0.2.1", smtp_host="mail.example.com", public_url="https://movies.example.com/api"
    ).test_client()
    assert "../account/register" in links(api.get("/account/sign-in"))
    assert "<form" in api.get("/account/register").text


@pytest.mark.parametrize("path", ["/account", "/account/register", "/account/forgot"])
def test_who_runs_the_server_is_told_where_its_mails_are_until_they_are_sent(make_app, path):
    without, with_one = make_app(), make_app(smtp_host="mail.example.com", public_url="http://127.0.0.1:5000")
    assert "DATA_DIR/mails" in without.test_client().get(path).text
    assert "DATA_DIR/mails" not in with_one.test_client().get(path).text
