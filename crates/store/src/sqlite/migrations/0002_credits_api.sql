-- The credits API: holds, commands with stored answers, purchases, operators' actions, outgoing notices.

-- Settings of a tenant.
ALTER TABLE tenants ADD COLUMN name TEXT;
ALTER TABLE tenants ADD COLUMN low_balance INTEGER CHECK (low_balance > 0);  -- notify below this
CREATE INDEX tenants_by_age ON tenants (created_at, id);

-- Credits that an operator grants belong to no payment, may have a priority, and may expire. SQLite cannot
-- drop a NOT NULL constraint, so the table is rebuilt.
CREATE TABLE lots_new (
    id            INTEGER PRIMARY KEY,
    tenant        BLOB    NOT NULL,
    payment       INTEGER,                          -- null for an operator's grant
    purchased_at  INTEGER NOT NULL,                 -- Stripe's clock, for a grant ours; seconds
    granted       INTEGER NOT NULL CHECK (granted >= 0),
    revoked       INTEGER NOT NULL CHECK (revoked >= 0),
    available     INTEGER NOT NULL CHECK (available >= 0),
    held          INTEGER NOT NULL CHECK (held >= 0),
    frozen        INTEGER NOT NULL CHECK (frozen >= 0),
    freeze_target INTEGER NOT NULL CHECK (freeze_target >= 0),
    priority      INTEGER NOT NULL DEFAULT 50 CHECK (priority BETWEEN 0 AND 100),  -- the smallest burns first
    expires_at    INTEGER NOT NULL DEFAULT 9223372036854775807  -- microseconds; the maximum means never
) STRICT;
INSERT INTO lots_new
    (id, tenant, payment, purchased_at, granted, revoked, available, held, frozen, freeze_target)
    SELECT id, tenant, payment, purchased_at, granted, revoked, available, held, frozen, freeze_target
    FROM lots;
DROP TABLE lots;
ALTER TABLE lots_new RENAME TO lots;
CREATE INDEX lots_of_tenant ON lots (tenant, id);
CREATE INDEX lots_of_payment ON lots (payment) WHERE payment IS NOT NULL;
CREATE INDEX lots_to_burn ON lots (tenant, priority, expires_at, purchased_at, id) WHERE available > 0;
CREATE INDEX lots_to_expire ON lots (expires_at, tenant)
    WHERE available > 0 AND expires_at < 9223372036854775807;
CREATE INDEX ending_lots_of_tenant ON lots (tenant, expires_at)
    WHERE available > 0 AND expires_at < 9223372036854775807;

-- The journal gets holds, references, and transactions caused by the clock. Existing rows do not change.
CREATE TABLE transactions_new (
    seq        INTEGER PRIMARY KEY,                 -- 1, 2, 3, … without gaps
    tenant     BLOB    NOT NULL,
    kind       TEXT    NOT NULL,
    cause_kind TEXT    NOT NULL CHECK (cause_kind IN ('event', 'operator', 'command', 'clock')),
    cause      TEXT    NOT NULL,                    -- event id, reason, idempotency key, or what expired
    cause_by   TEXT,                                -- the operator
    payment    INTEGER,
    at         INTEGER NOT NULL,
    available  INTEGER NOT NULL,                    -- the tenant's balance after it
    held       INTEGER NOT NULL,
    frozen     INTEGER NOT NULL,
    debt       INTEGER NOT NULL,
    hash       BLOB    NOT NULL CHECK (length(hash) = 32),
    hold       BLOB,
    reference  TEXT                                 -- the tenant's own reference
) STRICT;
INSERT INTO transactions_new SELECT *, NULL, NULL FROM transactions;
DROP TABLE transactions;
ALTER TABLE transactions_new RENAME TO transactions;
CREATE INDEX transactions_of_tenant ON transactions (tenant, seq);
CREATE INDEX transactions_of_payment ON transactions (payment) WHERE payment IS NOT NULL;
CREATE INDEX transactions_of_hold ON transactions (hold) WHERE hold IS NOT NULL;
CREATE TRIGGER transactions_are_final BEFORE UPDATE ON transactions
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER transactions_are_kept BEFORE DELETE ON transactions
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

-- Credits reserved for a later spend. A hold is resolved once.
CREATE TABLE holds (
    id          BLOB    PRIMARY KEY,                -- a UUID
    tenant      BLOB    NOT NULL,
    credits     INTEGER NOT NULL CHECK (credits > 0),
    captured    INTEGER NOT NULL CHECK (captured BETWEEN 0 AND credits),
    state       TEXT    NOT NULL CHECK (state IN ('open', 'captured', 'released', 'expired')),
    reference   TEXT,
    created_at  INTEGER NOT NULL,
    expires_at  INTEGER NOT NULL,
    resolved_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX holds_of_tenant ON holds (tenant, created_at, id);
CREATE INDEX holds_to_expire ON holds (expires_at, tenant) WHERE state = 'open';
CREATE INDEX open_holds_of_tenant ON holds (tenant, expires_at) WHERE state = 'open';

-- The lots from which each hold took its credits, in burn order.
CREATE TABLE hold_lots (
    hold    BLOB    NOT NULL,
    line    INTEGER NOT NULL,
    lot     INTEGER NOT NULL,
    credits INTEGER NOT NULL CHECK (credits > 0),
    PRIMARY KEY (hold, line)
) STRICT, WITHOUT ROWID;

-- The answer to each command, kept permanently: the same key gets the same answer, refusals included.
CREATE TABLE commands (
    tenant      BLOB    NOT NULL,
    scope       TEXT    NOT NULL CHECK (scope IN ('tenant', 'service')),
    key         TEXT    NOT NULL,                   -- the Idempotency-Key
    fingerprint BLOB    NOT NULL CHECK (length(fingerprint) = 32),  -- of the request
    at          INTEGER NOT NULL,
    answer      TEXT    NOT NULL,                   -- JSON
    PRIMARY KEY (tenant, scope, key)
) STRICT, WITHOUT ROWID;

-- Purchases that were started through the API. The session is null until Stripe has created it.
CREATE TABLE purchases (
    id          TEXT    PRIMARY KEY,                -- purchase_…
    tenant      BLOB    NOT NULL,
    scope       TEXT    NOT NULL CHECK (scope IN ('tenant', 'service')),
    key         TEXT    NOT NULL,
    fingerprint BLOB    NOT NULL CHECK (length(fingerprint) = 32),
    package     TEXT    NOT NULL,
    credits     INTEGER NOT NULL CHECK (credits > 0),
    price       INTEGER NOT NULL CHECK (price >= 0), -- before tax, in minor units
    currency    TEXT    NOT NULL,
    form        TEXT    NOT NULL,                   -- the request for Stripe, so that a retry sends the same
    created_at  INTEGER NOT NULL,
    session     TEXT    UNIQUE,
    checkout_url TEXT,
    expires_at  INTEGER,
    UNIQUE (tenant, scope, key)
) STRICT, WITHOUT ROWID;

-- Operators' actions, including those that wait for a second person.
CREATE TABLE operator_actions (
    id          TEXT    PRIMARY KEY,                -- act_…
    kind        TEXT    NOT NULL,
    tenant      BLOB,                               -- null unless it concerns exactly one
    credits     INTEGER NOT NULL CHECK (credits >= 0),  -- absolute
    request     TEXT    NOT NULL,                   -- JSON
    reason      TEXT    NOT NULL,
    state       TEXT    NOT NULL CHECK (state IN ('waiting', 'done', 'refused', 'rejected')),
    alone       INTEGER NOT NULL,                   -- executed without the second person that it needed
    asked_at    INTEGER NOT NULL,
    done_at     INTEGER,                            -- null unless it was executed
    person      TEXT    NOT NULL,
    key         TEXT,                               -- null for a recovery
    decided_at  INTEGER,
    decided_by  TEXT,                               -- the second person
    decided_key TEXT,
    note        TEXT,                               -- why it was rejected or refused
    result      TEXT    NOT NULL,                   -- JSON
    idempotency_key TEXT,
    fingerprint BLOB    CHECK (length(fingerprint) = 32),
    UNIQUE (tenant, idempotency_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX operator_actions_by_time ON operator_actions (asked_at, id);
CREATE INDEX operator_actions_by_state ON operator_actions (state, asked_at, id);
CREATE INDEX operator_actions_by_end ON operator_actions (done_at) WHERE done_at IS NOT NULL;
CREATE INDEX operator_actions_of_person ON operator_actions (person, asked_at, id);
CREATE INDEX operator_actions_of_tenant ON operator_actions (tenant, asked_at, id);

-- Usage of the limits: credits of each tenant that actions moved without a second person.
CREATE TABLE limit_usage (
    person  TEXT    NOT NULL,
    tenant  BLOB    NOT NULL,
    at      INTEGER NOT NULL,
    action  TEXT    NOT NULL,
    credits INTEGER NOT NULL CHECK (credits > 0),
    PRIMARY KEY (person, tenant, at, action)
) STRICT, WITHOUT ROWID;
CREATE INDEX limit_usage_by_time ON limit_usage (person, at, credits);

-- Notices to other systems, written in the commit of what they report.
CREATE TABLE notices (
    seq    INTEGER PRIMARY KEY AUTOINCREMENT,       -- never reused, even after pruning
    id     TEXT    NOT NULL,                        -- msg_…, the same in every attempt; begins with seq
    tenant BLOB    NOT NULL,
    type   TEXT    NOT NULL,
    at     INTEGER NOT NULL,
    data   TEXT    NOT NULL                         -- JSON
) STRICT;
CREATE INDEX notices_of_tenant ON notices (tenant, seq);
CREATE INDEX notices_by_age ON notices (at);

-- Webhook endpoints.
CREATE TABLE endpoints (
    id             TEXT    PRIMARY KEY,             -- ep_…
    tenant         BLOB,                            -- null: all tenants
    url            TEXT    NOT NULL,
    types          TEXT    NOT NULL,                -- ' a b ': enclosed in spaces; ' * ' means all
    description    TEXT    NOT NULL,
    secret         TEXT    NOT NULL,                -- whsec_…; needed for signing, so not a hash
    old_secret     TEXT,                            -- also signs, until old_secret_until
    old_secret_until INTEGER,
    created_at     INTEGER NOT NULL,
    failing_since  INTEGER,
    disabled_at    INTEGER,
    disabled_reason TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX endpoints_of_tenant ON endpoints (tenant);
CREATE INDEX endpoints_disabled ON endpoints (disabled_at) WHERE disabled_at IS NOT NULL;

-- Deliveries of notices to endpoints.
CREATE TABLE deliveries (
    endpoint     TEXT    NOT NULL,
    notice       INTEGER NOT NULL,                  -- the notice's seq
    tenant       BLOB    NOT NULL,                  -- the notice's
    due_at       INTEGER,                           -- null once delivered or out of retries
    attempts     INTEGER NOT NULL DEFAULT 0,
    attempted_at INTEGER,
    delivered_at INTEGER,
    status       INTEGER,                           -- of the last response
    error        TEXT,                              -- of the last attempt
    PRIMARY KEY (endpoint, notice)
) STRICT, WITHOUT ROWID;
-- By endpoint first, so that one with a million due rows does not block others.
CREATE INDEX deliveries_due ON deliveries (endpoint, due_at, notice, tenant) WHERE due_at IS NOT NULL;

-- A time at which the clock was trusted; the next start compares the machine's clock with it.
CREATE TABLE clock (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    at         INTEGER NOT NULL,
    newest     INTEGER,                            -- the newest timestamp in events and transactions then
    boot_id    TEXT,                               -- the machine's boot id, if known
    since_boot INTEGER NOT NULL                    -- the machine's uptime, in microseconds
) STRICT;

-- Restores of this database from a backup. No credits move until they are confirmed.
CREATE TABLE restores (
    id           INTEGER PRIMARY KEY,
    restored_at  INTEGER NOT NULL,
    newest       INTEGER,                           -- the newest timestamp in the backup
    source       TEXT    NOT NULL,                  -- the backup's file
    replaced     TEXT,                              -- path of the replaced database; null: none
    revoked_keys TEXT,                              -- JSON: ids of keys that are valid again; null: unknown
    last_event   INTEGER NOT NULL,                  -- the last event in the backup
    confirmed_at INTEGER
) STRICT;
CREATE INDEX restores_unconfirmed ON restores (id) WHERE confirmed_at IS NULL;
