-- Events from Stripe with their original bytes, and their outcomes.
CREATE TABLE events (
    seq              INTEGER PRIMARY KEY,           -- in order of arrival
    id               TEXT    NOT NULL UNIQUE,
    type             TEXT    NOT NULL,
    created          INTEGER NOT NULL,              -- Stripe's clock, seconds
    livemode         INTEGER,                       -- null if the event does not state it
    received_at      INTEGER NOT NULL,              -- our clock, microseconds, here and below
    last_received_at INTEGER NOT NULL,
    deliveries       INTEGER NOT NULL DEFAULT 1,
    due_at           INTEGER,                       -- when to apply it next; null once it has an outcome
    attempts         INTEGER NOT NULL DEFAULT 0,    -- failed attempts to apply it
    outcome          TEXT,
    reason           TEXT,                          -- why it is quarantined, or why the last attempt failed
    payment          INTEGER,
    applied_at       INTEGER,
    body             BLOB    NOT NULL               -- compressed; see body.rs
) STRICT;
CREATE INDEX events_due ON events (due_at, seq) WHERE due_at IS NOT NULL;
CREATE INDEX events_of_payment ON events (payment) WHERE payment IS NOT NULL;

-- Everything known about each payment, as JSON; knowledge only grows.
CREATE TABLE payments (
    id         INTEGER PRIMARY KEY,
    key        TEXT    NOT NULL,                    -- payment intent, else session, else charge
    tenant     BLOB,                                -- once it is known
    status     TEXT    NOT NULL,
    knowledge  TEXT    NOT NULL,
    amount     INTEGER NOT NULL,                    -- taken from the customer, in minor units
    currency   TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    waits_for  TEXT CHECK (waits_for IN ('session', 'purchase')),
    review_at  INTEGER                              -- when the wait ends
) STRICT;
CREATE INDEX payments_of_tenant ON payments (tenant, id);
CREATE INDEX payments_unrelated ON payments (currency, amount) WHERE status = 'unrelated';
CREATE INDEX payments_to_review ON payments (review_at, id) WHERE review_at IS NOT NULL;

-- The payment to which each Stripe object belongs.
CREATE TABLE aliases (
    object  TEXT    PRIMARY KEY,
    payment INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Payments that were merged into another one. The journal keeps their old ids.
CREATE TABLE absorbed (
    payment INTEGER PRIMARY KEY,
    into_payment INTEGER NOT NULL
) STRICT;
CREATE INDEX absorbed_by ON absorbed (into_payment);

-- Projections of the journal: each tenant's balance and lots.
CREATE TABLE tenants (
    id         BLOB    PRIMARY KEY,
    available  INTEGER NOT NULL DEFAULT 0 CHECK (available >= 0),
    held       INTEGER NOT NULL DEFAULT 0 CHECK (held >= 0),
    frozen     INTEGER NOT NULL DEFAULT 0 CHECK (frozen >= 0),
    debt       INTEGER NOT NULL DEFAULT 0 CHECK (debt >= 0),
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE lots (
    id            INTEGER PRIMARY KEY,
    tenant        BLOB    NOT NULL,
    payment       INTEGER NOT NULL,
    purchased_at  INTEGER NOT NULL,                 -- Stripe's clock, seconds
    granted       INTEGER NOT NULL CHECK (granted >= 0),
    revoked       INTEGER NOT NULL CHECK (revoked >= 0),
    available     INTEGER NOT NULL CHECK (available >= 0),
    held          INTEGER NOT NULL CHECK (held >= 0),
    frozen        INTEGER NOT NULL CHECK (frozen >= 0),
    freeze_target INTEGER NOT NULL CHECK (freeze_target >= 0)
) STRICT;
CREATE INDEX lots_of_tenant ON lots (tenant, id);
CREATE INDEX lots_of_payment ON lots (payment);
CREATE INDEX lots_to_burn ON lots (tenant, purchased_at, id) WHERE available > 0;

-- The journal. It is append-only: the triggers below refuse updates and deletes.
CREATE TABLE transactions (
    seq        INTEGER PRIMARY KEY,                 -- 1, 2, 3, … without gaps
    tenant     BLOB    NOT NULL,
    kind       TEXT    NOT NULL,
    cause_kind TEXT    NOT NULL CHECK (cause_kind IN ('event', 'operator', 'command')),
    cause      TEXT    NOT NULL,                    -- event id, reason, or idempotency key
    cause_by   TEXT,                                -- the operator
    payment    INTEGER,
    at         INTEGER NOT NULL,
    available  INTEGER NOT NULL,                    -- the tenant's balance after it
    held       INTEGER NOT NULL,
    frozen     INTEGER NOT NULL,
    debt       INTEGER NOT NULL,
    hash       BLOB    NOT NULL CHECK (length(hash) = 32)
) STRICT;
CREATE INDEX transactions_of_tenant ON transactions (tenant, seq);
CREATE INDEX transactions_of_payment ON transactions (payment) WHERE payment IS NOT NULL;

CREATE TABLE postings (
    seq     INTEGER NOT NULL,                       -- the transaction's
    line    INTEGER NOT NULL,
    account TEXT    NOT NULL,
    lot     INTEGER,                                -- null for debt, which belongs to no lot
    amount  INTEGER NOT NULL CHECK (amount <> 0),
    PRIMARY KEY (seq, line)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER transactions_are_final BEFORE UPDATE ON transactions
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER transactions_are_kept BEFORE DELETE ON transactions
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER postings_are_final BEFORE UPDATE ON postings
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER postings_are_kept BEFORE DELETE ON postings
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

-- Quarantined events and payments, and the decisions about them.
CREATE TABLE quarantine (
    id         INTEGER PRIMARY KEY,
    event      TEXT,                                -- exactly one of event and payment
    payment    INTEGER,
    reason     TEXT    NOT NULL,
    detail     TEXT    NOT NULL,
    opened_at  INTEGER NOT NULL,
    closed_at  INTEGER,
    resolution TEXT CHECK (resolution IN ('resolved', 'dismissed', 'cleared')),
    closed_by  TEXT,
    note       TEXT,
    CHECK ((event IS NULL) <> (payment IS NULL))
) STRICT;
CREATE UNIQUE INDEX quarantine_open_event ON quarantine (event)
    WHERE closed_at IS NULL AND event IS NOT NULL;
CREATE UNIQUE INDEX quarantine_open_payment ON quarantine (payment)
    WHERE closed_at IS NULL AND payment IS NOT NULL;

-- The people who operate this deployment.
CREATE TABLE people (
    id          TEXT    PRIMARY KEY,                -- person_…
    name        TEXT    NOT NULL COLLATE NOCASE,
    created_at  INTEGER NOT NULL,
    created_by  TEXT,                               -- a person; null for the first, and after a recovery
    removed_at  INTEGER
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX people_by_name ON people (name) WHERE removed_at IS NULL;

-- API keys: only a hash of the secret is kept.
CREATE TABLE api_keys (
    id          TEXT    PRIMARY KEY,
    hash        BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    name        TEXT    NOT NULL,
    kind        TEXT    NOT NULL CHECK (kind IN ('tenant', 'service', 'operator')),
    tenant      BLOB    CHECK ((kind = 'tenant') = (tenant IS NOT NULL)),
    access      TEXT    CHECK ((kind = 'tenant') = (access IS NOT NULL)),
    person      TEXT    CHECK (kind = 'operator' OR person IS NULL),  -- null: the machine's
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER,
    revoked_at  INTEGER,
    replaced_by TEXT                                -- set by rotation, at most once
) STRICT, WITHOUT ROWID;
CREATE INDEX api_keys_of_person ON api_keys (person) WHERE person IS NOT NULL;

-- Tokens of the current and the previous state of the database, replaced in every commit; see wal_link.rs.
CREATE TABLE wal_link (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    token  BLOB NOT NULL CHECK (length(token) = 16),
    before BLOB NOT NULL CHECK (length(before) = 16)
) STRICT;
INSERT INTO wal_link (id, token, before) VALUES (1, randomblob(16), randomblob(16));

-- A single row that the check for writability rewrites; see write_check.rs.
CREATE TABLE write_check (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    content BLOB NOT NULL
) STRICT;
