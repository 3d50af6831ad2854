"""The contract, the table of filters and the map of addresses say the same, each way."""

import re
from contextlib import closing
from importlib.metadata import version
from pathlib import Path

import movie_api
import psycopg2
import pytest
import yaml
from movie_api.genres.schemas import GENRE_PATTERN, MAXIMUM_GENRE_CHARACTERS
from movie_api.http.pages import DEFAULT_PAGE_SIZE, MAXIMUM_PAGE_SIZE, PAGE_PARAMETERS, PLACE_PARAMETERS
from movie_api.http.parameters import LONGEST_LIST, several_pattern
from movie_api.http.problems import KINDS
from movie_api.movies import schemas
from movie_api.movies.filters import (
    CHANGES_PARAMETERS,
    FILMOGRAPHY_PARAMETERS,
    FILTERS,
    LIST_PARAMETERS,
    MAXIMUM_GENRE_TEXTS,
    MAXIMUM_GENRES_PER_TEXT,
    MAXIMUM_TEXT_CHARACTERS,
    RELEVANCE,
    ROLES,
    SORTS,
    SUGGEST_PARAMETERS,
)
from movie_api.people.routes import PARAMETERS as PEOPLE_PARAMETERS
from movie_api.people.schemas import MAXIMUM_TEXT_CHARACTERS as MAXIMUM_NAME_CHARACTERS
from movie_database.addresses import libpq_address
from openapi_spec_validator import validate

CONTRACT = yaml.safe_load((Path(movie_api.__file__).parent / "openapi.yaml").read_text("utf-8"))
SCHEMAS = CONTRACT["components"]["schemas"]
# Pages for people, and what belongs to them, are no operations.
PAGES = ("/docs", "/apidocs", "/account")
METHODS = {"get", "post", "put", "patch", "delete"}
OPERATIONS = [
    (path, method, operation)
    for path, methods in CONTRACT["paths"].items()
    for method, operation in methods.items()
    if method in METHODS
]


def list_parameters() -> dict[str, dict]:
    given = CONTRACT["paths"]["/movies"]["get"]["parameters"]
    # Those of every operation are told elsewhere.
    return {parameter["name"]: parameter for parameter in given if "name" in parameter}


def path_of(rule) -> str:
    """The path of a view as the contract writes it."""
    return re.sub("<([a-z]+)>", r"{\1}", re.sub("<[a-z]+_id>", "<id>", rule.rule))


def test_the_contract_is_openapi():
    validate(CONTRACT)


def test_the_contract_has_the_version_of_the_program():
    assert CONTRACT["info"]["version"] == version("movie-api")


def test_operations_and_views_are_the_same_and_have_one_name(app):
    views = {
        (path_of(rule), method.lower(), rule.endpoint.partition(".")[2])
        for rule in app.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if not rule.rule.startswith(PAGES)
    }
    operations = {(path, method, operation["operationId"]) for path, method, operation in OPERATIONS}
    assert views == operations


def test_parameters_of_the_list_are_the_same_in_contract_and_table():
    names = [parameter.name for parameter in (*LIST_PARAMETERS, *PAGE_PARAMETERS)]
    assert sorted(list_parameters()) == sorted(names)


def test_sorts_are_the_same_in_contract_and_table():
    schema = list_parameters()["sort"]["schema"]
    assert schema["enum"] == [RELEVANCE, *SORTS]


def test_the_text_that_is_searched_for_is_the_same_in_contract_and_table():
    suggested = CONTRACT["paths"]["/suggest"]["get"]["parameters"]
    given = {one["name"]: one for one in suggested if "name" in one}
    assert sorted(given) == sorted(parameter.name for parameter in SUGGEST_PARAMETERS)
    assert given["q"]["schema"] == list_parameters()["q"]["schema"]
    assert given["q"]["schema"]["maxLength"] == MAXIMUM_TEXT_CHARACTERS


def test_the_genre_filter_is_the_same_in_contract_and_table():
    schema = list_parameters()["genre"]["schema"]
    pattern = several_pattern(MAXIMUM_GENRE_CHARACTERS, MAXIMUM_GENRES_PER_TEXT)
    assert (schema["maxItems"], FILTERS["genre"].most) == (MAXIMUM_GENRE_TEXTS, MAXIMUM_GENRE_TEXTS)
    assert (schema["items"]["pattern"], schema["items"]["maxLength"]) == (pattern, LONGEST_LIST)


@pytest.mark.parametrize("name", ["director", "person", "person_not"])
def test_the_filters_by_people_are_the_same_in_contract_and_table(name):
    assert list_parameters()[name]["schema"]["maxItems"] == FILTERS[name].most
    assert SCHEMAS["PersonMeant"]["maxLength"] == MAXIMUM_TEXT_CHARACTERS


def test_parameters_of_people_are_the_same_in_contract_and_table():
    given = {one["name"]: one for one in CONTRACT["paths"]["/people"]["get"]["parameters"] if "name" in one}
    assert sorted(given) == sorted(one.name for one in PEOPLE_PARAMETERS)
    assert given["q"]["schema"]["maxLength"] == MAXIMUM_TEXT_CHARACTERS == MAXIMUM_NAME_CHARACTERS


def test_parameters_of_a_persons_movies_are_the_same_in_contract_and_table():
    given = {
        one["name"]: one
        for one in CONTRACT["paths"]["/people/{id}/movies"]["get"]["parameters"]
        if "name" in one and one["in"] == "query"
    }
    assert sorted(given) == sorted(one.name for one in (*FILMOGRAPHY_PARAMETERS, *PAGE_PARAMETERS))
    assert (given["sort"]["schema"]["enum"], given["role"]["schema"]["enum"]) == (list(SORTS), list(ROLES))


@pytest.mark.parametrize("name", ["rating_gt", "year_gte", "year_lte", "votes_gte"])
def test_the_bounds_of_a_filter_are_those_of_the_contract(name):
    schema, read = list_parameters()[name]["schema"], FILTERS[name].type
    assert (read(str(schema["minimum"])), read(str(schema["maximum"]))) == (
        schema["minimum"],
        schema["maximum"],
    )
    for beyond in (schema["minimum"] - 1, schema["maximum"] + 1):
        with pytest.raises(ValueError, match=f"from {schema['minimum']} to {schema['maximum']}"):
            read(str(beyond))


def test_the_page_size_is_the_same_in_contract_and_program():
    schema = list_parameters()["page_size"]["schema"]
    assert (schema["default"], schema["maximum"]) == (DEFAULT_PAGE_SIZE, MAXIMUM_PAGE_SIZE)


def test_the_fields_of_a_new_movie_are_the_same_in_contract_and_schema():
    assert sorted(SCHEMAS["NewMovie"]["properties"]) == sorted(schemas.NewMovie.model_fields)
    assert sorted(SCHEMAS["MoviePatch"]["properties"]) == sorted(schemas.MoviePatch.model_fields)


def test_the_fields_of_a_movie_that_may_be_overridden_are_those_that_an_editor_changes():
    assert SCHEMAS["OverriddenField"]["enum"] == list(schemas.NewMovie.model_fields)


@pytest.mark.parametrize("schema", ["NewMovie", "MoviePatch"])
def test_the_patterns_and_bounds_of_a_new_movie_are_the_same(schema):
    fields = SCHEMAS[schema]["properties"]
    assert fields["title"]["pattern"] == fields["original_title"]["pattern"] == schemas.TITLE_PATTERN
    assert fields["imdb_link"]["pattern"] == schemas.IMDB_LINK_PATTERN
    assert SCHEMAS["NewGenre"]["pattern"] == GENRE_PATTERN
    assert (fields["year"]["minimum"], fields["year"]["maximum"]) == (schemas.FIRST_YEAR, schemas.LAST_YEAR)
    assert fields["title"]["maxLength"] == schemas.MAXIMUM_TITLE_CHARACTERS
    assert fields["genres"]["maxItems"] == schemas.MAXIMUM_GENRES
    assert fields["runtime"]["maximum"] == schemas.MAXIMUM_RUNTIME_MINUTES


def test_the_fields_of_a_movie_are_the_same_in_contract_and_answer():
    answer = schemas.movie(("id", "title", None, None, None, None, None, [], None, None, None, None), {}, {})
    assert SCHEMAS["Movie"]["required"] == list(answer) == list(SCHEMAS["Movie"]["properties"])


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_every_operation_has_a_description_and_an_example_for_each_answer(path, method, operation):
    assert operation["summary"], (path, method)
    for status, given in operation["responses"].items():
        shared = CONTRACT["components"]["responses"]
        response = shared[given["$ref"].rpartition("/")[2]] if "$ref" in given else given
        assert response["description"], (path, method, status)
        for content in response.get("content", {}).values():
            assert "example" in content or content["examples"], (path, method, status)


def test_only_a_deletion_a_304_and_a_way_elsewhere_have_no_content():
    statuses = {
        status
        for _, _, operation in OPERATIONS
        for status, given in operation["responses"].items()
        if "content" not in given and "$ref" not in given
    }
    without = {name for name, one in CONTRACT["components"]["responses"].items() if "content" not in one}
    assert (statuses, without) == (set(), {"Done", "NotModified", "PostedBack", "SignedIn", "ToProvider"})


def test_parameters_of_the_changes_are_the_same_in_contract_and_table():
    given = {
        one["name"] for one in CONTRACT["paths"]["/movies/changes"]["get"]["parameters"] if "name" in one
    }
    assert given == {parameter.name for parameter in (*CHANGES_PARAMETERS, *PLACE_PARAMETERS)}


def test_the_fields_of_a_dataset_and_a_load_are_the_same_in_contract_and_answer(api, loads):
    loads.create()
    dataset, load = api.get("/dataset").json, api.get("/dataset/loads").json[0]
    assert SCHEMAS["Dataset"]["required"] == list(dataset) == list(SCHEMAS["Dataset"]["properties"])
    assert SCHEMAS["Load"]["required"] == list(load) == list(SCHEMAS["Load"]["properties"])


def test_the_states_of_a_load_are_those_that_the_database_knows(database_url):
    with closing(psycopg2.connect(libpq_address(database_url))) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'dataset_loads_state_known'"
        )
        (definition,) = cursor.fetchone()
    assert SCHEMAS["Load"]["properties"]["state"]["enum"] == re.findall("'([a-z]+)'", definition)


def test_the_examples_of_problems_are_problems_of_ours():
    for example in CONTRACT["components"]["examples"].values():
        problem = example["value"]
        kind = KINDS[problem["type"].rpartition("/")[2]]
        assert (problem["title"], problem["status"]) == (kind.title, kind.status)


def test_every_kind_of_problem_is_an_example_of_some_operation_unless_it_never_comes_to_one():
    shown = {
        name
        for _, _, operation in OPERATIONS
        for given in operation["responses"].values()
        for name in problems_of(given)
    }
    assert set(KINDS) - shown == {
        "no-such-address",
        "method-not-allowed",
        "malformed-request",
        "expectation-failed",
        "headers-too-large",
        "unsupported-transfer-coding",
    }


@pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS)
def test_an_example_of_a_problem_stands_under_its_status_and_its_kind(path, method, operation):
    examples = CONTRACT["components"]["examples"]
    for status, given in operation["responses"].items():
        for kind, example in problems_of(given).items():
            problem = examples[example["$ref"].rpartition("/")[2]]["value"]
            assert (problem["status"], problem["type"]) == (int(status), f"/docs/errors/{kind}")


def problems_of(given: dict) -> dict:
    """The examples of an answer that says no, by kind."""
    shared = CONTRACT["components"]["responses"]
    response = shared[given["$ref"].rpartition("/")[2]] if "$ref" in given else given
    return response.get("content", {}).get("application/problem+json", {}).get("examples", {})
