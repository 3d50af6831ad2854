-- 0008: people by name: all who have a name, and those whose names have the words that are asked for.
SET LOCAL lock_timeout = '2s';

CREATE INDEX people_name_key_idx ON people (name_key);

-- Apart from people: whoever makes one movie more changes places here, and is no other person.
CREATE TABLE person_search (
    number integer CONSTRAINT person_search_pkey PRIMARY KEY,
    rank integer NOT NULL,
    words text COLLATE "C" NOT NULL
);
COMMENT ON TABLE person_search IS
    'What people are found by; all whom movies name, or named. Written by the triggers of movie_credits and people alone.';
COMMENT ON COLUMN person_search.number IS 'people.number';
COMMENT ON COLUMN person_search.rank IS
    'How many movies name the person, retired ones too, below zero: by one ascending index, those with most come first.';
COMMENT ON COLUMN person_search.words IS 'The words of the name, as search_key() gives them, each after a blank.';

CREATE FUNCTION person_search_words(name text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT ' ' || search_key(name)
$$;
COMMENT ON FUNCTION person_search_words(text) IS 'What person_search has of a name.';

-- Said to be dear, or a search of all rows would seem cheaper than the index where words are many.
CREATE FUNCTION person_search_vector(words text) RETURNS tsvector
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1000 AS $$
BEGIN
    RETURN array_to_tsvector(string_to_array(ltrim(words), ' '));
END
$$;
COMMENT ON FUNCTION person_search_vector(text) IS 'The words of person_search.words, to be found by beginnings.';

CREATE FUNCTION person_search_add(numbers integer[], movies integer[]) RETURNS void LANGUAGE sql AS $$
    -- In one order everywhere, so that two who count the same people wait for each other one way round alone.
    INSERT INTO person_search (number, rank, words)
    SELECT people.number, -added.movies, person_search_words(people.name)
    FROM unnest(numbers, movies) AS added (number, movies) JOIN people ON people.number = added.number
    WHERE added.movies <> 0
    ORDER BY people.number
    ON CONFLICT (number) DO UPDATE SET rank = person_search.rank + excluded.rank
$$;
COMMENT ON FUNCTION person_search_add(integer[], integer[]) IS
    'So many movies more name these people, or less where it is below zero; each person once.';

CREATE FUNCTION person_search_credit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM person_search_add(array_agg(number), array_agg(movies::integer)) FROM (
        SELECT number, count(DISTINCT movie_id) AS movies
        FROM new_credits, unnest(director_ids || writer_ids || cast_ids) AS number GROUP BY number
    ) AS named;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION person_search_credit() IS 'Counts the movies of people whom new credits name.';

CREATE FUNCTION person_search_discredit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM person_search_add(array_agg(number), array_agg(-movies::integer)) FROM (
        SELECT number, count(DISTINCT movie_id) AS movies
        FROM old_credits, unnest(director_ids || writer_ids || cast_ids) AS number GROUP BY number
    ) AS named;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION person_search_discredit() IS 'Counts no more the movies of people whom credits named that are gone.';

CREATE FUNCTION person_search_recredit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM person_search_add(array_agg(number), array_agg(movies::integer)) FROM (
        SELECT number, sum(one) AS movies FROM (
            SELECT DISTINCT movie_id, number, 1 AS one
            FROM new_credits, unnest(director_ids || writer_ids || cast_ids) AS number
            UNION ALL
            SELECT DISTINCT movie_id, number, -1
            FROM old_credits, unnest(director_ids || writer_ids || cast_ids) AS number
        ) AS named GROUP BY number HAVING sum(one) <> 0
    ) AS changed;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION person_search_recredit() IS 'Counts the movies of people whom changed credits name, or did.';

CREATE FUNCTION person_search_rename() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE person_search SET words = person_search_words(new_people.name)
    FROM new_people JOIN old_people USING (number)
    WHERE person_search.number = new_people.number AND new_people.name <> old_people.name;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION person_search_rename() IS 'Renews the words of people whose names changed.';

CREATE TRIGGER movie_credits_counted_1 AFTER INSERT ON movie_credits
    REFERENCING NEW TABLE AS new_credits FOR EACH STATEMENT EXECUTE FUNCTION person_search_credit();
CREATE TRIGGER movie_credits_counted_2 AFTER UPDATE ON movie_credits
    REFERENCING OLD TABLE AS old_credits NEW TABLE AS new_credits
    FOR EACH STATEMENT EXECUTE FUNCTION person_search_recredit();
CREATE TRIGGER movie_credits_counted_3 AFTER DELETE ON movie_credits
    REFERENCING OLD TABLE AS old_credits FOR EACH STATEMENT EXECUTE FUNCTION person_search_discredit();
CREATE TRIGGER people_renamed AFTER UPDATE ON people
    REFERENCING OLD TABLE AS old_people NEW TABLE AS new_people
    FOR EACH STATEMENT EXECUTE FUNCTION person_search_rename();

-- The indexes come after the rows, as those of credits: so the functions that make and drop these do it with these.
CREATE OR REPLACE FUNCTION catalogue_create_credit_indexes() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_constraint WHERE conname = 'movie_credits_movie_id_fkey') THEN
        LOCK movies IN SHARE ROW EXCLUSIVE MODE;
        DELETE FROM movie_credits WHERE NOT EXISTS (SELECT FROM movies WHERE movies.id = movie_credits.movie_id);
        ALTER TABLE movie_credits ADD CONSTRAINT movie_credits_movie_id_fkey
            FOREIGN KEY (movie_id) REFERENCES movies ON DELETE CASCADE;
    END IF;
    -- With the words, so that a walk along it reads nothing else.
    CREATE INDEX IF NOT EXISTS person_search_rank_idx ON person_search (rank, number) INCLUDE (words);
    CREATE INDEX IF NOT EXISTS person_search_words_idx ON person_search
        USING gin (person_search_vector(words)) WITH (fastupdate = off);
    CREATE INDEX IF NOT EXISTS movie_credits_director_ids_idx ON movie_credits USING gin (director_ids);
    CREATE INDEX IF NOT EXISTS movie_credits_person_ids_idx ON movie_credits
        USING gin ((director_ids || writer_ids || cast_ids));
END
$$;
COMMENT ON FUNCTION catalogue_create_credit_indexes() IS
    'Makes what movie_credits and person_search lack of indexes and foreign keys: readers go on, writers wait.';

CREATE OR REPLACE FUNCTION catalogue_drop_credit_indexes() RETURNS void LANGUAGE sql AS $$
    DROP INDEX IF EXISTS movie_credits_director_ids_idx, movie_credits_person_ids_idx,
        person_search_rank_idx, person_search_words_idx;
    ALTER TABLE movie_credits DROP CONSTRAINT IF EXISTS movie_credits_movie_id_fkey;
$$;
COMMENT ON FUNCTION catalogue_drop_credit_indexes() IS
    'Drops what catalogue_create_credit_indexes makes; only while there are (nearly) no credits.';

-- What is there by now.
SELECT person_search_add(array_agg(number), array_agg(movies::integer)) FROM (
    SELECT number, count(DISTINCT movie_id) AS movies
    FROM movie_credits, unnest(director_ids || writer_ids || cast_ids) AS number GROUP BY number
) AS named;
SELECT catalogue_create_credit_indexes();
