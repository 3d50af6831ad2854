"""The settings, README's table and `.env.example` are one and the same."""

import re

from movie_database.settings import SettingRow, checkout_root, describe_settings, example_env

_ROW = re.compile(r"^\| `([A-Z_<>]+)` \| (.*?) \| (.*?) \|$", re.MULTILINE)


def test_every_setting_says_what_it_means():
    assert [row.name for row in describe_settings() if not row.meaning] == []


def test_the_readme_lists_every_setting_with_its_default_and_meaning():
    readme = (checkout_root() / "README.md").read_text("utf-8")
    names = {row.name for row in describe_settings()}
    documented = [SettingRow(*found) for found in _ROW.findall(readme) if found[0] in names]
    assert documented == list(describe_settings())


def test_the_example_file_lists_every_setting_with_its_default_and_meaning():
    assert (checkout_root() / ".env.example").read_text("utf-8") == example_env()
