"""The documentation's files, as they are served."""

import re

import pytest
import yaml


def test_the_contract_is_the_same_in_yaml_and_json(idle_api):
    as_yaml, as_json = idle_api.get("/docs/openapi.yaml"), idle_api.get("/docs/openapi.json")
    assert (as_yaml.mimetype, as_json.mimetype) == ("application/yaml", "application/json")
    assert yaml.safe_load(as_yaml.data) == as_json.json


@pytest.mark.parametrize("address", ["/docs", "/docs/", "/docs/errors", "/docs/errors/no-data"])
def test_a_page_holds_no_script_no_style_and_no_address_of_elsewhere(idle_api, address):
    page = idle_api.get(address)
    assert page.mimetype == "text/html"
    assert not re.search(
        r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=|(src|href)=\"(https?:)?//", page.text
    )
    assert "'unsafe" not in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize("address", ["/docs", "/docs/"])
def test_every_file_of_the_page_is_there(idle_api, address):
    page = idle_api.get(address)
    files = re.findall(r'(?:src|href|data-contract)="([^"]+)"', page.text)
    base = "/docs/" if address.endswith("/") else "/"
    assert len(files) >= 6
    assert {idle_api.get(base + file).status_code for file in files} == {200}


def test_the_start_leads_on(idle_api):
    for address in idle_api.get("/").json.values():
        assert idle_api.get(address).status_code == 200
