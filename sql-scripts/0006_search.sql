-- 0006: search: the words of every movie's titles, found by index; and the words that there are, to correct others by.
SET LOCAL lock_timeout = '2s';

CREATE EXTENSION IF NOT EXISTS unaccent;
CREATE EXTENSION IF NOT EXISTS fuzzystrmatch;

-- unaccent() is not IMMUTABLE because its dictionary may be another one; here it is named. The collation is
-- named too: titles are of COLLATE "C", under which letters are those of ASCII alone.
CREATE FUNCTION search_plain(title text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT left(
        CASE WHEN octet_length(title) = length(title) THEN lower(title)
        ELSE lower(regexp_replace(
            unaccent('unaccent'::regdictionary, translate(normalize(title COLLATE "default", NFC), '’‘ʼ´`′', '''''''''''''')),
            '[\u0300-\u036f]', '', 'g'
        )) END, 400
    )
$$;
COMMENT ON FUNCTION search_plain(text) IS
    'A title in lower case, without accents, with one kind of apostrophe; its first 400 characters.';

CREATE FUNCTION search_key(title text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT btrim(regexp_replace(replace(search_plain(title), '''', ''), '[^[:alnum:]]+' COLLATE "default", ' ', 'g'))
$$;
COMMENT ON FUNCTION search_key(text) IS
    'What a title and a query are compared by: words of lower-case letters and digits, divided by one blank each.';

CREATE FUNCTION search_exact(key text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT '=' || replace(regexp_replace(
        key, '^(the|an?|l|les?|la|el|los|las|il|lo|gli|un[ae]?|der|das|ein|eine|het|een|den) (?=.)', ''
    ), ' ', '')
$$;
COMMENT ON FUNCTION search_exact(text) IS
    'What tells that a whole title is meant: its key without a leading article and blanks, after =, which no word has.';

-- Words as they stand, with apostrophes and hyphens as blanks, and without them: Spider-Man is found by spider man
-- and by spiderman, d'Amélie by amelie. PL/pgSQL, for it goes its way by what a title holds: in SQL, as one
-- statement, it took three times as long.
CREATE FUNCTION search_vector(titles text[]) RETURNS tsvector LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    title text;
    plain text;
    key text;
    lexemes text[] := '{}';
BEGIN
    FOREACH title IN ARRAY titles LOOP
        CONTINUE WHEN title IS NULL;
        plain := search_plain(title);
        IF plain ~ '^[a-z0-9]+( [a-z0-9]+)*$' THEN
            lexemes := lexemes || string_to_array(plain, ' ') || search_exact(plain);
            CONTINUE;
        END IF;
        FOREACH key IN ARRAY ARRAY[
            replace(plain, '''', ''),
            plain,
            regexp_replace(plain, '[^[:alnum:][:space:]]+' COLLATE "default", '', 'g')
        ] LOOP
            key := btrim(regexp_replace(key, '[^[:alnum:]]+' COLLATE "default", ' ', 'g'));
            IF key <> '' THEN
                lexemes := lexemes || string_to_array(key, ' ') || search_exact(key);
            END IF;
        END LOOP;
    END LOOP;
    RETURN array_to_tsvector(lexemes);
END
$$;
COMMENT ON FUNCTION search_vector(text[]) IS 'The words of a movie''s titles, and search_exact() of each of them.';

-- Apart from movies: a night's 100,000 changed votes are as many new versions of rows there, and each of them
-- would be entered into the index of words again. No foreign key either: its triggers would look up each of
-- 720,000 movies; those of movies keep it.
CREATE TABLE movie_search (
    movie_id uuid CONSTRAINT movie_search_pkey PRIMARY KEY,
    vector tsvector NOT NULL
);
COMMENT ON TABLE movie_search IS
    'What every movie is found by, retired ones too. Written by the triggers of movies and movie_titles alone.';
COMMENT ON COLUMN movie_search.movie_id IS 'movies.id';
COMMENT ON COLUMN movie_search.vector IS 'search_vector() of its title, original title and other titles.';

CREATE TABLE search_words (
    word text COLLATE "C" CONSTRAINT search_words_pkey PRIMARY KEY,
    movies integer NOT NULL
);
COMMENT ON TABLE search_words IS
    'Every word that movies are found by, and maybe some that are gone: what typing errors are corrected by.';
COMMENT ON COLUMN search_words.word IS 'As in movie_search.';
COMMENT ON COLUMN search_words.movies IS 'How many movies have it, as of the last change of over a thousand movies.';
CREATE INDEX search_words_length_idx ON search_words (length(word), word) INCLUDE (movies);

CREATE FUNCTION search_words_count() RETURNS void LANGUAGE sql AS $$
    WITH counted AS MATERIALIZED (
        SELECT lexeme AS word, count(*) AS movies
        FROM movie_search, unnest(tsvector_to_array(vector)) AS lexeme
        WHERE lexeme NOT LIKE '=%'
        GROUP BY lexeme
    ), gone AS (
        DELETE FROM search_words WHERE NOT EXISTS (SELECT FROM counted WHERE counted.word = search_words.word)
    )
    INSERT INTO search_words (word, movies)
    SELECT word, movies FROM counted ORDER BY word
    ON CONFLICT (word) DO UPDATE SET movies = excluded.movies WHERE search_words.movies <> excluded.movies
$$;
COMMENT ON FUNCTION search_words_count() IS 'Makes search_words equal to the words of movie_search.';

CREATE FUNCTION search_words_add(movie_ids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF cardinality(movie_ids) > 1000 THEN
        PERFORM search_words_count();
        RETURN;
    END IF;
    -- In one order everywhere, so that two who add the same words wait for each other one way round alone.
    INSERT INTO search_words (word, movies)
    SELECT lexeme, count(*)
    FROM movie_search, unnest(tsvector_to_array(vector)) AS lexeme
    WHERE movie_id = ANY(movie_ids) AND lexeme NOT LIKE '=%'
    GROUP BY lexeme
    ORDER BY lexeme
    ON CONFLICT (word) DO NOTHING;
END
$$;
COMMENT ON FUNCTION search_words_add(uuid[]) IS
    'Enters the words of these movies, whose vectors are new; of many movies by counting all words anew.';

CREATE FUNCTION movie_search_renew(movie_ids uuid[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE movie_search SET vector = renewed.vector
    FROM (
        SELECT movies.id, search_vector(ARRAY[movies.title, nullif(movies.original_title, movies.title)] || (
            SELECT array_agg(DISTINCT movie_titles.title) FROM movie_titles WHERE movie_titles.movie_id = movies.id
        )) AS vector
        FROM unnest(movie_ids) AS changed (id) JOIN movies USING (id)
    ) AS renewed
    WHERE movie_search.movie_id = renewed.id AND movie_search.vector <> renewed.vector;
    PERFORM search_words_add(movie_ids);
END
$$;
COMMENT ON FUNCTION movie_search_renew(uuid[]) IS 'Makes the vectors of these movies anew, whose titles changed.';

CREATE FUNCTION movie_search_add() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO movie_search (movie_id, vector)
    SELECT id, search_vector(ARRAY[title, nullif(original_title, title)]) FROM new_movies;
    PERFORM search_words_add((SELECT array_agg(id) FROM new_movies));
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION movie_search_add() IS 'Gives new movies their rows in movie_search.';

CREATE FUNCTION movie_search_replace() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    renamed uuid[] := (
        SELECT array_agg(id) FROM new_movies JOIN old_movies USING (id)
        WHERE (new_movies.title, new_movies.original_title)
            IS DISTINCT FROM (old_movies.title, old_movies.original_title)
    );
BEGIN
    IF renamed IS NOT NULL THEN
        PERFORM movie_search_renew(renamed);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION movie_search_replace() IS 'Renews the rows of movies whose titles changed.';

CREATE FUNCTION movie_search_remove() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM movie_search USING old_movies WHERE movie_search.movie_id = old_movies.id;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION movie_search_remove() IS 'Takes away the rows of movies that are deleted.';

CREATE FUNCTION movie_search_retitle() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    retitled uuid[] := (SELECT array_agg(DISTINCT movie_id) FROM changed_titles);
BEGIN
    IF retitled IS NOT NULL THEN
        PERFORM movie_search_renew(retitled);
    END IF;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION movie_search_retitle() IS 'Renews the rows of movies whose other titles changed.';

CREATE TRIGGER movies_inserted_search AFTER INSERT ON movies
    REFERENCING NEW TABLE AS new_movies FOR EACH STATEMENT EXECUTE FUNCTION movie_search_add();
CREATE TRIGGER movies_updated_search AFTER UPDATE ON movies
    REFERENCING OLD TABLE AS old_movies NEW TABLE AS new_movies
    FOR EACH STATEMENT EXECUTE FUNCTION movie_search_replace();
CREATE TRIGGER movies_deleted_search AFTER DELETE ON movies
    REFERENCING OLD TABLE AS old_movies FOR EACH STATEMENT EXECUTE FUNCTION movie_search_remove();
CREATE TRIGGER movie_titles_inserted_search AFTER INSERT ON movie_titles
    REFERENCING NEW TABLE AS changed_titles FOR EACH STATEMENT EXECUTE FUNCTION movie_search_retitle();
-- Titles never move from one movie to another, so the new rows name all movies.
CREATE TRIGGER movie_titles_updated_search AFTER UPDATE ON movie_titles
    REFERENCING NEW TABLE AS changed_titles FOR EACH STATEMENT EXECUTE FUNCTION movie_search_retitle();
CREATE TRIGGER movie_titles_deleted_search AFTER DELETE ON movie_titles
    REFERENCING OLD TABLE AS changed_titles FOR EACH STATEMENT EXECUTE FUNCTION movie_search_retitle();

-- As with the indexes of lists: a first load fills the table before it is indexed.
CREATE FUNCTION catalogue_create_search_indexes() RETURNS void LANGUAGE sql AS $$
    -- Without a list of pending entries: every search would read it, and now and then a write would have to
    -- clear it up.
    CREATE INDEX IF NOT EXISTS movie_search_vector_idx ON movie_search USING gin (vector) WITH (fastupdate = off);
$$;
COMMENT ON FUNCTION catalogue_create_search_indexes() IS
    'Makes the index of movie_search if it is not there: readers go on, writers wait.';

CREATE FUNCTION catalogue_drop_search_indexes() RETURNS void LANGUAGE sql AS $$
    DROP INDEX IF EXISTS movie_search_vector_idx;
$$;
COMMENT ON FUNCTION catalogue_drop_search_indexes() IS
    'Drops what catalogue_create_search_indexes makes; only while the catalogue is (nearly) empty.';

-- What is there by now.
INSERT INTO movie_search (movie_id, vector)
SELECT id, search_vector(ARRAY[title, nullif(original_title, title)] || (
    SELECT array_agg(DISTINCT movie_titles.title) FROM movie_titles WHERE movie_titles.movie_id = movies.id
))
FROM movies;
SELECT catalogue_create_search_indexes();
SELECT search_words_count();
