"""Queries are read strictly, and every fault is told at once."""

from decimal import Decimal

import pytest
from movie_api.http.parameters import Parameter, flag, integer, number, one_of, read_query, several, table
from movie_api.http.problems import Problem

PARAMETERS = table(
    Parameter("desc", flag),
    Parameter("sort", one_of("title", "year")),
    Parameter("year_gte", integer(1, 9999)),
    Parameter("rating_gt", number(0, 10)),
    Parameter("genre", several(100, 10), most=10),
)


def faults(query: str) -> list[tuple[str, str]]:
    with pytest.raises(Problem) as caught:
        read_query(query, PARAMETERS)
    return [(fault.field, fault.message) for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("desc", True),
        ("desc=", True),
        ("desc=1", True),
        ("desc=true", True),
        ("desc=0", False),
        ("desc=false", False),
    ],
)
def test_a_flag_is_on_alone_and_by_1_or_true_and_off_by_0_or_false(query, value):
    assert read_query(query, PARAMETERS) == {"desc": value}


@pytest.mark.parametrize("text", ["yes", "TRUE", "2", "on", " "])
def test_a_flag_is_nothing_else(text):
    assert faults(f"desc={text}") == [("desc", "must be 1, true, 0, false or nothing")]


def test_an_unknown_parameter_is_refused_with_the_nearest_valid_one():
    assert faults("ratin_gt=8") == [("ratin_gt", "is not known; the nearest that is: rating_gt")]


def test_where_there_are_no_parameters_an_unknown_one_is_told_so():
    with pytest.raises(Problem) as caught:
        read_query("page=1", {})
    assert caught.value.faults[0].message == "is not known: this address takes no parameters"


def test_every_fault_is_told_at_once():
    assert [field for field, _ in faults("sort=size&year_gte=x&nope=1&desc&desc")] == [
        "sort",
        "year_gte",
        "nope",
        "desc",
    ]


def test_a_parameter_that_may_not_repeat_is_refused_the_second_time():
    assert faults("sort=title&sort=title") == [("sort", "is given 2 times; at most 1 is allowed")]


def test_a_parameter_that_repeats_may_also_hold_commas():
    assert read_query("genre=Action,Drama&genre=War", PARAMETERS) == {"genre": ("Action", "Drama", "War")}


def test_blanks_around_a_name_do_not_count():
    assert read_query("genre=+Action+,+Film+Noir", PARAMETERS) == {"genre": ("Action", "Film Noir")}


@pytest.mark.parametrize("text", ["", ",", "Action,", "a" * 101, "%20", ",".join("a" * 11)])
def test_names_are_1_to_10_of_1_to_100_characters(text):
    assert [field for field, _ in faults(f"genre={text}")] == ["genre"]


@pytest.mark.parametrize("encoded", ["%00", "a%00b", "%1f", "%0A", "%7F"])
def test_a_control_character_is_refused(encoded):
    assert faults(f"genre={encoded}") == [("genre", "holds a control character")]


def test_a_text_that_is_not_utf_8_is_refused():
    assert faults("genre=%ff") == [("genre", "must be UTF-8")]


def test_an_encoded_name_is_the_same_parameter():
    assert read_query("%73ort=year", PARAMETERS) == {"sort": "year"}


def test_a_number_is_kept_exactly_as_written():
    assert read_query("rating_gt=9.15", PARAMETERS) == {"rating_gt": Decimal("9.15")}


@pytest.mark.parametrize("text", ["0", "10", "8.5", "1e1", "0.5E-3", "-0.0", "9.999999999999999999999"])
def test_a_number_may_be_written_as_json_writes_it(text):
    assert read_query(f"rating_gt={text}", PARAMETERS)


@pytest.mark.parametrize(
    "text", ["", "nan", "inf", "10.1", "-1", "8,5", "1e9999", "0x1", "%D9%A1", "1_0", "+8", ".5"]
)
def test_a_number_is_nothing_else(text):
    assert faults(f"rating_gt={text}") == [("rating_gt", "must be a number from 0 to 10")]


@pytest.mark.parametrize("text", ["", "0", "10000", "1990.0", "1e3", "%D9%A1", "1_990", "9" * 5000])
def test_an_integer_is_in_range_and_written_plainly(text):
    assert faults(f"year_gte={text}") == [("year_gte", "must be a whole number from 1 to 9999")]


def test_a_long_name_is_told_cut_short():
    assert len(faults("x" * 5000)[0][0]) == 100
