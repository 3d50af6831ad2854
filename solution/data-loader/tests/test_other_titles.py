"""What movies are called elsewhere, from the file to the database, and from one day to the next."""

import pytest
from movie_testing.tsv import aka_row, title_row, write_tsv


@pytest.fixture
def bring(loads, dumps):
    """Loads dumps of these other titles of a movie that is called Tokyo Story, once Monogatari."""

    def bring_them(*akas, titles=None, **changes):
        movie = title_row(primaryTitle="Tokyo Story", originalTitle="Monogatari")
        write_tsv(dumps, basics=titles or [movie], akas=akas or [aka_row(titleId="tt0000009")])
        return loads.run(**{"with_akas": True} | changes)

    return bring_them


def change(loads):
    return loads.query("SELECT changed_in FROM movies WHERE imdb_id = 'tt0000001'")[0]["changed_in"]


def faults(report):
    return {effect: kinds for effect, kinds in report.as_dict()["faults"]["title.akas"].items() if kinds}


def test_other_titles_come_with_region_and_language_in_the_order_of_the_file(loads, bring):
    report = bring(
        aka_row(ordering=3, title="Le Voyage à Tokyo", region="FR"),
        aka_row(ordering=2, title="東京物語", region="JP", language="ja"),
        aka_row(ordering=7, title="Null", region=None),
    )
    assert loads.titles() == [
        (2, "東京物語", "東京物語", "JP", "ja"),
        (3, "Le Voyage à Tokyo", "le voyage a tokyo", "FR", None),
        (7, "Null", "null", None, None),
    ]
    assert report.other_title_rows == 3


@pytest.mark.parametrize("title", ["Tokyo Story", "Monogatari"])
def test_the_movies_own_titles_are_no_other_ones(loads, bring, title):
    bring(aka_row(title=title, region=None, isOriginalTitle=1))
    assert loads.titles() == []


@pytest.mark.parametrize("original", ["Monogatari", None])
def test_an_original_title_that_the_movie_does_not_have_is_kept(loads, bring, original):
    movie = title_row(primaryTitle="Tokyo Story", originalTitle=original)
    bring(aka_row(title="Tôkyô monogatari", region=None, isOriginalTitle=1), titles=[movie])
    assert [row[1] for row in loads.titles()] == ["Tôkyô monogatari"]


def test_the_same_title_in_a_country_is_kept(loads, bring):
    bring(aka_row(title="Tokyo Story", region="GB"))
    assert [row[3] for row in loads.titles()] == ["GB"]


@pytest.mark.parametrize("title", ['"', "NULL", "\\.", "a\rb", "', '", "x" * 3000, " ", "\U0001f3ac", "İı"])
def test_every_title_comes_out_exactly_as_it_stood_in_the_file(loads, bring, title):
    bring(aka_row(title=title))
    assert loads.titles()[0][1] == title


def test_titles_of_unwanted_movies_are_left_out(loads, bring):
    report = bring(aka_row(titleId="tt0000002"))
    assert loads.query("SELECT FROM movie_titles") == []
    assert report.other_title_rows == 0


def test_bad_rows_are_left_out_and_counted(loads, bring):
    report = bring(
        aka_row(),
        aka_row(title="Second"),
        aka_row(ordering=2, title=None),
        aka_row(ordering="x"),
        aka_row(ordering=0),
        aka_row(ordering=40_000),
        aka_row(titleId="x"),
        b"tt0000001\t3\tToo short",
    )
    assert [row[1] for row in loads.titles()] == ["Y"]
    assert faults(report) == {
        "rejected": {"columns": 1, "bad_id": 1, "null_title": 1, "no_position": 3},
        "nulled": {"position": 3},
        "duplicate": {"position": 1},
    }


@pytest.mark.parametrize(
    "after",
    [
        [aka_row(title="Other")],
        [aka_row(region="BE")],
        [aka_row(language="fr")],
        [aka_row(), aka_row(ordering=2)],
        [aka_row(ordering=2)],
        [],
    ],
)
def test_a_movie_that_is_called_otherwise_is_one_changed_movie(loads, bring, after):
    bring(aka_row())
    before = change(loads)
    report = bring(*after)
    assert report.merged["updated"] == 1
    assert change(loads) > before
    assert len(loads.titles()) == len(after)
    assert bring(*after, is_forced=True).merged["updated"] == 0


def test_titles_as_before_are_not_written_again(loads, bring):
    bring(aka_row(), aka_row(ordering=2))
    before = loads.query("SELECT xmin, * FROM movie_titles ORDER BY position")
    bring(aka_row(), aka_row(ordering=2), is_forced=True)
    assert loads.query("SELECT xmin, * FROM movie_titles ORDER BY position") == before


def test_other_titles_that_are_no_longer_loaded_are_no_longer_there(loads, bring):
    bring(aka_row())
    report = bring(aka_row(), with_akas=False)
    assert (report.state, report.merged["updated"]) == ("done", 1)
    assert loads.titles() == []


def test_a_retired_movie_keeps_its_other_titles(loads, bring):
    both = [title_row(), title_row(tconst="tt0000002")]
    bring(aka_row(titleId="tt0000002"), titles=both)
    bring(titles=both[:1])
    assert len(loads.titles("tt0000002")) == 1


def test_a_source_without_other_titles_is_refused_where_they_are_asked_for(loads, dumps):
    with pytest.raises(Exception, match=r"title\.akas\.tsv\.gz.*no such file"):
        loads.run(with_akas=True)
    assert loads.run().state == "done"


def test_a_source_without_a_cast_is_refused_where_it_is_asked_for(loads, dumps):
    with pytest.raises(Exception, match=r"title\.principals\.tsv\.gz.*no such file"):
        loads.run(with_cast=True)
