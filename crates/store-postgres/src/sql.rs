//! The statements that writing consists of, each prepared once a connection.
//!
//! Rows come in as arrays, one for each column, sorted by their key: so many rows are one statement, and
//! two nodes that write the same rows wait for each other instead of standing in each other's way.
//!
//! **Plans.** What a table holds changes by the second, from nothing to millions of rows and back, so no plan
//! may depend on it. Rows are therefore looked up one by one, in a subquery that ends after one row and that
//! no planner turns round: `(SELECT … WHERE key = u.key LIMIT 1)`. Deletes go by the places (`ctid`) that were
//! found so; updates of messages are inserts that meet a row which is there.

use crate::days;

macro_rules! statements {
    ($($name:ident: $sql:expr,)*) => {
        /// A statement of the store.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(crate) enum Sql { $(#[allow(missing_docs)] $name,)* }

        const TEXTS: &[&str] = &[$($sql,)*];
    };
}

impl Sql {
    /// Is it about the table of a day?
    pub fn is_of_day(self) -> bool {
        TEXTS[self as usize].contains("{message}")
    }

    /// What the server is told.
    pub fn text(self, day: i64) -> String {
        TEXTS[self as usize].replace("{message}", &days::table(day))
    }
}

statements! {
    // What must hold.
    Fences: "WITH held AS MATERIALIZED (SELECT name, epoch FROM lease WHERE name = ANY($1::text[]) ORDER BY name FOR KEY SHARE)
        SELECT refuse('PR001', min(u.name)) FROM unnest($1::text[], $2::bigint[]) AS u(name, epoch)
        WHERE NOT EXISTS (SELECT FROM held WHERE held.name = u.name AND held.epoch = u.epoch) HAVING count(*) > 0",
    Answers: "WITH put AS (
            INSERT INTO idempotency AS kept(account, key, fingerprint, status, body, expires_at)
            SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[], $4::integer[], $5::text[], $6::bigint[])
            ON CONFLICT (account, key) DO UPDATE SET fingerprint = excluded.fingerprint, status = excluded.status,
                body = excluded.body, expires_at = excluded.expires_at WHERE kept.expires_at <= $7::bigint RETURNING 1
        ) SELECT refuse('PR002', 'idempotency keys are taken') WHERE (SELECT count(*) FROM put) < $8::bigint",
    AnswersKept: "SELECT u.place, kept.fingerprint, kept.status, kept.body, kept.expires_at
        FROM unnest($1::text[], $2::text[], $3::integer[]) AS u(account, key, place) CROSS JOIN LATERAL (
            SELECT * FROM idempotency AS i WHERE i.account = u.account AND i.key = u.key LIMIT 1) AS kept",
    LockSchedules: "SELECT id, account, revision, due, ended_at, terms, course FROM schedule WHERE id = ANY($1::uuid[])
        ORDER BY id FOR UPDATE",
    MakeTallies: "INSERT INTO tally(owner, tally, period, value)
        SELECT owner, tally, 0, 0 FROM unnest($1::text[], $2::smallint[]) AS u(owner, tally)
        ON CONFLICT DO NOTHING RETURNING owner, tally",
    LockTallies: "SELECT kept.owner, kept.tally, kept.period, kept.value
        FROM unnest($1::text[], $2::smallint[]) AS u(owner, tally) CROSS JOIN LATERAL (
            SELECT * FROM tally AS t WHERE t.owner = u.owner AND t.tally = u.tally LIMIT 1 FOR UPDATE) AS kept",
    HasMessages: "SELECT id FROM {message} WHERE id = ANY($1::uuid[])",
    HasEntries: "SELECT kept.account, kept.id FROM unnest($1::text[], $2::uuid[]) AS u(account, id)
        CROSS JOIN LATERAL (SELECT account, id FROM ledger AS l WHERE l.account = u.account AND l.id = u.id LIMIT 1)
        AS kept",
    // The same class as in `schema.rs` is no other lock's.
    LockQueued: "SELECT pg_advisory_xact_lock($2::integer, hash & 1023)
        FROM (SELECT DISTINCT hashtext(current_schema() || '.' || name) & 1023 AS hash FROM unnest($1::text[]) AS u(name)
        ORDER BY 1) AS hashes",
    Queued: "WITH RECURSIVE lane(connector, priority) AS (
            (SELECT connector, priority FROM queue ORDER BY connector, priority LIMIT 1)
            UNION ALL
            SELECT next.* FROM lane CROSS JOIN LATERAL (
                SELECT q.connector, q.priority FROM queue AS q
                WHERE (q.connector, q.priority) > (lane.connector, lane.priority)
                ORDER BY q.connector, q.priority LIMIT 1) AS next
        ) SELECT u.name, (SELECT coalesce(sum((SELECT count(*) FROM queue AS q WHERE q.connector = lane.connector
            AND q.priority = lane.priority AND q.account = u.name)), 0)::bigint FROM lane)
        FROM unnest($1::text[]) AS u(name)",

    // Accounts.
    PutTallies: "INSERT INTO tally(owner, tally, period, value)
        SELECT * FROM unnest($1::text[], $2::smallint[], $3::bigint[], $4::bigint[])
        ON CONFLICT (owner, tally) DO UPDATE SET period = excluded.period, value = excluded.value",
    PutEntries: "INSERT INTO ledger(account, id, at, kind, amount, message, note)
        SELECT * FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::smallint[], $5::bigint[], $6::uuid[], $7::text[])",

    // Messages.
    ShareDay: "SELECT day FROM message_day WHERE day = $1::bigint FOR SHARE",
    TextsAgain: "UPDATE message_day SET texts_forgotten = false WHERE day = $1::bigint AND texts_forgotten",
    PutLatest: "INSERT INTO latest(account, key, recipient, id)
        SELECT DISTINCT ON (account, key, recipient) account, key, recipient, id
        FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[]) AS u(account, key, recipient, id)
        WHERE (SELECT m.id FROM {message} AS m WHERE m.id = u.id LIMIT 1) IS NULL
        ORDER BY account, key, recipient, id DESC
        ON CONFLICT (account, key, recipient) DO UPDATE SET id = excluded.id",
    Insert: "WITH fresh AS MATERIALIZED (
            SELECT * FROM unnest($1::uuid[], $2::text[], $3::smallint[], $4::text[], $5::text[], $6::text[], $7::bytea[],
                $8::smallint[], $9::smallint[], $10::smallint[], $11::integer[], $12::bigint[], $13::bigint[],
                $14::bigint[], $15::text[], $16::uuid[], $17::text[], $18::text[], $19::smallint[], $20::text[],
                $21::bigint[], $22::bigint[], $23::bigint[], $24::integer[], $25::text[], $26::text[], $27::text[],
                $28::text[], $29::integer[], $30::smallint[], $31::text[], $32::bigint[])
            AS u(id, account, direction, recipient, sender, content, octets, encoding, priority, receipt, reference,
                created_at, send_at, expires_at, client_ref, batch, tags, extra, status, connector, due, submitted_at,
                final_at, attempts, reason, parts, events, q_connector, q_shard, q_priority, q_account, q_due)
            WHERE (SELECT m.id FROM {message} AS m WHERE m.id = u.id LIMIT 1) IS NULL
        ), queued AS (
            INSERT INTO queue(connector, shard, priority, account, due, id)
            SELECT q_connector, q_shard, q_priority, q_account, q_due, id FROM fresh WHERE q_connector IS NOT NULL
            ON CONFLICT DO NOTHING
        ), open AS (
            INSERT INTO deadline(at, id) SELECT expires_at, id FROM fresh WHERE status <= $33::smallint
            ON CONFLICT DO NOTHING
        ) INSERT INTO {message}(id, account, direction, recipient, sender, content, octets, encoding, priority, receipt,
            reference, created_at, send_at, expires_at, client_ref, batch, tags, extra, status, connector, due,
            submitted_at, final_at, attempts, reason, parts, events)
        SELECT id, account, direction, recipient, sender, content, octets, encoding, priority, receipt, reference,
            created_at, send_at, expires_at, client_ref, batch, tags, extra, status, connector, due, submitted_at,
            final_at, attempts, reason, parts, events FROM fresh
        ON CONFLICT DO NOTHING",
    Update: "INSERT INTO {message} AS m(id, account, direction, recipient, sender, encoding, priority, receipt, reference,
            created_at, expires_at, status, connector, due, submitted_at, final_at, attempts, reason, parts, events)
        SELECT id, '', 0, '', '', 0, 0, 0, 0, 0, 0, status, connector, due, submitted_at, final_at, attempts, reason,
            parts, events
        FROM unnest($1::uuid[], $2::smallint[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::integer[],
            $8::text[], $9::text[], $10::text[])
        AS u(id, status, connector, due, submitted_at, final_at, attempts, reason, parts, events)
        WHERE (SELECT x.id FROM {message} AS x WHERE x.id = u.id LIMIT 1) IS NOT NULL
        ON CONFLICT (id) DO UPDATE SET status = excluded.status, connector = excluded.connector, due = excluded.due,
            submitted_at = excluded.submitted_at, final_at = excluded.final_at, attempts = excluded.attempts,
            reason = excluded.reason, parts = excluded.parts, events = excluded.events",
    MoveDeadline: "UPDATE deadline SET at = $2::bigint
        WHERE at = (SELECT expires_at FROM {message} WHERE id = $1::uuid) AND id = $1::uuid",
    ReplaceBody: "UPDATE {message} SET content = $2::text, octets = $3::bytea, encoding = $4::smallint,
        receipt = $5::smallint, send_at = $6::bigint, expires_at = $7::bigint, extra = $8::text WHERE id = $1::uuid",
    DropDeadlines: "DELETE FROM deadline WHERE ctid = ANY(ARRAY(SELECT found.ctid
        FROM unnest($1::bigint[], $2::uuid[]) AS u(at, id) CROSS JOIN LATERAL (
            SELECT d.ctid FROM deadline AS d WHERE d.at = u.at AND d.id = u.id LIMIT 1) AS found))",
    DropLatest: "DELETE FROM latest WHERE ctid = ANY(ARRAY(SELECT found.ctid
        FROM unnest($1::text[], $2::text[], $3::text[], $4::uuid[]) AS u(account, key, recipient, id)
        CROSS JOIN LATERAL (SELECT l.ctid FROM latest AS l WHERE l.account = u.account AND l.key = u.key
            AND l.recipient = u.recipient AND l.id = u.id LIMIT 1) AS found))",

    // The queue.
    Dequeue: "DELETE FROM queue WHERE ctid = ANY(ARRAY(SELECT found.ctid
        FROM unnest($1::text[], $2::integer[], $3::smallint[], $4::text[], $5::bigint[], $6::uuid[])
        AS u(connector, shard, priority, account, due, id) CROSS JOIN LATERAL (
            SELECT q.ctid FROM queue AS q WHERE q.connector = u.connector AND q.shard = u.shard
            AND q.priority = u.priority AND q.account = u.account AND q.due = u.due AND q.id = u.id LIMIT 1) AS found))",
    Enqueue: "INSERT INTO queue(connector, shard, priority, account, due, id)
        SELECT * FROM unnest($1::text[], $2::integer[], $3::smallint[], $4::text[], $5::bigint[], $6::uuid[])
        ON CONFLICT DO NOTHING",

    // Receipts and deliveries.
    PutRemoteIds: "INSERT INTO remote_id(connector, id, message, part, expires_at)
        SELECT * FROM unnest($1::text[], $2::text[], $3::uuid[], $4::smallint[], $5::bigint[])
        ON CONFLICT (connector, id) DO UPDATE SET message = excluded.message, part = excluded.part,
            expires_at = excluded.expires_at",
    DropRemoteIds: "DELETE FROM remote_id WHERE ctid = ANY(ARRAY(SELECT found.ctid
        FROM unnest($1::text[], $2::text[]) AS u(connector, id) CROSS JOIN LATERAL (
            SELECT r.ctid FROM remote_id AS r WHERE r.connector = u.connector AND r.id = u.id LIMIT 1) AS found))",
    DropDeliveries: "DELETE FROM delivery WHERE ctid = ANY(ARRAY(SELECT found.ctid
        FROM unnest($1::uuid[], $2::bigint[], $3::text[]) AS u(id, due, endpoint) CROSS JOIN LATERAL (
            SELECT d.ctid FROM delivery AS d WHERE d.id = u.id AND d.due = u.due AND d.endpoint = u.endpoint LIMIT 1)
        AS found))",
    PutDeliveries: "INSERT INTO delivery(id, endpoint, due, account, message, url, event, created_at, attempts, state,
            last_error, payload, style, restorable)
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::text[], $5::uuid[], $6::text[], $7::text[],
            $8::bigint[], $9::bigint[], $10::smallint[], $11::text[], $12::text[], $13::smallint[], $14::boolean[])
        ON CONFLICT (id) DO UPDATE SET endpoint = excluded.endpoint, due = excluded.due, account = excluded.account,
            message = excluded.message, url = excluded.url, event = excluded.event, created_at = excluded.created_at,
            attempts = excluded.attempts, state = excluded.state, last_error = excluded.last_error,
            payload = excluded.payload, style = excluded.style, restorable = excluded.restorable",
    DropParked: "DELETE FROM parked WHERE id = ANY($1::uuid[])",
    PutParked: "INSERT INTO parked(id, connector, key, remote_id, receipt, phone, received_at, expires_at)
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[],
            $8::bigint[])
        ON CONFLICT (id) DO UPDATE SET connector = excluded.connector, key = excluded.key,
            remote_id = excluded.remote_id, receipt = excluded.receipt, phone = excluded.phone,
            received_at = excluded.received_at, expires_at = excluded.expires_at",
    DropMoPart: "DELETE FROM mo_part WHERE part_connector = $1::text AND addresses = $2::text
        AND part_reference = $3::integer AND total = $4::smallint AND sequence = $5::smallint",
    PutMoPart: "INSERT INTO mo_part(id, account, direction, recipient, sender, content, octets, encoding, priority, receipt,
            reference, created_at, send_at, expires_at, client_ref, batch, tags, extra,
            part_connector, addresses, part_reference, total, sequence, part_expires_at)
        VALUES ($1::uuid, $2::text, $3::smallint, $4::text, $5::text, $6::text, $7::bytea, $8::smallint, $9::smallint,
            $10::smallint, $11::integer, $12::bigint, $13::bigint, $14::bigint, $15::text, $16::uuid, $17::text,
            $18::text, $19::text, $20::text, $21::integer, $22::smallint, $23::smallint, $24::bigint)
        ON CONFLICT (part_connector, addresses, part_reference, total, sequence) DO UPDATE SET id = excluded.id,
            account = excluded.account, direction = excluded.direction, recipient = excluded.recipient,
            sender = excluded.sender, content = excluded.content, octets = excluded.octets,
            encoding = excluded.encoding, priority = excluded.priority, receipt = excluded.receipt,
            reference = excluded.reference, created_at = excluded.created_at, send_at = excluded.send_at,
            expires_at = excluded.expires_at, client_ref = excluded.client_ref, batch = excluded.batch,
            tags = excluded.tags, extra = excluded.extra, part_expires_at = excluded.part_expires_at",

    // Batches and schedules.
    PutBatch: "INSERT INTO batch AS kept(id, account, accepted, rejected, created_at, phase, finished_at, complete, digest)
        VALUES ($1::uuid, $2::text, $3::bigint, $4::bigint, $5::bigint, $6::smallint, $7::bigint, $8::boolean, $9::bytea)
        ON CONFLICT (id) DO UPDATE SET account = excluded.account, accepted = excluded.accepted,
            rejected = excluded.rejected, finished_at = NULL, complete = excluded.complete, digest = excluded.digest
        WHERE excluded.accepted + excluded.rejected >= kept.accepted + kept.rejected",
    PutPhase: "UPDATE batch SET phase = $2::smallint WHERE id = $1::uuid",
    FinishBatch: "UPDATE batch SET finished_at = $2::bigint WHERE id = $1::uuid AND finished_at IS NULL",
    PutSchedule: "INSERT INTO schedule(id, account, revision, due, ended_at, terms, course)
        VALUES ($1::uuid, $2::text, $3::bigint, $4::bigint, $5::bigint, $6::text, $7::text)
        ON CONFLICT (id) DO UPDATE SET account = excluded.account, revision = excluded.revision, due = excluded.due,
            ended_at = excluded.ended_at, terms = excluded.terms, course = excluded.course",
    NewSchedule: "INSERT INTO schedule(id, account, revision, due, ended_at, terms, course)
        VALUES ($1::uuid, $2::text, $3::bigint, $4::bigint, $5::bigint, $6::text, $7::text)",
    PutScheduleMessages: "INSERT INTO schedule_messages(id, messages) VALUES ($1::uuid, $2::text)
        ON CONFLICT (id) DO UPDATE SET messages = excluded.messages",
    DropSchedule: "DELETE FROM schedule WHERE id = $1::uuid",
    DropScheduleMessages: "DELETE FROM schedule_messages WHERE id = $1::uuid",

    // Opt-outs and groups.
    PutOptOut: "INSERT INTO opt_out(account, phone, sender, id, created_at, message)
        VALUES ($1::text, $2::text, $3::text, $4::uuid, $5::bigint, $6::uuid) ON CONFLICT DO NOTHING",
    DropOptOut: "DELETE FROM opt_out WHERE account = $1::text AND phone = $2::text AND sender = $3::text",
    MakeGroup: "INSERT INTO phone_group(account, name, created_at) VALUES ($1::text, $2::text, $3::bigint)
        ON CONFLICT DO NOTHING",
    DropGroup: "DELETE FROM phone_group WHERE account = $1::text AND name = $2::text",
    DropMembers: "DELETE FROM group_member WHERE account = $1::text AND name = $2::text",
    PutMembers: "INSERT INTO group_member(account, name, phone, joined_at, message)
        SELECT u.account, u.name, u.phone, u.joined_at, u.message
        FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::uuid[])
        AS u(account, name, phone, joined_at, message)
        WHERE (SELECT g.name FROM phone_group AS g WHERE g.account = u.account AND g.name = u.name LIMIT 1) IS NOT NULL
        ON CONFLICT DO NOTHING",
    DropMember: "DELETE FROM group_member WHERE account = $1::text AND name = $2::text AND phone = $3::text",
    PutGroupTask: "INSERT INTO group_task(message, rule, account, name, action, members_only, text, reply, reply_limit)
        VALUES ($1::uuid, $2::text, $3::text, $4::text, $5::smallint, $6::boolean, $7::text, $8::text, $9::bigint)
        ON CONFLICT (message) DO UPDATE SET rule = excluded.rule, account = excluded.account, name = excluded.name,
            action = excluded.action, members_only = excluded.members_only, text = excluded.text,
            reply = excluded.reply, reply_limit = excluded.reply_limit",
    DropGroupTask: "DELETE FROM group_task WHERE message = $1::uuid",

    // Reading what takes more than one statement.
    OneMoment: "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
    Messages: "SELECT id, account, direction, recipient, sender, content, octets, encoding, priority, receipt, reference,
        created_at, send_at, expires_at, client_ref, batch, tags, extra, status, connector, due, submitted_at, final_at,
        attempts, reason, parts, events FROM {message} WHERE id = ANY($1::uuid[])",
    QueuePages: "SELECT r.place, q.id, q.due, q.shard
        FROM unnest($4::text[], $5::bigint[], $6::uuid[], $8::bigint[]) WITH ORDINALITY
        AS r(account, due, id, wanted, place) CROSS JOIN LATERAL (
            SELECT q.id, q.due, q.shard FROM queue AS q WHERE q.connector = $1::text AND q.shard = ANY($2::integer[])
            AND q.priority = $3::smallint AND q.account = r.account AND (q.due, q.id) > (r.due, r.id)
            AND q.due <= $7::bigint ORDER BY q.due, q.id LIMIT r.wanted) AS q
        ORDER BY r.place, q.due, q.id",
    QueueNext: "SELECT r.place, q.due
        FROM unnest($4::text[], $5::bigint[], $6::uuid[]) WITH ORDINALITY AS r(account, due, id, place)
        CROSS JOIN LATERAL (
            SELECT q.due FROM queue AS q WHERE q.connector = $1::text AND q.shard = ANY($2::integer[])
            AND q.priority = $3::smallint AND q.account = r.account AND (q.due, q.id) > (r.due, r.id)
            AND q.due > $7::bigint ORDER BY q.due, q.id LIMIT 1) AS q",

    // Leases. Who has one keeps its epoch, which leaves the key as it is.
    TakeLease: "WITH clock AS MATERIALIZED (
            SELECT coalesce($4::bigint, (extract(epoch FROM clock_timestamp()) * 1000)::bigint) AS now
        ), kept AS (
            UPDATE lease SET expires_at = (SELECT now FROM clock) + $3::bigint
            WHERE name = $1::text AND holder = $2::text RETURNING epoch, expires_at
        ), taken AS (
            INSERT INTO lease AS l(name, holder, epoch, expires_at)
            SELECT $1::text, $2::text, 1, now + $3::bigint FROM clock WHERE NOT EXISTS (SELECT FROM kept)
            ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, epoch = l.epoch + 1,
                expires_at = excluded.expires_at WHERE l.expires_at <= (SELECT now FROM clock)
            RETURNING epoch, expires_at
        ) SELECT epoch, expires_at FROM kept UNION ALL SELECT epoch, expires_at FROM taken",
    ReleaseLease: "UPDATE lease SET holder = '', epoch = epoch + 1,
            expires_at = coalesce($4::bigint, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)
        WHERE name = $1::text AND holder = $2::text AND epoch = $3::bigint",

    // Nodes. A slot is held while the lease of its node has the epoch that it was claimed under.
    PutNode: "INSERT INTO node(name, about) SELECT $1::text, $3::text
        WHERE EXISTS (SELECT FROM lease WHERE name = 'node:' || $1::text AND holder = $2::text)
        ON CONFLICT (name) DO UPDATE SET about = excluded.about",
    DropSlotsOf: "DELETE FROM slot WHERE node = $1::text AND epoch <= $2::bigint",
    Nodes: "SELECT n.name, l.epoch, n.about FROM node AS n JOIN lease AS l ON l.name = 'node:' || n.name
        WHERE l.holder <> ''
            AND l.expires_at > coalesce($1::bigint, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)
        ORDER BY n.name",
    Slots: "SELECT s.name, s.node FROM slot AS s JOIN lease AS l ON l.name = 'node:' || s.node AND l.epoch = s.epoch
        WHERE l.holder <> ''
            AND l.expires_at > coalesce($1::bigint, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)
        ORDER BY s.name",
    // One claim at a time: what it decides by was committed before it began to look.
    LockClaims: "SELECT pg_advisory_xact_lock($1::integer, hashtext(current_schema()))",
    EndMemberships: "UPDATE lease SET holder = '', epoch = epoch + 1 WHERE name <> $3::text
            AND expires_at <= coalesce($2::bigint, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)
            AND name IN (
            SELECT 'node:' || s.node FROM slot AS s WHERE s.name = ANY($1::text[])
            AND EXISTS (SELECT FROM lease AS l WHERE l.name = 'node:' || s.node AND l.epoch = s.epoch))",
    Claim: "INSERT INTO slot AS s(name, node, epoch)
        SELECT DISTINCT u.name, $2::text, $3::bigint FROM unnest($1::text[]) AS u(name) ORDER BY u.name
        ON CONFLICT (name) DO UPDATE SET node = excluded.node, epoch = excluded.epoch WHERE NOT EXISTS (
            SELECT FROM lease AS l WHERE l.name = 'node:' || s.node AND l.epoch = s.epoch AND l.holder <> '')",
    Held: "SELECT name FROM slot WHERE name = ANY($1::text[]) AND node = $2::text AND epoch = $3::bigint ORDER BY name",
    Release: "DELETE FROM slot WHERE name = ANY($1::text[]) AND node = $2::text AND epoch = $3::bigint",
    PutMail: "INSERT INTO mail(id, slot, content)
        SELECT * FROM unnest($1::uuid[], $2::text[], $3::bytea[]) ON CONFLICT DO NOTHING",
    DropMail: "DELETE FROM mail WHERE ctid = ANY(ARRAY(SELECT found.ctid FROM unnest($1::uuid[]) AS u(id)
        CROSS JOIN LATERAL (SELECT m.ctid FROM mail AS m WHERE m.id = u.id LIMIT 1) AS found))",
    Mail: "SELECT found.id, found.slot, found.content FROM unnest($1::text[]) AS u(slot) CROSS JOIN LATERAL (
            SELECT m.id, m.slot, m.content FROM mail AS m WHERE m.slot = u.slot AND m.id <> ALL($2::uuid[])
            ORDER BY m.id LIMIT $3::bigint) AS found
        ORDER BY found.id LIMIT $3::bigint",
    // As with a claim, what is taken for free is free from then on.
    EndBeforeForgetting: "UPDATE lease SET holder = '', epoch = epoch + 1 WHERE
            expires_at <= coalesce($2::bigint, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)
            AND name IN (
            SELECT 'node:' || s.node FROM mail AS m JOIN slot AS s ON s.name = m.slot
            JOIN lease AS l ON l.name = 'node:' || s.node AND l.epoch = s.epoch WHERE starts_with(m.slot, $1::text))",
    ForgetMail: "WITH gone AS (
            DELETE FROM mail AS m WHERE starts_with(m.slot, $1::text) AND NOT EXISTS (
                SELECT FROM slot AS s JOIN lease AS l ON l.name = 'node:' || s.node AND l.epoch = s.epoch
                WHERE s.name = m.slot AND l.holder <> '')
            RETURNING 1
        ) SELECT count(*) FROM gone",

    // Resources.
    NextVersion: "UPDATE meta SET value = value + $2::bigint
        WHERE name = 'resources_version' AND value = coalesce($1::bigint, value) RETURNING value",
    PutResource: "INSERT INTO resource(kind, id, json) VALUES ($1::text, $2::text, $3::text)
        ON CONFLICT (kind, id) DO UPDATE SET json = excluded.json",
    DropResource: "DELETE FROM resource WHERE kind = $1::text AND id = $2::text",
}
