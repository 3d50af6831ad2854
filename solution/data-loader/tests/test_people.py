"""Who made a movie, from the files to the database, and from one day to the next."""

import pytest
from movie_loader import credits as credits_module
from movie_loader import rows, sources
from movie_testing.tsv import cast_row, crew_row, name_row, title_row, write_tsv


def names(*numbers, **columns):
    return [name_row(nconst=f"nm{number:07}", primaryName=f"Name {number}", **columns) for number in numbers]


@pytest.fixture
def bring(loads, dumps):
    """Loads dumps of this crew and, with a cast, of this one; of three people unless others are given."""

    def bring_them(*crew, people=None, cast=None, titles=None, **changes):
        write_tsv(
            dumps,
            basics=titles or [title_row()],
            crew=crew or [crew_row()],
            names=names(1, 2, 3) if people is None else people,
            cast=cast,
        )
        return loads.run(with_cast=cast is not None, **changes)

    return bring_them


def change_of(loads, imdb_id="tt0000001"):
    return loads.query("SELECT changed_in FROM movies WHERE imdb_id = %s", imdb_id)[0]["changed_in"]


def faults(report, name):
    return {effect: kinds for effect, kinds in report.as_dict()["faults"][name].items() if kinds}


# From the files to the database.


def test_directors_and_writers_stand_in_the_order_of_the_file(loads, bring):
    bring(crew_row(directors="nm0000002,nm0000001", writers="nm0000003"))
    assert loads.credits() == {"director": ["nm0000002", "nm0000001"], "writer": ["nm0000003"], "cast": []}


def test_a_person_has_everything_that_the_dumps_say_of_them(loads, bring):
    person = name_row(primaryName="Åsa Ö", birthYear=1918, deathYear=2007)
    bring(crew_row(directors="nm0000001"), people=[person])
    (found,) = loads.query("SELECT imdb_id, name, name_key, born, died FROM people")
    assert tuple(found.values()) == ("nm0000001", "Åsa Ö", "asa o", 1918, 2007)


def test_people_whom_no_kept_movie_names_are_not_stored(loads, bring):
    bring(
        crew_row(directors="nm0000001"),
        crew_row(tconst="tt0000002", directors="nm0000002"),
        titles=[title_row(), title_row(tconst="tt0000002", titleType="tvEpisode")],
    )
    assert [row["imdb_id"] for row in loads.query("SELECT imdb_id FROM people")] == ["nm0000001"]


def test_a_movie_that_names_nobody_has_no_row(loads, bring):
    bring(crew_row())
    assert loads.credits() is None


def test_a_movie_that_the_crew_does_not_know_has_nobody(loads, bring):
    bring(crew_row(tconst="tt0000009", directors="nm0000001"))
    assert loads.credits() is None


def test_people_without_a_name_are_left_out_and_counted(loads, bring):
    report = bring(crew_row(directors="nm0000009,nm0000001", writers="nm0000009"))
    assert loads.credits() == {"director": ["nm0000001"], "writer": [], "cast": []}
    assert (report.people_without_name, report.person_rows, report.credit_rows) == (1, 1, 1)


def test_a_null_name_is_no_name(loads, bring):
    report = bring(crew_row(directors="nm0000001"), people=[name_row(primaryName=None)])
    assert loads.credits() is None
    assert faults(report, "name.basics") == {"rejected": {"null_name": 1}}


@pytest.mark.parametrize(
    "name", ["NULL", '"', 'O"Neil, "Jr."', "\\", "\\.", "a\rb", "東京", "x" * 3000, "   ", "{1,2}", "é" * 300]
)
def test_every_name_comes_out_exactly_as_it_stood_in_the_file(loads, bring, name):
    bring(crew_row(directors="nm0000001"), people=[name_row(primaryName=name)])
    assert loads.query("SELECT name FROM people") == [{"name": name}]


@pytest.mark.parametrize(
    "text", ["nm1", "tt0000001", "NM0000001", "", "nm0000001 ", "nm00000000001", "\\N", "x"]
)
def test_what_is_no_id_of_a_person_is_left_out_of_the_list_and_counted(loads, bring, text):
    report = bring(crew_row(directors=f"nm0000002,{text},nm0000001"))
    assert loads.credits()["director"] == ["nm0000002", "nm0000001"]
    assert faults(report, "title.crew") == {"mended": {"directors": 1}}


@pytest.mark.parametrize("digits", [7, 8, 9, 10])
def test_ids_of_people_have_seven_to_ten_digits(loads, bring, digits):
    nconst = "nm" + "1234567890"[:digits]
    bring(crew_row(writers=nconst), people=[name_row(nconst=nconst)])
    assert loads.credits()["writer"] == [nconst]


def test_a_person_who_is_named_twice_in_a_list_is_credited_once(loads, bring):
    bring(crew_row(writers="nm0000002,nm0000001,nm0000002"))
    assert loads.credits()["writer"] == ["nm0000002", "nm0000001"]


def test_of_two_rows_of_the_same_movie_the_first_counts(loads, bring):
    report = bring(crew_row(directors="nm0000001"), crew_row(directors="nm0000002"))
    assert loads.credits()["director"] == ["nm0000001"]
    assert faults(report, "title.crew") == {"duplicate": {"imdb_id": 1}}


def test_of_two_rows_of_the_same_person_the_first_counts(loads, bring):
    people = [name_row(primaryName="First"), name_row(primaryName="Second")]
    report = bring(crew_row(directors="nm0000001"), people=people)
    assert loads.query("SELECT name FROM people") == [{"name": "First"}]
    assert report.person_rows == 1


def test_a_list_longer_than_any_is_cut_and_counted(loads, bring, monkeypatch):
    monkeypatch.setattr(credits_module, "MOST_CREDITS", 2)
    report = bring(crew_row(directors="nm0000003,nm0000001,nm0000002"))
    assert loads.credits()["director"] == ["nm0000003", "nm0000001"]
    assert faults(report, "title.crew") == {"mended": {"too_many_credits": 1}}


def test_rows_of_crew_and_names_may_come_in_any_order_and_in_small_pieces(loads, bring, monkeypatch):
    monkeypatch.setattr(rows, "BATCH_ROWS", 2)
    monkeypatch.setattr(sources, "CHUNK_BYTES", 64)
    monkeypatch.setattr(credits_module, "SLICE_MOVIES", 3)
    numbers = [5, 3, 99_999_999, 1, 4, 123_456_789, 2]
    bring(
        *(crew_row(tconst=f"tt{at:07}", directors=f"nm{at:07}") for at in reversed(numbers)),
        titles=[title_row(tconst=f"tt{at:07}") for at in numbers],
        people=names(*numbers),
    )
    assert [loads.credits(f"tt{at:07}")["director"] for at in numbers] == [[f"nm{at:07}"] for at in numbers]


def test_bad_rows_of_crew_and_names_are_left_out_and_counted(loads, bring):
    report = bring(
        b"tt0000001\tnm0000001",
        b"tx0000001\tnm0000001\t\\N",
        crew_row(directors="nm0000001"),
        people=[
            b"nm0000001\tToo short",
            b"xx\tN\t\\N\t\\N\t\\N\t\\N",
            name_row(birthYear="18th", deathYear=3000),
        ],
    )
    assert loads.credits()["director"] == ["nm0000001"]
    assert faults(report, "title.crew") == {"rejected": {"columns": 1, "bad_id": 1}}
    assert faults(report, "name.basics") == {
        "rejected": {"columns": 1, "bad_id": 1},
        "nulled": {"born": 1, "died": 1},
    }


# The cast.


def test_the_billed_cast_is_kept_in_the_order_of_its_numbers(loads, bring):
    bring(
        people=names(1, 2, 3),
        cast=[
            cast_row(ordering=10, nconst="nm0000002", category="actress"),
            cast_row(ordering=3, nconst="nm0000003", category="self", characters='["A","B"]'),
            cast_row(ordering=9, nconst="nm0000001", category="actor"),
        ],
    )
    assert loads.credits()["cast"] == ["nm0000003", "nm0000001", "nm0000002"]


@pytest.mark.parametrize(
    "category", ["director", "archive_footage", "actors", "selfish", "wizard", "\\N", ""]
)
def test_whoever_is_not_billed_as_cast_is_not_of_it(loads, bring, category):
    bring(cast=[cast_row(category=category), cast_row(ordering=2, nconst="nm0000002")])
    assert loads.credits()["cast"] == ["nm0000002"]


def test_bad_rows_of_the_cast_are_left_out_and_counted(loads, bring):
    report = bring(
        cast=[
            cast_row(nconst="nm0000001", ordering=1),
            cast_row(nconst="nm0000002", ordering=1),
            cast_row(nconst="nm0000002", ordering="first"),
            cast_row(nconst="nobody", ordering=4),
            b"tt0000001\t1\tnm0000003\tactor",
            b"tt0000001",
            cast_row(tconst="tt1", nconst="nm0000003"),
        ],
    )
    assert loads.credits()["cast"] == ["nm0000001"]
    assert faults(report, "title.principals") == {
        "rejected": {"columns": 2, "bad_id": 1, "no_position": 1, "bad_person_id": 1},
        "nulled": {"position": 1},
        "duplicate": {"position": 1},
    }


def test_actors_of_unwanted_titles_are_not_stored(loads, bring):
    bring(
        cast=[cast_row(), cast_row(tconst="tt0000002", nconst="nm0000002")],
        titles=[title_row(), title_row(tconst="tt0000002", titleType="short")],
    )
    assert [row["imdb_id"] for row in loads.query("SELECT imdb_id FROM people")] == ["nm0000001"]


def test_without_the_setting_no_cast_is_read(loads, bring, dumps):
    write_tsv(dumps, cast=[b"rubbish"])
    assert bring(crew_row(directors="nm0000002")).state == "done"
    assert loads.credits()["cast"] == []


def test_a_cast_that_is_no_longer_loaded_is_no_longer_there(loads, bring):
    bring(crew_row(directors="nm0000002"), cast=[cast_row()])
    assert loads.credits()["cast"] == ["nm0000001"]
    report = bring(crew_row(directors="nm0000002"))
    assert (report.state, report.merged["updated"]) == ("done", 1)
    assert loads.credits() == {"director": ["nm0000002"], "writer": [], "cast": []}


def test_unchanged_dumps_are_loaded_again_for_a_cast(loads, bring, dumps):
    bring(crew_row(directors="nm0000002"))
    write_tsv(dumps, cast=[cast_row()])
    assert loads.run().state == "unchanged"
    assert loads.run(with_cast=True).state == "done"
    assert loads.run(with_cast=True).state == "unchanged"


# From one day to the next.


def test_a_reload_keeps_peoples_ids_and_numbers(loads, bring):
    bring(crew_row(directors="nm0000001"))
    before = loads.query("SELECT * FROM people")
    report = bring(crew_row(directors="nm0000001", writers="nm0000002"))
    after = loads.query("SELECT * FROM people ORDER BY imdb_id")
    assert after[0] == before[0]
    assert (len(after), report.merged["new_people"]) == (2, 1)


def test_people_whom_no_movie_names_any_more_stay(loads, bring):
    bring(crew_row(directors="nm0000001"))
    before = loads.query("SELECT * FROM people")
    bring(crew_row(directors="nm0000002"))
    assert before[0] in loads.query("SELECT * FROM people")
    bring(crew_row(directors="nm0000001"))
    assert loads.credits()["director"] == ["nm0000001"]


@pytest.mark.parametrize(
    "crew",
    [
        crew_row(directors="nm0000002", writers="nm0000003"),
        crew_row(directors="nm0000001,nm0000002", writers="nm0000003"),
        crew_row(directors="nm0000001"),
        crew_row(),
    ],
)
def test_a_movie_made_by_others_is_one_changed_movie_of_one_generation(loads, bring, crew):
    both = (title_row(), title_row(tconst="tt0000002"))
    bring(crew_row(directors="nm0000001", writers="nm0000003"), titles=both)
    before = loads.query("SELECT generation FROM catalogue_state")[0]["generation"]
    other = change_of(loads, "tt0000002")
    report = bring(crew, titles=both)
    (change,) = loads.query("SELECT * FROM catalogue_changes WHERE load_id = %s", report.load_id)
    assert (change["generation"], change["id"]) == (before + 1, change_of(loads))
    assert (report.merged["updated"], report.merged["inserted"]) == (1, 0)
    assert change_of(loads, "tt0000002") == other


def test_a_movie_that_changed_in_every_way_is_counted_once(loads, bring):
    bring(crew_row(directors="nm0000001"))
    report = bring(crew_row(directors="nm0000002"), titles=[title_row(startYear=2001)])
    assert report.merged["updated"] == 1


def test_a_person_with_another_name_changes_the_movies_that_show_it(loads, bring):
    both = (title_row(), title_row(tconst="tt0000002"))
    crew = [crew_row(writers="nm0000001"), crew_row(tconst="tt0000002", directors="nm0000002")]
    bring(*crew, titles=both)
    before = change_of(loads), change_of(loads, "tt0000002")
    report = bring(*crew, titles=both, people=[name_row(primaryName="New"), *names(2)])
    assert (report.merged["updated"], report.merged["changed_people"]) == (1, 1)
    assert change_of(loads) > before[0]
    assert change_of(loads, "tt0000002") == before[1]
    assert loads.query("SELECT name, name_key FROM people WHERE imdb_id = 'nm0000001'") == [
        {"name": "New", "name_key": "new"}
    ]


def test_a_persons_years_change_no_movie(loads, bring):
    bring(crew_row(directors="nm0000001"))
    report = bring(crew_row(directors="nm0000001"), people=names(1, deathYear=2026))
    assert (report.merged["updated"], report.merged["changed_people"]) == (0, 1)
    assert loads.query("SELECT died FROM people") == [{"died": 2026}]


def test_people_as_before_are_no_change(loads, bring):
    crew = crew_row(directors="nm0000001,nm0000002", writers="nm0000003")
    bring(crew, cast=[cast_row()])
    before = loads.query("SELECT xmin, * FROM movie_credits"), loads.query("SELECT xmin, * FROM people")
    report = bring(crew, cast=[cast_row()], is_forced=True)
    assert report.merged["updated"] == report.merged["changed_people"] == report.merged["new_people"] == 0
    after = loads.query("SELECT xmin, * FROM movie_credits"), loads.query("SELECT xmin, * FROM people")
    assert after == before


def test_a_retired_movie_keeps_its_people_and_has_them_when_it_comes_back(loads, bring):
    both = [title_row(), title_row(tconst="tt0000002")]
    crew = crew_row(tconst="tt0000002", directors="nm0000002")
    bring(crew, titles=both)
    bring(crew_row(), titles=both[:1])
    assert loads.credits("tt0000002")["director"] == ["nm0000002"]
    bring(crew, titles=both)
    assert loads.credits("tt0000002")["director"] == ["nm0000002"]


def test_a_movie_of_the_api_has_people_once_it_is_adopted(loads, bring):
    loads.query(
        "INSERT INTO movies (imdb_id, source, title_type, title, title_key)"
        " VALUES ('tt0000002', 'api', 'movie', 'Own', 'own')"
    )
    crew = crew_row(tconst="tt0000002", directors="nm0000002")
    bring(crew)
    assert loads.credits("tt0000002") is None
    bring(crew, titles=[title_row(), title_row(tconst="tt0000002")])
    assert loads.credits("tt0000002")["director"] == ["nm0000002"]


def test_a_movie_that_is_deleted_takes_its_credits_with_it(loads, bring):
    bring(crew_row(directors="nm0000002"))
    loads.query("DELETE FROM movies")
    assert loads.query("SELECT FROM movie_credits") == []


def test_people_are_on_record(loads, bring):
    bring(crew_row(directors="nm0000001", writers="nm0000001,nm0000002"), cast=[cast_row(nconst="nm0000003")])
    (record,) = loads.loads()
    assert (record["person_rows"], record["credit_rows"], record["other_title_rows"]) == (3, 4, 0)
    assert (record["with_cast"], record["with_akas"]) == (True, False)
