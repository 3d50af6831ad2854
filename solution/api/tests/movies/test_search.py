"""GET /movies?q=…: what a text finds, in which order, and how it is walked."""

import uuid

import pytest
from movie_api.movies import search
from movie_testing.walks import check_walks, links, walk

EXACT_FIRST = {
    "title": ["Titanic Town", "Titanic", "The Titanic", "Raise the Titanic", "Titanica"],
    "votes": [900, 5, None, 800, 7],
}


def titles(api, address: str) -> list[str]:
    answer = api.get(address)
    assert answer.status_code == 200, answer.text
    return [movie["title"] for movie in answer.json]


def other_title(cursor, movie, title: str, position: int = 1) -> None:
    cursor.execute(
        "INSERT INTO movie_titles (movie_id, position, title, title_key) VALUES (%s, %s, %s, lower(%s))",
        (movie.id, position, title, title),
    )


def test_just_this_title_comes_before_all_that_hold_it_and_more_votes_come_first(api, movies):
    movies.create_many(**EXACT_FIRST)
    assert titles(api, "/movies?q=titanic") == [
        "Titanic",
        "The Titanic",
        "Titanic Town",
        "Raise the Titanic",
        "Titanica",
    ]


def test_an_article_counts_neither_in_the_text_nor_in_the_title(api, movies):
    movies.create_many(title=["Matrix", "The Matrix"], votes=[3, 2_000_000])
    for text in ("the+matrix", "a+matrix", "matrix"):
        assert titles(api, f"/movies?q={text}") == ["The Matrix", "Matrix"]


def test_an_article_alone_is_a_title_like_others(api, movies):
    movies.create_many(title=["The", "The End"], votes=[1, 9])
    assert titles(api, "/movies?q=the") == ["The", "The End"]


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("amelie", "Le Fabuleux Destin d'Amélie Poulain"),
        ("AMÉLIE", "Le Fabuleux Destin d'Amélie Poulain"),
        ("ame%CC%81lie", "Le Fabuleux Destin d'Amélie Poulain"),
        ("d'amelie", "Le Fabuleux Destin d'Amélie Poulain"),
        ("poulain+destin", "Le Fabuleux Destin d'Amélie Poulain"),
        ("se7en", "Se7en"),
        ("wall+e", "WALL·E"),
        ("walle", "WALL·E"),
        ("wall-e", "WALL·E"),
        ("spiderman", "Spider-Man"),
        ("spider+man", "Spider-Man"),
        ("schindlers+list", "Schindler's List"),
        ("schindler+list", "Schindler's List"),
        ("Schindler%E2%80%99s+List", "Schindler's List"),
        ("starwars", "Star Wars"),
        ("straße", "Strasse"),
        ("oeuvre", "L'Œuvre"),
        ("слово", "Слово и дело"),
        ("东京", "东京物语"),
        ("stro", "Strom"),
        ("lord+rin", "The Lord of the Rings"),
    ],
)
def test_case_accents_punctuation_and_the_order_of_words_do_not_matter(api, movies, text, title):
    movies.create_many(title=["Something Else", title])
    assert titles(api, f"/movies?q={text}") == [title]


def test_only_the_last_word_may_be_a_beginning(api, movies):
    movies.create_many(title=["Ringside Lordship", "Lord of Rings"], votes=[2, 1])
    assert titles(api, "/movies?q=lord+ring") == ["Lord of Rings"]


def test_the_original_title_finds_a_movie(api, movies):
    movies.create(title="Spirited Away", original_title="Sen to Chihiro no kamikakushi")
    assert titles(api, "/movies?q=chihiro+sen") == ["Spirited Away"]


def test_other_titles_find_a_movie_while_they_are_there(api, movies, database_cursor):
    made = movies.create(title="Tokyo Story")
    other_title(database_cursor, made, "東京物語")
    other_title(database_cursor, made, "Reise nach Tokio", 2)
    assert titles(api, "/movies?q=東京物語&page_size=1") == ["Tokyo Story"]
    database_cursor.execute("DELETE FROM movie_titles WHERE position = 1")
    assert titles(api, "/movies?q=東京物語&page_size=2") == []
    assert titles(api, "/movies?q=reise+tokio") == ["Tokyo Story"]


def test_a_new_title_finds_a_movie_and_the_old_one_no_more(api, movies):
    made = movies.create(title="Working Name", votes=1)
    movies.change(made.id, title="Zardoz")
    assert (titles(api, "/movies?q=zardoz"), titles(api, "/movies?q=working")) == (["Zardoz"], [])


def test_a_movie_made_through_the_api_is_found_at_once(api, editor):
    editor.post("/movies", json={"title": "Koyaanisqatsi"})
    assert titles(api, "/movies?q=koyaanis") == ["Koyaanisqatsi"]


def test_retired_and_adult_movies_are_not_found(api, movies):
    movies.create(title="Zardoz One", is_adult=True)
    movies.retire(movies.create(title="Zardoz Two").id)
    assert titles(api, "/movies?q=zardoz") == []
    assert titles(api, "/movies?q=zardoz&include_adult") == ["Zardoz One"]


def test_every_filter_and_every_sort_applies(api, movies):
    movies.create_many(
        title=["Night A", "Night B", "Night C", "Night D", "Day"],
        year=[1990, 2000, 2010, 1995, 1996],
        rating=[7.0, 8.0, 9.0, 8.5, 9.9],
        votes=[10, 20, 30, 40, 50],
        genres=[("Action",), ("Action", "Drama"), ("Action",), ("Drama",), ("Action",)],
    )
    address = "/movies?q=night&genre=Action"
    assert titles(api, address) == ["Night C", "Night B", "Night A"]
    assert titles(api, f"{address}&genre=Drama") == ["Night B"]
    assert titles(api, f"{address}&sort=year") == ["Night A", "Night B", "Night C"]
    assert titles(api, f"{address}&sort=rating&desc&rating_gt=7") == ["Night C", "Night B"]
    assert titles(api, f"{address}&year_gte=1999&year_lte=2009") == ["Night B"]
    assert titles(api, f"{address}&votes_gte=30") == ["Night C"]
    assert titles(api, f"{address}&genre=Nothing") == []


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("godfahter", "The Godfather"),
        ("the+godfahter", "The Godfather"),
        ("jwas", "Jaws"),
        ("alein", "Alien"),
        ("teh+matrix", "The Matrix"),
        ("shawshenk+redemptoin", "The Shawshank Redemption"),
        ("terminatr", "The Terminator"),
        ("casablenca", "Casablanca"),
        ("godfaht", "The Godfather"),
        ("cassablancca", "Casablanca"),
    ],
)
def test_typing_errors_are_forgiven(api, movies, text, title):
    sought = [
        "The Godfather",
        "Jaws",
        "Alien",
        "The Matrix",
        "The Shawshank Redemption",
        "The Terminator",
        "Casablanca",
    ]
    # As near, and obscure.
    others = ["Jas", "It Was", "Allein", "Elein", "The Goodfather", "Casablanka", "Tech Matrix"]
    movies.create_many(title=[*sought, *others], votes=[*[1_000_000] * len(sought), *[12] * len(others)])
    assert titles(api, f"/movies?q={text}")[0] == title


def test_a_word_that_there_is_may_be_meant_as_another_where_it_finds_few(api, movies):
    movies.create_many(title=["Alein", "Alien"], votes=[3, 900_000])
    assert titles(api, "/movies?q=alein") == ["Alein", "Alien"]


def test_words_that_find_enough_are_not_corrected(api, movies):
    movies.create_many(title=[*["Alein"] * 5, "Alien"])
    assert titles(api, "/movies?q=alein") == ["Alein"] * 5


def test_fewer_corrections_come_first_whatever_the_votes(api, movies):
    movies.create_many(title=["Matrax", "Matrix"], votes=[9_000, 1])
    assert titles(api, "/movies?q=matrixo") == ["Matrix", "Matrax"]


@pytest.mark.parametrize("text", ["xq", "1984", "qqqqqqqqqqqq", "zz+zardoz"])
def test_short_words_numbers_and_what_is_near_to_nothing_are_not_corrected(api, movies, text):
    movies.create_many(title=["Xa", "1985", "Zardoz"])
    assert titles(api, f"/movies?q={text}") == []


@pytest.mark.parametrize(
    "text",
    [
        "&", "|", "!", ":*", "'", '"', "\\", "()", "<->", "'' | ''", "a:*b", "=the", "%", "_", "$1", "{}",
        "\N{CLAPPER BOARD}", "\u202eabc", "שלום", "\ufeff", "\N{COMBINING ACUTE ACCENT}", " ", "\U0010ffff",
        "ﬃ", "½", "İ", "a" * 200, "& " * 100,
    ],
)  # fmt: skip
def test_whatever_is_asked_for_is_answered(api, movies, text):
    movies.create(title="Zardoz")
    answer = api.get("/movies", query_string={"q": text})
    assert (answer.status_code, answer.json) == (200, [])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("q=", "q"),
        (f"q={'a' * 201}", "q"),
        (f"q={'+' * 1000}", "q"),
        (f"q={'a+' * 11}", "q"),
        ("q=a%00b", "q"),
        ("q=a&q=b", "q"),
        ("sort=relevance", "sort"),
        ("q=a&desc", "desc"),
        ("q=a&desc&sort=relevance", "desc"),
    ],
)
def test_what_can_not_be_asked_for_is_refused(idle_api, query, field):
    answer = idle_api.get(f"/movies?{query}")
    assert (answer.status_code, [one["field"] for one in answer.json["errors"]]) == (400, [field])


def make_tiers(movies) -> list[str]:
    """Movies of each tier of `alein`, two corrections too; gives their ids in the order of the list."""
    named = [
        ("Alein", [7, 7, None]),
        ("Alein Again", [900]),
        ("Alien", [50, 50, None, None]),
        ("Alain", [60]),
        ("Anything", [99]),
    ]
    made = {
        title: movies.create_many(title=[title] * len(votes), votes=votes, year=[2000] * len(votes))
        for title, votes in named
    }

    def by_votes(ones):
        return sorted(ones, key=lambda one: (one.votes is None, -(one.votes or 0), one.id))

    ranked = [made["Alein"], made["Alein Again"], [*made["Alien"], *made["Alain"]]]
    return [one.id for tier in ranked for one in by_votes(tier)]


def test_a_search_gives_each_movie_once_at_page_sizes_1_to_11_both_ways(api, movies):
    check_walks(api, "/movies?q=alein", make_tiers(movies))


@pytest.mark.parametrize("desc", ["", "&desc"])
def test_a_search_in_another_order_gives_each_movie_once(api, movies, desc):
    ids = make_tiers(movies)
    check_walks(api, f"/movies?q=alein&sort=year{desc}", sorted(ids))


def test_a_search_walked_by_after_id_gives_each_movie_once(api, movies):
    expected = make_tiers(movies)
    starts = ["", *(f"&after_id={one}" for one in expected[:-1])]
    pages = [api.get(f"/movies?q=alein&page_size=1{start}").json for start in starts]
    assert [one["id"] for page in pages for one in page] == expected


def test_after_id_of_a_movie_that_the_text_does_not_find_is_refused(api, movies):
    movies.create(title="Alien")
    other = movies.create(title="Anything")
    for text in ("alien", "..."):
        answer = api.get(f"/movies?q={text}&after_id={other.id}")
        assert (answer.status_code, answer.json["type"]) == (400, "/docs/errors/after-id-not-in-list")
    assert api.get(f"/movies?q=alien&after_id={uuid.uuid4()}").status_code == 400


def test_a_cursor_keeps_the_corrected_words_whatever_comes_meanwhile(api, movies):
    made = movies.create_many(title=["Alien"] * 4, votes=[4, 3, 2, 1])
    first = api.get("/movies?q=alein&page_size=2")
    movies.create_many(title=["Alein"] * 9)
    rest = walk(api, links(first.headers["Link"])["next"])
    assert rest.ids == [one.id for one in made[2:]]


@pytest.mark.parametrize("text", ["ab7cde+vw7xyz", "abcde", "the+night+of+day+and+way+by+sea+to+abcde"])
def test_a_cursor_stays_short_however_many_words_are_near(api, movies, text):
    letters = "abcdefghijklmnopqrstuvwxyz"
    near = [f"ab{one}cde vw{one}xyz" for one in letters] + [
        f"ab{one}c{one}e v{one}{one}xyz" for one in letters
    ]
    words = [f"{one}{other}ay {one}ig{other}t" for one in letters for other in letters]
    rare = [f"The Night of Day and Way by Sea to {one}bcde" for one in letters]
    movies.create_many(title=[*near, *words, *rare])
    found = walk(api, f"/movies?q={text}&page_size=3")
    assert len(set(found.ids)) == len(found.ids) > 3
    assert len(found.last_url) < 2_000


def test_a_cursor_of_another_text_is_refused(api, movies):
    movies.create_many(title=["Alien"] * 2)
    address = links(api.get("/movies?q=alien&page_size=1").headers["Link"])["next"]
    answer = api.get(address.replace("q=alien", "q=aliens"))
    assert (answer.status_code, answer.json["type"]) == (400, "/docs/errors/cursor-of-another-list")


def test_frequent_words_are_found_however_the_list_is_read(api, movies, monkeypatch):
    monkeypatch.setattr(search, "_SORTED", 0)
    monkeypatch.setattr(search, "_WALKED", 3)
    made = movies.create_many(
        title=["The Night", *["The Day"] * 9, *["The Night of"] * 4],
        votes=[None, *[7] * 5, *[None] * 4, 9, 8, 7, None],
    )
    nights = sorted(made[10:], key=lambda one: (one.votes is None, -(one.votes or 0), one.id))
    check_walks(api, "/movies?q=the+ni", [one.id for one in nights[:3]] + sorted([made[0].id, nights[3].id]))


def test_a_search_has_the_tag_of_the_catalogue_and_of_the_text(api, movies):
    movies.create(title="Alien")
    first = api.get("/movies?q=alien")
    again = api.get("/movies?q=alien", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, first.headers["ETag"] != api.get("/movies?q=aliens").headers["ETag"]) == (
        304,
        True,
    )
    movies.create(title="Aliens")
    later = api.get("/movies?q=alien", headers={"If-None-Match": first.headers["ETag"]})
    assert [one["title"] for one in later.json] == ["Alien", "Aliens"]


def test_a_search_for_words_that_are_there_takes_five_queries(api, movies, queries):
    movies.create_many(title=["Alien"] * 30)
    assert queries.count(lambda: api.get("/movies?q=alien&page_size=5")) <= 5


def test_what_is_typed_suggests_eight_titles(api, movies):
    made = movies.create_many(
        title=["T", *[f"T{number}" for number in range(9)]], votes=range(10), year=[1999] * 10
    )
    assert api.get("/suggest?q=t").json[:2] == [
        {"id": made[0].id, "title": "T", "year": 1999},
        {"id": made[9].id, "title": "T8", "year": 1999},
    ]
    assert len(api.get("/suggest?q=t").json) == 8


def test_suggestions_hold_neither_adult_titles_nor_corrected_ones(api, movies):
    movies.create_many(title=["Alien", "Alien Two"], is_adult=[True, False])
    assert [one["title"] for one in api.get("/suggest?q=alien").json] == ["Alien Two"]
    assert [one["title"] for one in api.get("/suggest?q=alien&include_adult").json] == ["Alien", "Alien Two"]
    assert api.get("/suggest?q=alein").json == []
    assert api.get("/suggest?q=...").json == []


@pytest.mark.parametrize("query", ["", "q=", "x=1", f"q={'a+' * 11}"])
def test_suggestions_without_a_text_are_refused(idle_api, query):
    assert idle_api.get(f"/suggest?{query}").status_code == 400
