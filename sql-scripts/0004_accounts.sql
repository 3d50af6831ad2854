-- 0004: accounts: who may sign in and how, what they are allowed, and what keeps others out.
SET LOCAL lock_timeout = '2s';

-- ── A job that is put into the queue by the transaction that it is for ──
CREATE FUNCTION jobs_defer(task text, arguments jsonb) RETURNS bigint LANGUAGE sql AS $$
    SELECT unnest(procrastinate_defer_jobs_v1(ARRAY[
        ROW(split_part(task, ':', 1), task, 0, NULL, NULL, arguments, NULL)
    ]::procrastinate_job_to_defer_v1[]));
$$;
COMMENT ON FUNCTION jobs_defer(text, jsonb) IS
    'Puts one job of a task that takes arguments into the queue: ids, never secrets, for they are kept and logged.';

-- ── Users ──
CREATE TABLE users (
    id uuid DEFAULT gen_random_uuid() CONSTRAINT users_pkey PRIMARY KEY,
    email text,
    email_key text COLLATE "C",
    email_verified_at timestamptz,
    display_name text NOT NULL,
    password_hash text COLLATE "C",
    role text COLLATE "C" NOT NULL DEFAULT 'user',
    pseudonym uuid NOT NULL DEFAULT gen_random_uuid(),
    created_at timestamptz NOT NULL DEFAULT now(),
    disabled_at timestamptz,
    CONSTRAINT users_email_key_key UNIQUE (email_key),
    CONSTRAINT users_pseudonym_key UNIQUE (pseudonym),
    CONSTRAINT users_role_known CHECK (role IN ('user', 'editor', 'admin')),
    CONSTRAINT users_email_whole CHECK ((email IS NULL) = (email_key IS NULL)),
    CONSTRAINT users_email_verified_is_there CHECK (email_verified_at IS NULL OR email IS NOT NULL)
);
COMMENT ON TABLE users IS 'Accounts. Deleting a row deletes all that is personal; the audit keeps a pseudonym that then leads nowhere.';
COMMENT ON COLUMN users.created_at IS 'When the account was made.';
COMMENT ON COLUMN users.id IS 'Random; kept for ever.';
COMMENT ON COLUMN users.email IS 'As it was given; null for who signs in through a provider that told none, or none that is verified.';
COMMENT ON COLUMN users.email_key IS 'The address as it is compared: in lower case.';
COMMENT ON COLUMN users.email_verified_at IS 'When its owner was last proved to read mails at the address; null: never.';
COMMENT ON COLUMN users.display_name IS 'What others may see.';
COMMENT ON COLUMN users.password_hash IS 'Argon2id in PHC format; null: no password, signs in through a provider.';
COMMENT ON COLUMN users.role IS 'user; editor: writes the catalogue and the programme; admin: users and jobs too.';
COMMENT ON COLUMN users.pseudonym IS 'Who this is in the audit; known nowhere else.';
COMMENT ON COLUMN users.disabled_at IS 'Since when nothing of this account is accepted; null: it is.';

CREATE TABLE identities (
    id uuid DEFAULT gen_random_uuid() CONSTRAINT identities_pkey PRIMARY KEY,
    user_id uuid NOT NULL,
    provider text COLLATE "C" NOT NULL,
    subject text COLLATE "C" NOT NULL,
    email text,
    client_id text COLLATE "C",
    sealed_refresh_token text COLLATE "C",
    linked_at timestamptz NOT NULL DEFAULT now(),
    used_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT identities_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT identities_provider_subject_key UNIQUE (provider, subject)
);
CREATE INDEX identities_user_id_idx ON identities (user_id);
COMMENT ON TABLE identities IS 'Accounts at providers (Google, Apple, others by OpenID Connect) that sign in a user of ours.';
COMMENT ON COLUMN identities.id IS 'Random.';
COMMENT ON COLUMN identities.user_id IS 'Whom it signs in.';
COMMENT ON COLUMN identities.linked_at IS 'When it began to.';
COMMENT ON COLUMN identities.provider IS 'google, apple, or oidc/NAME.';
COMMENT ON COLUMN identities.subject IS 'The provider''s own id for the person (sub), which never changes.';
COMMENT ON COLUMN identities.email IS 'What the provider told last, for the user to recognise it; never used to find an account.';
COMMENT ON COLUMN identities.client_id IS 'The client of ours that the refresh token was given to.';
COMMENT ON COLUMN identities.sealed_refresh_token IS 'The provider''s, encrypted by a key made of SECRET_KEY: to be revoked with the account.';
COMMENT ON COLUMN identities.used_at IS 'When it last signed in.';

-- ── What is shown at a request ──
CREATE TABLE sessions (
    id uuid DEFAULT gen_random_uuid() CONSTRAINT sessions_pkey PRIMARY KEY,
    user_id uuid NOT NULL,
    method text COLLATE "C" NOT NULL,
    signed_in_at timestamptz NOT NULL DEFAULT now(),
    refreshed_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    address text COLLATE "C",
    user_agent text,
    CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX sessions_user_id_idx ON sessions (user_id);
CREATE INDEX sessions_expires_at_idx ON sessions (expires_at);
COMMENT ON TABLE sessions IS 'One a sign-in: what its tokens are good for ends with it, at once.';
COMMENT ON COLUMN sessions.id IS 'Random; what its tokens name (sid).';
COMMENT ON COLUMN sessions.user_id IS 'Whose.';
COMMENT ON COLUMN sessions.signed_in_at IS 'When it began.';
COMMENT ON COLUMN sessions.refreshed_at IS 'When a refresh token of it was used last.';
COMMENT ON COLUMN sessions.method IS 'password, or the provider that signed in.';
COMMENT ON COLUMN sessions.expires_at IS 'When its latest refresh token is out of date.';
COMMENT ON COLUMN sessions.ended_at IS 'When it was signed out or ended otherwise; null: it goes on.';
COMMENT ON COLUMN sessions.address IS 'Whence it signed in or was refreshed last.';
COMMENT ON COLUMN sessions.user_agent IS 'What program it said to be.';

CREATE TABLE refresh_tokens (
    id uuid CONSTRAINT refresh_tokens_pkey PRIMARY KEY,
    session_id uuid NOT NULL,
    used_at timestamptz,
    CONSTRAINT refresh_tokens_session_id_fkey FOREIGN KEY (session_id) REFERENCES sessions (id) ON DELETE CASCADE
);
CREATE INDEX refresh_tokens_session_id_idx ON refresh_tokens (session_id);
COMMENT ON TABLE refresh_tokens IS 'By the id in each (jti). One that is used again, and not just now, was stolen: its session ends.';
COMMENT ON COLUMN refresh_tokens.id IS 'The token''s jti.';
COMMENT ON COLUMN refresh_tokens.session_id IS 'Whose session it refreshes.';
COMMENT ON COLUMN refresh_tokens.used_at IS 'When it was used first; null: not yet.';

CREATE TABLE api_keys (
    id uuid DEFAULT gen_random_uuid() CONSTRAINT api_keys_pkey PRIMARY KEY,
    user_id uuid NOT NULL,
    key_hash bytea NOT NULL,
    name text NOT NULL,
    hint text COLLATE "C" NOT NULL,
    scopes text[] COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    CONSTRAINT api_keys_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT api_keys_key_hash_key UNIQUE (key_hash)
);
CREATE INDEX api_keys_user_id_idx ON api_keys (user_id);
COMMENT ON TABLE api_keys IS 'Keys for scripts: each acts for its user, within its scopes.';
COMMENT ON COLUMN api_keys.id IS 'Random.';
COMMENT ON COLUMN api_keys.user_id IS 'For whom it acts.';
COMMENT ON COLUMN api_keys.name IS 'What its owner calls it.';
COMMENT ON COLUMN api_keys.scopes IS 'What it is allowed, beside reading what is public.';
COMMENT ON COLUMN api_keys.created_at IS 'When it was made.';
COMMENT ON COLUMN api_keys.expires_at IS 'Until when it is good.';
COMMENT ON COLUMN api_keys.revoked_at IS 'When its owner ended it; null: it was not.';
COMMENT ON COLUMN api_keys.key_hash IS 'SHA-256 of the key: 256 random bits need no slow hash.';
COMMENT ON COLUMN api_keys.hint IS 'Its first characters, to tell keys apart.';

-- ── Mails, and what they ask to be confirmed ──
CREATE TABLE mails (
    id uuid DEFAULT gen_random_uuid() CONSTRAINT mails_pkey PRIMARY KEY,
    kind text COLLATE "C" NOT NULL,
    address text NOT NULL,
    user_id uuid,
    display_name text,
    password_hash text COLLATE "C",
    told text,
    token_hash bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    sent_at timestamptz,
    expires_at timestamptz,
    used_at timestamptz,
    CONSTRAINT mails_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT mails_token_hash_key UNIQUE (token_hash),
    CONSTRAINT mails_kind_known CHECK (
        kind IN ('registration', 'reset', 'email_change', 'notice')
    )
);
CREATE INDEX mails_user_id_idx ON mails (user_id);
CREATE INDEX mails_address_idx ON mails (lower(address), created_at);
CREATE INDEX mails_created_at_idx ON mails (created_at);
COMMENT ON TABLE mails IS 'Mails to be written, and the tokens of those that ask for something. A registration is nothing else until it is confirmed.';
COMMENT ON COLUMN mails.id IS 'Random; what the job names.';
COMMENT ON COLUMN mails.address IS 'To whom.';
COMMENT ON COLUMN mails.created_at IS 'When it was asked for.';
COMMENT ON COLUMN mails.sent_at IS 'When it left; null: not yet, or it was printed for who runs the server.';
COMMENT ON COLUMN mails.used_at IS 'When its token was used, or made void; null: neither.';
COMMENT ON COLUMN mails.kind IS 'registration, reset and email_change carry a token; a notice tells of something that happened.';
COMMENT ON COLUMN mails.user_id IS 'Null for a registration, and for a reset until the job has looked whether there is such an account.';
COMMENT ON COLUMN mails.display_name IS 'Of a registration: what the account will have.';
COMMENT ON COLUMN mails.password_hash IS 'Likewise, as users has it.';
COMMENT ON COLUMN mails.told IS 'Of a notice: which one.';
COMMENT ON COLUMN mails.token_hash IS 'SHA-256 of the token, which is made when the mail is written; null: not yet, or used.';
COMMENT ON COLUMN mails.expires_at IS 'Until when the token is good.';

-- ── Signing in through a provider ──
CREATE UNLOGGED TABLE nonces (
    nonce_hash bytea CONSTRAINT nonces_pkey PRIMARY KEY,
    expires_at timestamptz NOT NULL
);
COMMENT ON TABLE nonces IS 'SHA-256 of those that were given out and not used yet. Lost with a crash: the sign-in is begun anew.';
COMMENT ON COLUMN nonces.nonce_hash IS 'SHA-256 of the nonce.';
COMMENT ON COLUMN nonces.expires_at IS 'Until when it is good.';

CREATE UNLOGGED TABLE sign_in_attempts (
    state_hash bytea CONSTRAINT sign_in_attempts_pkey PRIMARY KEY,
    browser_hash bytea NOT NULL,
    provider text COLLATE "C" NOT NULL,
    nonce text COLLATE "C" NOT NULL,
    code_verifier text COLLATE "C" NOT NULL,
    link_user_id uuid,
    next text NOT NULL,
    posted jsonb,
    expires_at timestamptz NOT NULL
);
COMMENT ON TABLE sign_in_attempts IS 'Browsers that are on their way through a provider, by SHA-256 of the state. Lost with a crash, as nonces.';
COMMENT ON COLUMN sign_in_attempts.state_hash IS 'SHA-256 of the state.';
COMMENT ON COLUMN sign_in_attempts.provider IS 'As identities has it.';
COMMENT ON COLUMN sign_in_attempts.nonce IS 'What the provider''s token must repeat.';
COMMENT ON COLUMN sign_in_attempts.code_verifier IS 'What proves that the code is ours (PKCE).';
COMMENT ON COLUMN sign_in_attempts.expires_at IS 'Until when the browser must be back.';
COMMENT ON COLUMN sign_in_attempts.browser_hash IS 'SHA-256 of the cookie of the browser that began: another can''t end it.';
COMMENT ON COLUMN sign_in_attempts.link_user_id IS 'The user whose account the identity is linked to; null: it signs in.';
COMMENT ON COLUMN sign_in_attempts.next IS 'The path of ours that the browser goes to in the end.';
COMMENT ON COLUMN sign_in_attempts.posted IS 'What a callback that was posted across sites brought, until the browser is back on ours.';

CREATE TABLE token_revocations (
    id uuid DEFAULT gen_random_uuid() CONSTRAINT token_revocations_pkey PRIMARY KEY,
    provider text COLLATE "C" NOT NULL,
    client_id text COLLATE "C" NOT NULL,
    sealed_refresh_token text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE token_revocations IS 'Tokens of providers whose account is deleted here, until the provider was told.';
COMMENT ON COLUMN token_revocations.id IS 'Random; what the job names.';
COMMENT ON COLUMN token_revocations.provider IS 'As identities has it.';
COMMENT ON COLUMN token_revocations.client_id IS 'The client of ours that the token was given to.';
COMMENT ON COLUMN token_revocations.sealed_refresh_token IS 'As identities has it.';
COMMENT ON COLUMN token_revocations.created_at IS 'When the account, or the link to it, went.';

-- ── What keeps others out, and what is remembered ──
CREATE UNLOGGED TABLE rate_limits (
    key text COLLATE "C" CONSTRAINT rate_limits_pkey PRIMARY KEY,
    count integer NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX rate_limits_expires_at_idx ON rate_limits (expires_at);
COMMENT ON TABLE rate_limits IS 'Counters of limits, shared by all workers. Lost with a crash: everybody begins anew.';
COMMENT ON COLUMN rate_limits.count IS 'How many times in this window.';
COMMENT ON COLUMN rate_limits.expires_at IS 'When the window is over.';
COMMENT ON COLUMN rate_limits.key IS 'SHA-256 of a keyed hash of what is counted, in base64url: no address of anybody is kept.';

CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT audit_pkey PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    actor uuid,
    api_key_id uuid,
    action text COLLATE "C" NOT NULL,
    object text COLLATE "C",
    detail jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_actor_idx ON audit (actor, id);
CREATE INDEX audit_object_idx ON audit (object, id);
COMMENT ON TABLE audit IS 'Who did what to accounts and to the catalogue.';
COMMENT ON COLUMN audit.id IS 'In the order of the deeds.';
COMMENT ON COLUMN audit.at IS 'When.';
COMMENT ON COLUMN audit.actor IS 'users.pseudonym; null: nobody that is known (ANONYMOUS_WRITES, a command).';
COMMENT ON COLUMN audit.api_key_id IS 'The key that was used, if it was one.';
COMMENT ON COLUMN audit.action IS 'Such as movie.create, user.promote.';
COMMENT ON COLUMN audit.object IS 'What it was done to: a movie''s id, a user''s pseudonym.';
COMMENT ON COLUMN audit.detail IS 'Nothing that identifies a person.';
