-- 0007: editing: what editors changed and loads leave alone, names that genres had, answers that are given again.
SET LOCAL lock_timeout = '2s';

-- ── Overrides: the movie's own row has the editor's value, so that reading asks nothing else ──
ALTER TABLE movies ADD COLUMN overrides text[];
COMMENT ON COLUMN movies.overrides IS
    'The fields in movie_overrides, in alphabetical order; null: none. What is shown, and what loads look at.';
CREATE INDEX movies_overrides_idx ON movies (imdb_id) WHERE overrides IS NOT NULL;

CREATE TABLE movie_overrides (
    movie_id uuid CONSTRAINT movie_overrides_movie_id_fkey REFERENCES movies ON DELETE CASCADE,
    field text COLLATE "C",
    dumped jsonb NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    made_by uuid,
    CONSTRAINT movie_overrides_pkey PRIMARY KEY (movie_id, field),
    CONSTRAINT movie_overrides_field_known CHECK (field IN (
        'title', 'original_title', 'year', 'rating', 'votes', 'runtime', 'genres', 'imdb_link', 'deleted'
    ))
);
COMMENT ON TABLE movie_overrides IS
    'Fields of movies from the dumps that an editor changed, and deletions (of movies of the API, too).';
COMMENT ON COLUMN movie_overrides.movie_id IS 'movies.id';
COMMENT ON COLUMN movie_overrides.field IS 'As the API names it; deleted: the movie is retired until it is restored.';
COMMENT ON COLUMN movie_overrides.dumped IS
    'What the dumps say, as of the last load: ratings in tenths, genres by name; JSON null where they say nothing.';
COMMENT ON COLUMN movie_overrides.made_at IS 'When an editor changed the field first.';
COMMENT ON COLUMN movie_overrides.made_by IS 'users.pseudonym of that editor.';

-- ── Genres: versions, and the names that they had ──
ALTER TABLE genres ADD COLUMN changed_in bigint NOT NULL DEFAULT 1;
COMMENT ON COLUMN genres.changed_in IS
    'catalogue_changes.id of its last change by an editor: its row version. Loads make genres, and change none.';
COMMENT ON COLUMN genres.name IS
    'As first written, or as an editor renamed it; case does not tell two genres apart.';

CREATE TABLE genre_aliases (
    name_key text COLLATE "C" CONSTRAINT genre_aliases_pkey PRIMARY KEY,
    name text COLLATE "C" NOT NULL,
    genre_id integer NOT NULL CONSTRAINT genre_aliases_genre_id_fkey REFERENCES genres ON DELETE CASCADE
);
CREATE INDEX genre_aliases_genre_id_idx ON genre_aliases (genre_id);
COMMENT ON TABLE genre_aliases IS 'Names that genres had before they were renamed or merged: the dumps go on using them.';
COMMENT ON COLUMN genre_aliases.name_key IS 'The name without case; no genre has it.';
COMMENT ON COLUMN genre_aliases.name IS 'The name.';
COMMENT ON COLUMN genre_aliases.genre_id IS 'genres.id of the genre that is meant by it.';

ALTER TABLE catalogue_state ADD COLUMN genres_changed_in bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN catalogue_state.genres_changed_in IS
    'catalogue_changes.id of the last change of a genre by an editor: an older copy of their names is out of date.';

-- ── Answers that are given again ──
CREATE TABLE idempotency_keys (
    user_id uuid CONSTRAINT idempotency_keys_user_id_fkey REFERENCES users ON DELETE CASCADE,
    key text COLLATE "C" NOT NULL,
    request_hash bytea NOT NULL,
    answer json,
    expires_at timestamptz NOT NULL,
    CONSTRAINT idempotency_keys_key UNIQUE NULLS NOT DISTINCT (user_id, key)
);
CREATE INDEX idempotency_keys_expires_at_idx ON idempotency_keys (expires_at);
COMMENT ON TABLE idempotency_keys IS
    'What a POST with an Idempotency-Key was answered; written with what it made, in the same transaction.';
COMMENT ON COLUMN idempotency_keys.user_id IS 'users.id; null: nobody that is known (ANONYMOUS_WRITES).';
COMMENT ON COLUMN idempotency_keys.key IS 'As the caller sent it.';
COMMENT ON COLUMN idempotency_keys.request_hash IS 'SHA-256 of the request''s method, path and body.';
COMMENT ON COLUMN idempotency_keys.answer IS 'What was made, as it was told; null only within the transaction that makes it.';
COMMENT ON COLUMN idempotency_keys.expires_at IS 'Until when the answer is given again.';
