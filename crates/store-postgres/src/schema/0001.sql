-- Version 1. Never changed once released: a new version is a new file.
--
-- Names and keys are compared octet by octet (COLLATE "C"), times are milliseconds of Unix time, and small
-- numbers stand for words: their places in the lists of the program.

-- One message a row, each day's in a table of its own: the day in its id.
CREATE TABLE message(
    id uuid NOT NULL, account text COLLATE "C" NOT NULL, direction smallint NOT NULL,
    recipient text COLLATE "C" NOT NULL, sender text COLLATE "C" NOT NULL, content text, octets bytea,
    encoding smallint NOT NULL, priority smallint NOT NULL, receipt smallint NOT NULL, reference integer NOT NULL,
    created_at bigint NOT NULL, send_at bigint, expires_at bigint NOT NULL, client_ref text COLLATE "C", batch uuid,
    tags text, extra text, status smallint NOT NULL, connector text COLLATE "C", due bigint, submitted_at bigint,
    final_at bigint, attempts integer NOT NULL, reason text, parts text NOT NULL, events text NOT NULL,
    PRIMARY KEY(id)
) PARTITION BY RANGE(id);
CREATE INDEX message_recipient ON message(recipient, id);
CREATE INDEX message_account ON message(account, id);
CREATE INDEX message_client_ref ON message(client_ref, id) WHERE client_ref IS NOT NULL;
CREATE INDEX message_batch ON message(batch, id) WHERE batch IS NOT NULL;

-- The days that have a table, counted from 1970-01-01.
CREATE TABLE message_day(day bigint PRIMARY KEY, texts_forgotten boolean NOT NULL DEFAULT false);

CREATE TABLE queue(
    connector text COLLATE "C" NOT NULL, shard integer NOT NULL, priority smallint NOT NULL,
    account text COLLATE "C" NOT NULL, due bigint NOT NULL, id uuid NOT NULL,
    PRIMARY KEY(connector, priority, account, due, id, shard)
);
CREATE INDEX queue_id ON queue(id);

CREATE TABLE deadline(at bigint NOT NULL, id uuid NOT NULL, PRIMARY KEY(at, id));

CREATE TABLE latest(
    account text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL, recipient text COLLATE "C" NOT NULL,
    id uuid NOT NULL, PRIMARY KEY(account, key, recipient)
);

CREATE TABLE remote_id(
    connector text COLLATE "C" NOT NULL, id text COLLATE "C" NOT NULL, message uuid NOT NULL, part smallint NOT NULL,
    expires_at bigint NOT NULL, PRIMARY KEY(connector, id)
);

CREATE TABLE delivery(
    id uuid PRIMARY KEY, endpoint text COLLATE "C" NOT NULL, due bigint NOT NULL, account text COLLATE "C" NOT NULL,
    message uuid, url text, event text NOT NULL, created_at bigint NOT NULL, attempts bigint NOT NULL,
    state smallint NOT NULL, last_error text, payload text NOT NULL, style smallint NOT NULL, restorable boolean NOT NULL
);
CREATE INDEX delivery_due ON delivery(endpoint, due, id) WHERE state = 0;
CREATE INDEX delivery_retrying ON delivery(endpoint, due, id) WHERE state = 0 AND attempts > 0;

CREATE TABLE parked(
    id uuid PRIMARY KEY, connector text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL, remote_id text NOT NULL,
    receipt text NOT NULL, phone text NOT NULL, received_at bigint NOT NULL, expires_at bigint NOT NULL
);
CREATE INDEX parked_key ON parked(connector, key);

CREATE TABLE mo_part(
    part_connector text COLLATE "C" NOT NULL, addresses text COLLATE "C" NOT NULL, part_reference integer NOT NULL,
    total smallint NOT NULL, sequence smallint NOT NULL, part_expires_at bigint NOT NULL,
    id uuid NOT NULL, account text COLLATE "C" NOT NULL, direction smallint NOT NULL,
    recipient text COLLATE "C" NOT NULL, sender text COLLATE "C" NOT NULL, content text, octets bytea,
    encoding smallint NOT NULL, priority smallint NOT NULL, receipt smallint NOT NULL, reference integer NOT NULL,
    created_at bigint NOT NULL, send_at bigint, expires_at bigint NOT NULL, client_ref text COLLATE "C", batch uuid,
    tags text, extra text,
    PRIMARY KEY(part_connector, addresses, part_reference, total, sequence)
);

CREATE TABLE idempotency(
    account text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL, fingerprint bytea NOT NULL,
    status integer NOT NULL, body text NOT NULL, expires_at bigint NOT NULL, PRIMARY KEY(account, key)
);

CREATE TABLE batch(
    id uuid PRIMARY KEY, account text COLLATE "C" NOT NULL, accepted bigint NOT NULL, rejected bigint NOT NULL,
    created_at bigint NOT NULL, phase smallint NOT NULL, finished_at bigint, complete boolean NOT NULL, digest bytea
);
CREATE INDEX batch_phase ON batch(phase, id) WHERE phase > 0;
CREATE INDEX batch_unfinished ON batch(id) WHERE finished_at IS NULL;

CREATE TABLE tally(
    owner text COLLATE "C" NOT NULL, tally smallint NOT NULL, period bigint NOT NULL, value bigint NOT NULL,
    PRIMARY KEY(owner, tally)
);

CREATE TABLE ledger(
    account text COLLATE "C" NOT NULL, id uuid NOT NULL, at bigint NOT NULL, kind smallint NOT NULL,
    amount bigint NOT NULL, message uuid, note text, PRIMARY KEY(account, id)
);

CREATE TABLE opt_out(
    account text COLLATE "C" NOT NULL, phone text COLLATE "C" NOT NULL, sender text COLLATE "C" NOT NULL,
    id uuid NOT NULL, created_at bigint NOT NULL, message uuid, PRIMARY KEY(account, phone, sender)
);
CREATE UNIQUE INDEX opt_out_id ON opt_out(id);
CREATE INDEX opt_out_account ON opt_out(account, id);
CREATE INDEX opt_out_phone ON opt_out(phone, id);

CREATE TABLE schedule(
    id uuid PRIMARY KEY, account text COLLATE "C" NOT NULL, revision bigint NOT NULL, due bigint, ended_at bigint,
    terms text NOT NULL, course text NOT NULL
);
CREATE INDEX schedule_account ON schedule(account, id);
CREATE INDEX schedule_due ON schedule(due, id) WHERE due IS NOT NULL;
CREATE INDEX schedule_ended ON schedule(ended_at, id) WHERE ended_at IS NOT NULL;
CREATE TABLE schedule_messages(id uuid PRIMARY KEY, messages text NOT NULL);

CREATE TABLE phone_group(
    account text COLLATE "C" NOT NULL, name text COLLATE "C" NOT NULL, created_at bigint NOT NULL,
    PRIMARY KEY(account, name)
);
CREATE TABLE group_member(
    account text COLLATE "C" NOT NULL, name text COLLATE "C" NOT NULL, phone text COLLATE "C" NOT NULL,
    joined_at bigint NOT NULL, message uuid, PRIMARY KEY(account, name, phone)
);
CREATE TABLE group_task(
    message uuid PRIMARY KEY, rule text COLLATE "C" NOT NULL, account text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL, action smallint NOT NULL, members_only boolean NOT NULL, text text, reply text,
    reply_limit bigint
);

CREATE TABLE resource(
    kind text COLLATE "C" NOT NULL, id text COLLATE "C" NOT NULL, json text NOT NULL, PRIMARY KEY(kind, id)
);
CREATE TABLE meta(name text COLLATE "C" PRIMARY KEY, value bigint NOT NULL);
INSERT INTO meta VALUES ('resources_version', 0);

-- Who only says how long he has it yet changes no key, and so does not wait for commits that rely on it; who
-- takes it over does.
CREATE TABLE lease(
    name text COLLATE "C" PRIMARY KEY, holder text COLLATE "C" NOT NULL, epoch bigint NOT NULL,
    expires_at bigint NOT NULL, UNIQUE(name, epoch)
);

-- Nodes that are members, by their leases; slots with the epochs that they were claimed under; and mail.
CREATE TABLE node(name text COLLATE "C" PRIMARY KEY, about text NOT NULL);
CREATE TABLE slot(name text COLLATE "C" PRIMARY KEY, node text COLLATE "C" NOT NULL, epoch bigint NOT NULL);
CREATE TABLE mail(id uuid PRIMARY KEY, slot text COLLATE "C" NOT NULL, content bytea NOT NULL);
CREATE INDEX mail_slot ON mail(slot, id);

-- Rows come and go all the time in these: what they leave is taken away early, before indexes grow by it.
ALTER TABLE queue SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE deadline SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE remote_id SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE delivery SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE mail SET (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE tally SET (fillfactor = 50);
ALTER TABLE lease SET (fillfactor = 50);

-- Ends a transaction for a reason of the gateway's own.
CREATE FUNCTION refuse(code text, what text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = code, MESSAGE = what;
END $$;
