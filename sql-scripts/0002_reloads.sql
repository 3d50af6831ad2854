-- 0002: reloads: movies that are retired and come back, who changed what and when, and a row for every load.
SET LOCAL lock_timeout = '2s';

-- ── Changes: what lists are cached by, and what copies of the catalogue follow ──
CREATE TABLE catalogue_state (
    id boolean DEFAULT true CONSTRAINT catalogue_state_pkey PRIMARY KEY,
    generation bigint NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT catalogue_state_single CHECK (id)
);
COMMENT ON TABLE catalogue_state IS 'One row: how often the catalogue changed, and when it did last.';
COMMENT ON COLUMN catalogue_state.id IS 'Always true: there is one catalogue.';
COMMENT ON COLUMN catalogue_state.generation IS 'Rises by one with each change; committed in this order.';
COMMENT ON COLUMN catalogue_state.changed_at IS 'When; never runs backwards, whatever the clock does.';

CREATE SEQUENCE catalogue_change_ids;
COMMENT ON SEQUENCE catalogue_change_ids IS
    'Names a change before it has a generation, so that a long one keeps no other waiting until its end.';

CREATE TABLE catalogue_changes (
    id bigint CONSTRAINT catalogue_changes_pkey PRIMARY KEY,
    generation bigint NOT NULL CONSTRAINT catalogue_changes_generation_key UNIQUE,
    changed_at timestamptz NOT NULL,
    load_id bigint
);
CREATE INDEX catalogue_changes_changed_at_idx ON catalogue_changes (changed_at);
CREATE INDEX catalogue_changes_load_id_idx ON catalogue_changes (load_id) WHERE load_id IS NOT NULL;
COMMENT ON TABLE catalogue_changes IS 'Every change that was published: a load, or a write through the API.';
COMMENT ON COLUMN catalogue_changes.id IS 'What movies.changed_in and movies.appeared_in name.';
COMMENT ON COLUMN catalogue_changes.generation IS 'The generation that it began.';
COMMENT ON COLUMN catalogue_changes.changed_at IS 'When it was published; rises with the generation.';
COMMENT ON COLUMN catalogue_changes.load_id IS 'dataset_loads.id; null for a write through the API.';

CREATE FUNCTION catalogue_publish(change_id bigint, load_id bigint DEFAULT NULL) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    state catalogue_state;
BEGIN
    -- The row's lock is held until the commit, so generations are committed in their order: whoever saw
    -- one has seen all before it. It is to be a transaction's last statement.
    UPDATE catalogue_state SET
        generation = generation + 1,
        changed_at = greatest(clock_timestamp(), changed_at + interval '1 microsecond')
    RETURNING * INTO STRICT state;
    INSERT INTO catalogue_changes (id, generation, changed_at, load_id)
    VALUES (change_id, state.generation, state.changed_at, load_id);
    RETURN state.generation;
END
$$;
COMMENT ON FUNCTION catalogue_publish(bigint, bigint) IS
    'Ends a change that catalogue_change_ids named: gives it the next generation, which it returns.';

INSERT INTO catalogue_state (generation, changed_at) VALUES (0, '-infinity');
-- Whatever is there by now changed in the first of them.
SELECT catalogue_publish(nextval('catalogue_change_ids'));

ALTER TABLE movies
    ADD COLUMN retired_at timestamptz,
    ADD COLUMN appeared_in bigint NOT NULL DEFAULT 1,
    ADD COLUMN changed_in bigint NOT NULL DEFAULT 1;
COMMENT ON COLUMN movies.retired_at IS
    'When a load found it gone from the dumps; null: it is not retired. Lists leave it out; users'' data stays.';
COMMENT ON COLUMN movies.appeared_in IS 'catalogue_changes.id of the change that made it, or brought it back.';
COMMENT ON COLUMN movies.changed_in IS
    'catalogue_changes.id of its last change: its row version. The default serves versions that knew none.';

-- ── Rows by genre: none for retired movies; found by genre, title and movie, the key of a sorted index ──
CREATE OR REPLACE FUNCTION movie_genres_add() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO movie_genres (
        genre_id, movie_id, title_key, year, runtime_minutes, rating_tenths, votes, is_adult, genre_ids
    )
    SELECT genre_id, id, title_key, year, runtime_minutes, rating_tenths, votes, is_adult, genre_ids
    FROM new_movies, unnest(genre_ids) AS genre_id
    WHERE retired_at IS NULL
    ORDER BY genre_id;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION movie_genres_replace() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    CREATE TEMPORARY TABLE movies_that_moved ON COMMIT DROP AS
    SELECT new_movies.id, new_movies.title_key, new_movies.year, new_movies.runtime_minutes,
        new_movies.rating_tenths, new_movies.votes, new_movies.is_adult, new_movies.genre_ids,
        new_movies.retired_at IS NULL AS is_listed,
        -- Where its rows are found: by the index of titles, for none is kept by movie alone.
        old_movies.title_key AS old_title_key,
        CASE WHEN old_movies.retired_at IS NULL THEN old_movies.genre_ids END AS old_genre_ids,
        new_movies.genre_ids = old_movies.genre_ids
            AND new_movies.retired_at IS NULL AND old_movies.retired_at IS NULL AS keeps_rows
    FROM new_movies JOIN old_movies USING (id)
    WHERE (new_movies.title_key, new_movies.year, new_movies.runtime_minutes, new_movies.rating_tenths,
            new_movies.votes, new_movies.is_adult, new_movies.genre_ids, new_movies.retired_at IS NULL)
        IS DISTINCT FROM (old_movies.title_key, old_movies.year, old_movies.runtime_minutes,
            old_movies.rating_tenths, old_movies.votes, old_movies.is_adult, old_movies.genre_ids,
            old_movies.retired_at IS NULL);
    ANALYZE movies_that_moved;
    -- Most changes are of votes alone. A reload's are so many that the whole table is read once.
    IF (SELECT count(*) > 10000 FROM movies_that_moved) THEN
        UPDATE movie_genres SET
            title_key = moved.title_key, year = moved.year, runtime_minutes = moved.runtime_minutes,
            rating_tenths = moved.rating_tenths, votes = moved.votes, is_adult = moved.is_adult
        FROM movies_that_moved AS moved
        WHERE moved.keeps_rows AND movie_genres.movie_id = moved.id;
    ELSE
        UPDATE movie_genres SET
            title_key = moved.title_key, year = moved.year, runtime_minutes = moved.runtime_minutes,
            rating_tenths = moved.rating_tenths, votes = moved.votes, is_adult = moved.is_adult
        FROM movies_that_moved AS moved, unnest(moved.old_genre_ids) AS old_genre_id
        WHERE moved.keeps_rows AND movie_genres.genre_id = old_genre_id
            AND movie_genres.title_key = moved.old_title_key AND movie_genres.movie_id = moved.id;
    END IF;
    DELETE FROM movie_genres
    USING movies_that_moved AS moved, unnest(moved.old_genre_ids) AS old_genre_id
    WHERE NOT moved.keeps_rows AND movie_genres.genre_id = old_genre_id
        AND movie_genres.title_key = moved.old_title_key AND movie_genres.movie_id = moved.id;
    INSERT INTO movie_genres (
        genre_id, movie_id, title_key, year, runtime_minutes, rating_tenths, votes, is_adult, genre_ids
    )
    SELECT genre_id, id, title_key, year, runtime_minutes, rating_tenths, votes, is_adult, genre_ids
    FROM movies_that_moved, unnest(genre_ids) AS genre_id
    WHERE is_listed AND NOT keeps_rows
    ORDER BY genre_id;
    DROP TABLE movies_that_moved;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION movie_genres_remove() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM movie_genres USING old_movies, unnest(old_movies.genre_ids) AS old_genre_id
    WHERE movie_genres.genre_id = old_genre_id
        AND movie_genres.title_key = old_movies.title_key AND movie_genres.movie_id = old_movies.id;
    RETURN NULL;
END
$$;

-- ── The indexes of lists hold what lists show ──
SELECT catalogue_drop_listing_indexes();

CREATE OR REPLACE FUNCTION catalogue_create_listing_indexes() RETURNS void LANGUAGE sql AS $$
    CREATE INDEX IF NOT EXISTS movies_changed_in_idx ON movies (changed_in, id);
    -- One b-tree a sort, ties by id. Each carries what lists filter by, so that a row that a filter leaves
    -- out costs no visit to the table: docs/decisions/0001-list-indexes.md has the figures. A fifth of each
    -- page is left free: a day's changes fit in, where the first reload would split full pages all over
    -- (docs/decisions/0004-reloads.md).
    CREATE INDEX IF NOT EXISTS movies_title_key_idx ON movies (title_key, id)
        INCLUDE (year, rating_tenths, votes, is_adult) WITH (fillfactor = 80) WHERE retired_at IS NULL;
    CREATE INDEX IF NOT EXISTS movies_year_idx ON movies (year, id)
        INCLUDE (rating_tenths, votes, is_adult) WITH (fillfactor = 80) WHERE retired_at IS NULL;
    CREATE INDEX IF NOT EXISTS movies_rating_tenths_idx ON movies (rating_tenths, id)
        INCLUDE (year, votes, is_adult) WITH (fillfactor = 80) WHERE retired_at IS NULL;
    CREATE INDEX IF NOT EXISTS movies_votes_idx ON movies (votes, id)
        INCLUDE (year, rating_tenths, is_adult) WITH (fillfactor = 80) WHERE retired_at IS NULL;
    CREATE INDEX IF NOT EXISTS movies_runtime_minutes_idx ON movies (runtime_minutes, id)
        INCLUDE (year, rating_tenths, votes, is_adult) WITH (fillfactor = 80) WHERE retired_at IS NULL;
    CREATE UNIQUE INDEX IF NOT EXISTS movie_genres_title_key_idx ON movie_genres (genre_id, title_key, movie_id)
        INCLUDE (year, rating_tenths, votes, is_adult, genre_ids) WITH (fillfactor = 80);
    CREATE INDEX IF NOT EXISTS movie_genres_year_idx ON movie_genres (genre_id, year, movie_id)
        INCLUDE (rating_tenths, votes, is_adult, genre_ids) WITH (fillfactor = 80);
    CREATE INDEX IF NOT EXISTS movie_genres_rating_tenths_idx ON movie_genres (genre_id, rating_tenths, movie_id)
        INCLUDE (year, votes, is_adult, genre_ids) WITH (fillfactor = 80);
    CREATE INDEX IF NOT EXISTS movie_genres_votes_idx ON movie_genres (genre_id, votes, movie_id)
        INCLUDE (year, rating_tenths, is_adult, genre_ids) WITH (fillfactor = 80);
    CREATE INDEX IF NOT EXISTS movie_genres_runtime_minutes_idx ON movie_genres (genre_id, runtime_minutes, movie_id)
        INCLUDE (year, rating_tenths, votes, is_adult, genre_ids) WITH (fillfactor = 80);
$$;

CREATE OR REPLACE FUNCTION catalogue_drop_listing_indexes() RETURNS void LANGUAGE sql AS $$
    DROP INDEX IF EXISTS movies_changed_in_idx, movies_title_key_idx, movies_year_idx, movies_rating_tenths_idx,
        movies_votes_idx, movies_runtime_minutes_idx, movie_genres_title_key_idx, movie_genres_year_idx,
        movie_genres_rating_tenths_idx, movie_genres_votes_idx, movie_genres_runtime_minutes_idx;
$$;

SELECT catalogue_create_listing_indexes();

-- ── Loads: every one has a row, whatever became of it ──
ALTER TABLE dataset_loads
    ALTER COLUMN finished_at DROP NOT NULL,
    ALTER COLUMN files SET DEFAULT '[]',
    ALTER COLUMN movie_rows DROP NOT NULL,
    ALTER COLUMN genre_rows DROP NOT NULL,
    ALTER COLUMN rating_rows DROP NOT NULL,
    ALTER COLUMN report DROP NOT NULL,
    ADD COLUMN state text COLLATE "C" NOT NULL DEFAULT 'done',
    ADD COLUMN loader text,
    ADD COLUMN mean_rating double precision,
    ADD COLUMN fingerprint text COLLATE "C",
    ADD COLUMN rejected jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN inserted integer,
    ADD COLUMN updated integer,
    ADD COLUMN retired integer,
    ADD COLUMN phases jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN error_code text COLLATE "C",
    ADD COLUMN error text,
    ADD CONSTRAINT dataset_loads_state_known CHECK (state IN ('running', 'done', 'unchanged', 'refused', 'failed')),
    ADD CONSTRAINT dataset_loads_finished CHECK ((finished_at IS NULL) = (state = 'running')),
    ADD CONSTRAINT dataset_loads_error_told CHECK ((error IS NOT NULL) = (state IN ('refused', 'failed')));
COMMENT ON TABLE dataset_loads IS 'One row a load, from its start on; what it loaded is seen when the row is done.';
COMMENT ON COLUMN dataset_loads.finished_at IS 'When the load ended; null while it runs, or died without a word.';
COMMENT ON COLUMN dataset_loads.files IS 'Per file: name, address, size in bytes, ETag, Last-Modified, SHA-256, rows read.';
COMMENT ON COLUMN dataset_loads.movie_rows IS 'Movies in the dumps, as far as they were read.';
COMMENT ON COLUMN dataset_loads.genre_rows IS 'Genres that these movies have.';
COMMENT ON COLUMN dataset_loads.rating_rows IS 'Those of the movies that have a rating.';
COMMENT ON COLUMN dataset_loads.state IS
    'running; done; unchanged: the dumps are those of the last done load; refused: they look wrong; failed.';
COMMENT ON COLUMN dataset_loads.loader IS 'The loader''s process id and host.';
COMMENT ON COLUMN dataset_loads.mean_rating IS 'Of the movies that have a rating, 1 to 10.';
COMMENT ON COLUMN dataset_loads.fingerprint IS
    'What decides what is loaded: the files'' checksums, title types, options, versions of schema and loader.';
COMMENT ON COLUMN dataset_loads.rejected IS 'Per file and kind: malformed rows of the wanted types.';
COMMENT ON COLUMN dataset_loads.inserted IS 'Movies that were new.';
COMMENT ON COLUMN dataset_loads.updated IS 'Movies whose values differed, or that came back.';
COMMENT ON COLUMN dataset_loads.retired IS 'Movies that were gone from the dumps.';
COMMENT ON COLUMN dataset_loads.phases IS 'Name, seconds and rows of each, in the order they ended.';
COMMENT ON COLUMN dataset_loads.error_code IS 'Why it was refused or failed, a word for machines.';
COMMENT ON COLUMN dataset_loads.error IS 'Why it was refused or failed, for people.';

-- ── Alerts that were told and are not over ──
CREATE TABLE alerts (
    cause text COLLATE "C" CONSTRAINT alerts_pkey PRIMARY KEY,
    message text NOT NULL,
    raised_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE alerts IS 'What is wrong at the moment and was told: each cause once, until it is well again.';
COMMENT ON COLUMN alerts.cause IS 'The same for the same cause: stale, load:source_unreachable …';
COMMENT ON COLUMN alerts.message IS 'What was told.';
COMMENT ON COLUMN alerts.raised_at IS 'When it was told.';
