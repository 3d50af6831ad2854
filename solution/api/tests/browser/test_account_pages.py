"""The account's pages in a browser: with a mouse, a keyboard, two tabs, and links that mean no good."""

import re
import secrets
from urllib.parse import quote, urlsplit

import pytest
from movie_api import work
from movie_api.accounts.mailing import send_mail
from movie_api.accounts.queries import mails
from movie_api.extensions import db
from movie_database import addresses
from movie_jobs.tasks import Run
from movie_testing import databases
from movie_testing.api_server import running_api
from playwright.sync_api import Page, expect

NEW_PASSWORD = "a lamp beside the third seat"
PAGES = ("", "/sign-in", "/register", "/forgot", "/reset#token=abc", "/verify#token=abc")
# What the browser itself says of an answer that the test means to get.
REFUSED = "console: Failed to load resource: the server responded with a status of 4"


@pytest.fixture(scope="module")
def database_url(server_url, _server, _template):
    """One for all of these tests, in place of each test's own: each has accounts of its own instead."""
    yield from fresh_database(server_url, _server, _template)


@pytest.fixture
def other_database_url(server_url, _server, _template):
    """For a server with other settings."""
    yield from fresh_database(server_url, _server, _template)


def fresh_database(server_url, server, template):
    name = f"pages_{secrets.token_hex(4)}"
    databases.create_database(server, name, template)
    yield addresses.with_database(server_url, name)
    databases.drop_database(server, name)


@pytest.fixture(scope="module")
def server(database_url, tmp_path_factory):
    with running_api(database_url, tmp_path_factory.mktemp("pages"), web_concurrency=2) as api:
        yield api


@pytest.fixture
def mailed_link(server, database_url, make_settings, database_cursor):
    """Has the worker's job write the mail to an address; gives the link in it."""
    settings = make_settings(database_url=database_url, port=urlsplit(server.url).port)

    def read(address: str) -> str:
        database_cursor.execute("SELECT id FROM mails WHERE address = %s AND told IS NULL", (address,))
        (mail_id,) = database_cursor.fetchone()
        send_mail(Run(database_url, settings, 0, {"mail": str(mail_id)}))
        (mail,) = (settings.data_dir / "mails").glob("*.eml")
        return re.search(r"http://\S+#token=[\w-]+", mail.read_text())[0]

    yield read
    if work._app.cache_info().currsize:
        with work._app(database_url, settings).app_context():
            db.engine.dispose()
    work._app.cache_clear()


def fill_in(page: Page, email: str, password: str) -> None:
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def sign_in(page: Page, server, account, query: str = "") -> None:
    page.goto(f"{server.url}/account/sign-in{query}")
    fill_in(page, account.email, account.password)
    page.wait_for_url(lambda url: "/sign-in" not in url)


def sign_in_and_see(page: Page, server, account) -> None:
    sign_in(page, server, account)
    expect(page.get_by_role("heading", level=1)).to_have_text("Ann")
    # Its lists are there as well.
    page.wait_for_load_state("networkidle")


def expect_sign_in(page: Page, notice: str) -> None:
    expect(page).to_have_url(re.compile(r"/account/sign-in\?"))
    expect(page.get_by_role("status")).to_contain_text(notice)


def age(database_cursor, account, minutes: int) -> None:
    database_cursor.execute(
        "UPDATE sessions SET signed_in_at = signed_in_at - %s * interval '1 min' WHERE user_id = %s",
        (minutes, account.id),
    )


def unexpected(complaints: list[str]) -> list[str]:
    return [complaint for complaint in complaints if not complaint.startswith(REFUSED)]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_asks_nobody_else_and_complains_of_nothing(idle_server, visit, path):
    visit.page.goto(f"{idle_server.url}/account{path}")
    expect(visit.page.locator("form:visible")).to_be_visible()
    visit.page.wait_for_load_state("networkidle")
    assert visit.complaints == []
    assert {urlsplit(url).netloc for url in visit.requests} == {urlsplit(idle_server.url).netloc}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_that_the_browser_kept_works_as_at_first(idle_server, visit, path):
    for _ in range(2):
        visit.page.goto("about:blank")
        visit.page.goto(f"{idle_server.url}/account{path}")
        expect(visit.page.locator("form:visible")).to_be_visible()
    assert visit.complaints == []


@pytest.mark.parametrize("path", PAGES)
def test_a_page_fits_a_phone(idle_server, visit, path):
    visit.page.set_viewport_size({"width": 320, "height": 600})
    visit.page.goto(f"{idle_server.url}/account{path}")
    expect(visit.page.locator("form:visible")).to_be_visible()
    assert visit.page.evaluate("document.documentElement.scrollWidth") == 320


def test_the_whole_account_fits_a_phone(server, visit, accounts):
    account = accounts.create(email=f"{'ann' * 20}@{'films' * 10}.example")
    accounts.key(account)
    sign_in_and_see(visit.page, server, account)
    visit.page.set_viewport_size({"width": 320, "height": 600})
    assert visit.page.evaluate("document.documentElement.scrollWidth") == 320


def test_without_scripts_no_form_is_there_that_would_send_a_password_in_an_address(idle_server, browser):
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{idle_server.url}/account/sign-in")
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        expect(page.locator("form")).to_be_hidden()


def test_who_registers_and_confirms_can_sign_in_and_sees_the_name(server, visit, mailed_link):
    page = visit.page
    page.goto(f"{server.url}/account/sign-in")
    page.get_by_role("link", name="Make an account").click()
    page.get_by_label("Name").fill("Zoë Ålund")
    page.get_by_label("E-mail address").fill("zoe@example.com")
    page.get_by_label("Password").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Make the account").click()
    expect(page.get_by_role("status")).to_contain_text("A mail is on its way")
    page.goto(mailed_link("zoe@example.com"))
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("status")).to_contain_text("sign in as zoe@example.com")
    page.get_by_role("link", name="Sign in").click()
    fill_in(page, "zoe@example.com", NEW_PASSWORD)
    expect(page.get_by_role("heading", level=1)).to_have_text("Zoë Ålund")
    page.wait_for_load_state("networkidle")
    assert visit.complaints == []


def test_the_page_of_a_link_takes_the_token_out_of_the_address_and_does_nothing_by_itself(
    server, visit, mailed_link, app
):
    with app.app_context():
        mails.ask_registration("bea@example.com", "Bea", "no hash")
    address, _, token = mailed_link("bea@example.com").partition("#token=")
    visit.page.goto(f"{address}#token={token}")
    expect(visit.page.get_by_role("button", name="Confirm")).to_be_visible()
    visit.page.wait_for_load_state("networkidle")
    assert visit.page.url == address
    assert [url for url in visit.requests if "/auth/" in url] == []
    assert [url for url in visit.requests if token in urlsplit(url).path + urlsplit(url).query] == []


def test_a_link_that_was_used_says_so(server, visit):
    visit.page.goto(f"{server.url}/account/verify#token=used")
    visit.page.get_by_role("button", name="Confirm").click()
    expect(visit.page.get_by_role("alert")).to_contain_text("The link was used, is out of date")
    expect(visit.page.get_by_role("alert")).to_be_focused()


def test_a_link_without_its_token_says_so(idle_server, visit):
    visit.page.goto(f"{idle_server.url}/account/reset")
    expect(visit.page.get_by_role("alert")).to_have_text(
        "The link is not whole. Open it from the mail once more."
    )
    expect(visit.page.get_by_role("button")).to_have_count(0)


def test_a_second_link_in_the_same_tab_is_the_one_that_counts(server, visit, mailed_link, app):
    with app.app_context():
        mails.ask_registration("cia@example.com", "Cia", "no hash")
    address, _, token = mailed_link("cia@example.com").partition("#token=")
    visit.page.goto(f"{address}#token=old")
    expect(visit.page).to_have_url(address)
    visit.page.evaluate("(token) => { location.hash = `token=${token}` }", token)
    expect(visit.page).to_have_url(address)
    visit.page.get_by_role("button", name="Confirm").click()
    expect(visit.page.get_by_role("status")).to_contain_text("The account is there")


def test_a_forgotten_password_is_set_anew_and_the_old_one_refused(server, visit, accounts, mailed_link):
    page, account = visit.page, accounts.create()
    page.goto(f"{server.url}/account/sign-in")
    page.get_by_role("link", name="Forgotten the password?").click()
    page.get_by_label("E-mail address").fill(account.email)
    page.get_by_role("button", name="Send the mail").click()
    expect(page.get_by_role("status")).to_contain_text("If there is such an account")
    page.goto(mailed_link(account.email))
    page.get_by_label("New password").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Set the password").click()
    expect(page.get_by_role("status")).to_contain_text("The password is set")
    page.get_by_role("link", name="Sign in").click()
    fill_in(page, account.email, account.password)
    expect(page.get_by_role("alert")).to_have_text("The address or the password is wrong.")
    fill_in(page, account.email, NEW_PASSWORD)
    expect(page.get_by_role("heading", level=1)).to_have_text("Ann")
    assert unexpected(visit.complaints) == []


def test_a_wrong_password_is_told_at_the_form_which_has_the_focus_then(server, visit, accounts):
    visit.page.goto(f"{server.url}/account/sign-in")
    fill_in(visit.page, accounts.create().email, "not this one")
    expect(visit.page.get_by_role("alert")).to_have_text("The address or the password is wrong.")
    expect(visit.page.get_by_role("alert")).to_be_focused()
    assert unexpected(visit.complaints) == []


def test_a_weak_password_is_told_at_its_field(server, visit):
    page = visit.page
    page.goto(f"{server.url}/account/register")
    page.get_by_label("Name").fill("Zoë")
    page.get_by_label("E-mail address").fill("zoe@example.com")
    page.get_by_label("Password").fill("aaaaaaaaaaaa")
    page.get_by_role("button", name="Make the account").click()
    field = page.get_by_label("Password")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(re.compile(r"Is one of the commonest passwords\.$"))
    expect(page.get_by_role("alert")).to_have_text("The password is one of the commonest passwords.")


def test_too_many_tries_are_told_with_the_time_to_wait(other_database_url, tmp_path, visit):
    with running_api(other_database_url, tmp_path, sign_in_limit="1/10m") as api:
        visit.page.goto(f"{api.url}/account/sign-in")
        fill_in(visit.page, "ann@example.com", "not this one")
        expect(visit.page.get_by_role("alert")).to_contain_text("wrong")
        fill_in(visit.page, "ann@example.com", "nor this one")
        expect(visit.page.get_by_role("alert")).to_contain_text(re.compile(r"Try again in (10|9) minutes\.$"))


def test_a_server_that_is_away_is_told(server, visit, accounts):
    visit.page.goto(f"{server.url}/account/sign-in")
    visit.page.wait_for_load_state("networkidle")
    visit.page.context.set_offline(True)
    fill_in(visit.page, accounts.create().email, "whatever it is")
    expect(visit.page.get_by_role("alert")).to_contain_text("The server can't be reached.")


def test_who_is_not_signed_in_is_sent_to_the_sign_in_and_back(server, visit, accounts):
    visit.page.goto(f"{server.url}/account")
    expect(visit.page).to_have_url(f"{server.url}/account/sign-in?next=%2Faccount")
    account = accounts.create()
    fill_in(visit.page, account.email, account.password)
    expect(visit.page).to_have_url(f"{server.url}/account")
    assert visit.complaints == []


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example/",
        "/\t/evil.example/",
        "/\n/evil.example/",
        "https://evil.example/",
        "https:evil.example/",
        "javascript:alert(1)",
        "data:text/html,evil",
        "evil",
        "",
    ],
)
def test_who_signs_in_is_led_nowhere_else(server, visit, accounts, target):
    sign_in(visit.page, server, accounts.create(), f"?next={quote(target)}")
    expect(visit.page).to_have_url(f"{server.url}/account")
    assert {urlsplit(url).netloc for url in visit.requests} == {urlsplit(server.url).netloc}


@pytest.mark.parametrize("path", ["/docs", "/movies?page_size=1", "/.//evil.example/", "/..//evil.example/"])
def test_who_signs_in_is_led_to_a_path_of_ours(server, visit, accounts, path):
    sign_in(visit.page, server, accounts.create(), f"?next={quote(path)}")
    assert urlsplit(visit.page.url).netloc == urlsplit(server.url).netloc
    assert path.startswith("/.") or visit.page.url == server.url + path


def test_a_notice_in_the_address_is_one_of_ours_or_none(idle_server, visit):
    visit.page.goto(f"{idle_server.url}/account/sign-in?notice=Call+us+at+once")
    expect(visit.page.get_by_role("button", name="Sign in")).to_be_visible()
    expect(visit.page.get_by_role("status")).to_be_empty()


def test_a_name_is_shown_as_it_is_and_saved(server, visit, accounts):
    page = visit.page
    sign_in_and_see(page, server, accounts.create())
    page.get_by_label("What you are called here").fill("<img src=x onerror=alert(1)>")
    page.get_by_role("button", name="Save the name").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("<img src=x onerror=alert(1)>")
    expect(page.locator("#name-form").get_by_role("status")).to_have_text("The name is saved.")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("<img src=x onerror=alert(1)>")
    assert visit.complaints == []


def test_another_address_is_the_accounts_when_its_link_is_confirmed(server, visit, accounts, mailed_link):
    page = visit.page
    sign_in_and_see(page, server, accounts.create())
    page.get_by_label("New address").fill("ann.new@example.com")
    page.get_by_role("button", name="Change the address").click()
    expect(page.locator("#email-form").get_by_role("status")).to_contain_text("A mail is on its way")
    page.goto(mailed_link("ann.new@example.com"))
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("status")).to_contain_text("has the address ann.new@example.com now")
    assert visit.complaints == []


def test_a_changed_password_ends_the_other_sessions_and_keeps_this_one(server, visit, accounts):
    page, account = visit.page, accounts.create()
    accounts.session(account)
    sign_in_and_see(page, server, account)
    expect(page.locator("#sessions li")).to_have_count(2)
    page.get_by_label("Current password").fill(account.password)
    page.get_by_label("New password").fill(NEW_PASSWORD)
    page.get_by_role("button", name="Set the password").click()
    expect(page.locator("#password-form").get_by_role("status")).to_contain_text("The password is set.")
    expect(page.locator("#sessions li")).to_have_count(1)
    expect(page.get_by_label("Current password")).to_have_value("")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ann")
    assert visit.complaints == []


def test_a_session_is_ended_from_the_list(server, visit, accounts):
    page, account = visit.page, accounts.create()
    accounts.session(account)
    sign_in_and_see(page, server, account)
    page.locator("#sessions li", has_not_text="this one").get_by_role("button").click()
    expect(page.locator("#sessions-says").get_by_role("status")).to_be_focused()
    expect(page.locator("#sessions li")).to_have_count(1)
    expect(page.locator("#sessions li")).to_contain_text("this one")


def test_ending_this_session_is_signing_out(server, visit, accounts):
    sign_in_and_see(visit.page, server, accounts.create())
    visit.page.locator("#sessions li", has_text="this one").get_by_role("button").click()
    expect_sign_in(visit.page, "You are signed out.")
    assert visit.page.context.cookies() == []


def test_a_key_is_made_shown_once_and_revoked(server, visit, accounts):
    page = visit.page
    sign_in_and_see(page, server, accounts.create())
    page.get_by_text("Make a key", exact=True).click()
    page.get_by_label("What it is for").fill("nightly <b>export</b>")
    page.get_by_label("Read this account").check()
    page.get_by_role("button", name="Make the key").click()
    key = page.get_by_label("The new key.")
    expect(key).to_be_focused()
    headers = {"Authorization": f"Bearer {key.input_value()}"}
    assert page.request.get(f"{server.url}/auth/user", headers=headers).status == 200
    page.reload()
    expect(page.locator("#keys li")).to_contain_text("nightly <b>export</b>")
    expect(page.get_by_label("The new key.")).to_be_hidden()
    page.get_by_role("button", name="Revoke the key nightly").click()
    expect(page.locator("#keys-says").get_by_role("status")).to_contain_text("is revoked")
    expect(page.get_by_role("button", name="Revoke the key")).to_have_count(0)
    assert page.request.get(f"{server.url}/auth/user", headers=headers).status == 401
    assert visit.complaints == []


def test_a_made_key_is_copied(server, visit, accounts):
    visit.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    sign_in_and_see(visit.page, server, accounts.create())
    visit.page.get_by_text("Make a key", exact=True).click()
    visit.page.get_by_label("What it is for").fill("export")
    visit.page.get_by_label("Read this account").check()
    visit.page.get_by_role("button", name="Make the key").click()
    visit.page.get_by_role("button", name="Copy").click()
    expect(visit.page.locator("#copied")).to_have_text("Copied.")
    copied = visit.page.evaluate("navigator.clipboard.readText()")
    assert copied == visit.page.get_by_label("The new key.").input_value()


def test_a_key_without_a_scope_is_refused_at_its_field(server, visit, accounts):
    sign_in_and_see(visit.page, server, accounts.create())
    visit.page.get_by_text("Make a key", exact=True).click()
    visit.page.get_by_label("What it is for").fill("export")
    visit.page.get_by_role("button", name="Make the key").click()
    expect(visit.page.locator("#scopes-fault")).to_contain_text("Must be one or more of")
    expect(visit.page.get_by_label("Read this account")).to_be_focused()


def test_what_needs_a_fresh_sign_in_leads_there_and_says_why(server, visit, accounts, database_cursor):
    page, account = visit.page, accounts.create()
    sign_in_and_see(page, server, account)
    age(database_cursor, account, minutes=16)
    page.get_by_role("button", name="Delete the account").click()
    page.get_by_role("button", name="Delete it for ever").click()
    expect_sign_in(page, "needs a fresh sign-in")
    fill_in(page, account.email, account.password)
    expect(page.get_by_role("heading", level=1)).to_have_text("Ann")
    assert unexpected(visit.complaints) == []


def test_a_deleted_account_is_gone_and_only_after_it_was_asked_for_twice(server, visit, accounts):
    page, account = visit.page, accounts.create()
    sign_in_and_see(page, server, account)
    page.get_by_role("button", name="Delete the account").click()
    page.get_by_role("button", name="Keep it").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.get_by_role("button", name="Delete the account").click()
    page.get_by_role("button", name="Delete it for ever").click()
    expect_sign_in(page, "The account is deleted.")
    fill_in(page, account.email, account.password)
    expect(page.get_by_role("alert")).to_have_text("The address or the password is wrong.")
    assert unexpected(visit.complaints) == []


def test_the_last_admin_is_told_that_it_stays(server, visit, accounts, database_cursor):
    database_cursor.execute("UPDATE users SET role = 'user'")
    sign_in_and_see(visit.page, server, accounts.create(role="admin"))
    visit.page.get_by_role("button", name="Delete the account").click()
    visit.page.get_by_role("button", name="Delete it for ever").click()
    alert = visit.page.locator("#data-says").get_by_role("alert")
    expect(alert).to_contain_text("admin")
    expect(alert).to_be_focused()


def test_the_export_is_downloaded(server, visit, accounts):
    account = accounts.create()
    sign_in_and_see(visit.page, server, account)
    with visit.page.expect_download() as download:
        visit.page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "account.json"
    assert account.email in download.value.path().read_text("utf-8")


def test_signing_out_in_one_tab_sends_the_other_to_the_sign_in(server, visit, accounts):
    sign_in_and_see(visit.page, server, accounts.create())
    other = visit.page.context.new_page()
    other.goto(f"{server.url}/account")
    expect(other.get_by_role("heading", level=1)).to_have_text("Ann")
    visit.page.get_by_role("button", name="Sign out").click()
    expect_sign_in(visit.page, "You are signed out.")
    expect_sign_in(other, "You are signed out.")
    assert visit.complaints == []


def test_going_back_after_signing_out_shows_nothing_of_the_account(server, visit, accounts):
    sign_in_and_see(visit.page, server, accounts.create())
    visit.page.get_by_role("link", name="Documentation").click()
    expect(visit.page.get_by_role("link", name="Account", exact=True)).to_be_visible()
    visit.page.context.clear_cookies()
    visit.page.go_back()
    expect(visit.page).to_have_url(re.compile(r"/account/sign-in\?"))


def test_a_session_that_was_ended_elsewhere_leads_to_the_sign_in(server, visit, accounts, database_cursor):
    page, account = visit.page, accounts.create()
    sign_in_and_see(page, server, account)
    database_cursor.execute("UPDATE sessions SET ended_at = now() WHERE user_id = %s", (account.id,))
    page.get_by_role("button", name="Save the name").click()
    expect(page).to_have_url(re.compile(r"/account/sign-in\?"))
    fill_in(page, account.email, account.password)
    expect(page.get_by_role("heading", level=1)).to_have_text("Ann")
    assert unexpected(visit.complaints) == []


def test_who_still_has_the_cookie_of_a_dead_session_signs_in_at_the_first_try(
    server, visit, accounts, database_cursor
):
    account = accounts.create()
    sign_in_and_see(visit.page, server, account)
    database_cursor.execute("UPDATE sessions SET ended_at = now() WHERE user_id = %s", (account.id,))
    sign_in_and_see(visit.page, server, account)


def test_an_access_token_that_is_over_is_refreshed_without_a_word(server, visit, accounts):
    page = visit.page
    sign_in_and_see(page, server, accounts.create())
    page.context.clear_cookies(name=re.compile("^movie_(access|csrf)$"))
    page.get_by_label("What you are called here").fill("Bea")
    page.get_by_role("button", name="Save the name").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Bea")
    assert visit.complaints == []


def test_two_tabs_that_refresh_at_once_both_go_on(server, visit, accounts):
    sign_in_and_see(visit.page, server, accounts.create())
    tabs = [visit.page, visit.page.context.new_page(), visit.page.context.new_page()]
    for _ in range(3):
        visit.page.context.clear_cookies(name=re.compile("^movie_(access|csrf)$"))
        for tab in tabs:
            tab.goto(f"{server.url}/account", wait_until="commit")
        for tab in tabs:
            expect(tab.get_by_role("heading", level=1)).to_have_text("Ann")
    assert unexpected(visit.complaints) == []


def test_signing_in_is_done_by_the_keyboard_alone(server, visit, accounts):
    account = accounts.create()
    visit.page.goto(f"{server.url}/account/sign-in")
    expect(visit.page.get_by_label("E-mail address")).to_be_focused()
    visit.page.keyboard.type(account.email)
    visit.page.keyboard.press("Tab")
    visit.page.keyboard.type(account.password)
    visit.page.keyboard.press("Enter")
    expect(visit.page.get_by_role("heading", level=1)).to_have_text("Ann")


def test_where_registration_is_closed_nothing_leads_to_it_and_its_page_says_so(
    other_database_url, tmp_path, visit
):
    with running_api(other_database_url, tmp_path, registration="false") as api:
        visit.page.goto(f"{api.url}/account/sign-in")
        expect(visit.page.get_by_role("link", name="Forgotten the password?")).to_be_visible()
        expect(visit.page.get_by_role("link", name="Make an account")).to_have_count(0)
        visit.page.goto(f"{api.url}/account/register")
        expect(visit.page.get_by_text("Nobody can register on this server.")).to_be_visible()
        assert visit.complaints == []
