//! The tables, how old files become new ones, and the views that people ask.

use rusqlite::{Connection, Transaction};

use crate::error::{Error, ErrorKind};

/// Marks the file as ours: `dice` in ASCII.
pub(crate) const APPLICATION: i64 = 0x6469_6365;

/// The version that [`MIGRATIONS`] lead to.
pub(crate) const VERSION: i64 = MIGRATIONS.len() as i64;

/// What makes a file of version `n` one of version `n + 1`, by position. Released ones never change.
const MIGRATIONS: &[fn(&Transaction<'_>) -> rusqlite::Result<()>] = &[first, second];

/// A view: its name, the question it answers, and its text.
type View = (&'static str, &'static str, &'static str);

/// The views, by name. They are made anew whenever a file is opened for writing, so they are not migrated.
const VIEWS: &[View] = &[
    (
        "open_episodes",
        "What is going on now?",
        "SELECT id, body->>'rule' AS rule, body->>'key' AS key, body->>'severity' AS severity,
                datetime((body->>'opened_ms') / 1000, 'unixepoch') AS opened, body->>'title' AS title,
                body->>'$.evidence.count' AS count, body->>'$.evidence.sample' AS sample
         FROM episodes WHERE id NOT LIKE 'i:%' AND body->>'closed_ms' IS NULL
         UNION ALL
         SELECT e.id, NULL, NULL, NULL, datetime((e.body->>'opened_ms') / 1000, 'unixepoch'),
                e.body->>'reason', a.body->>'$.run.count', a.body->>'sample'
         FROM episodes e LEFT JOIN alerts a ON a.id = e.body->>'alert' WHERE e.id LIKE 'i:%'
         ORDER BY opened",
    ),
    (
        "deliveries",
        "What was told, to whom, and what became of it?",
        "SELECT id, datetime((body->>'created_ms') / 1000, 'unixepoch') AS decided, body->>'lane' AS lane,
                body->>'kind' AS kind, coalesce(body->>'$.destination.channel', body->>'$.destination.person',
                body->>'$.destination.team', body->>'$.destination.receiver') AS destination,
                body->>'state' AS state, body->>'attempts' AS attempts,
                datetime((body->>'due_ms') / 1000, 'unixepoch') AS due, body->>'why' AS why,
                body->>'$.notice.title' AS title
         FROM outbox ORDER BY body->>'created_ms', id",
    ),
    (
        "held_back",
        "What did not reach somebody, and why; and what did people do?",
        "SELECT datetime((body->>'at_ms') / 1000, 'unixepoch') AS at, body->>'cause' AS cause,
                body->>'subject' AS subject, body->>'by' AS by, body->>'count' AS count,
                body->>'text' AS text
         FROM records ORDER BY id",
    ),
    (
        "noisiest_messages",
        "Which messages come most often?",
        "SELECT coalesce(body->>'$.run.count', 0) + coalesce(body->>'$.past.count', 0) AS count,
                body->>'level' AS level, body->>'reason' AS reason,
                datetime((body->>'last_ms') / 1000, 'unixepoch') AS last_seen, body->>'sample' AS sample,
                body->>'message' AS message
         FROM alerts WHERE id NOT LIKE 'm:%' ORDER BY count DESC",
    ),
    (
        "messages_by_hour",
        "How often did each message come, hour by hour, in the last week?",
        "WITH counted (message, hour, count) AS (
             SELECT h.id, h.body->>'from' + n.key, n.value FROM hours h, json_each(h.body, '$.counts') n
             UNION ALL
             SELECT substr(id, 7), body->>'hour' - 1, body->>'before' FROM snoozes WHERE id LIKE 'hours/%'
             UNION ALL
             SELECT substr(id, 7), body->>'hour', body->>'n' FROM snoozes WHERE id LIKE 'hours/%')
         SELECT datetime(hour * 3600, 'unixepoch') AS hour, message, count,
                (SELECT a.body->>'sample' FROM alerts a WHERE a.body->>'message' = message LIMIT 1) AS sample
         FROM counted WHERE count > 0 ORDER BY hour DESC, count DESC, message",
    ),
    (
        "waiting_for_digests",
        "What is gathered for whom, and not yet told?",
        "SELECT coalesce(body->>'$.reader.person', body->>'$.reader.channel', body->>'$.reader.team') AS reader,
                body->>'count' AS count, body->>'level' AS level, body->>'place' AS place,
                body->>'title' AS title, body->>'because' AS because
         FROM digest_rows WHERE body->>'count' > 0 ORDER BY reader, count DESC",
    ),
    (
        "digests_due",
        "Whose digest is when, and why is it held?",
        "SELECT id, body->>'state' AS state, datetime((body->>'at_ms') / 1000, 'unixepoch') AS due,
                body->>'why' AS why FROM digests ORDER BY due",
    ),
    (
        "hidden",
        "What is snoozed, muted or silenced, by whom, and how much was hidden?",
        "SELECT 'snooze' AS kind, id, body->>'title' AS what, body->>'until' AS until, body->>'actor' AS by,
                body->>'counted' AS hidden, body->>'reason' AS why FROM snoozes WHERE id NOT LIKE '%/%'
         UNION ALL
         SELECT 'silence', id, body->>'matchers', datetime((body->>'ends_ms') / 1000, 'unixepoch'),
                body->>'created_by', NULL, body->>'comment' FROM silences",
    ),
    (
        "read_so_far",
        "How far has each source been read?",
        "SELECT source, body->>'partition' AS partition, body->>'offset' AS offset, body->>'lines' AS lines
         FROM positions",
    ),
    (
        "counted",
        "How many lines were read, matched, late?",
        "SELECT id AS source, body->>'lines' AS lines, body->>'matched' AS matched, body->>'unknown' AS unknown,
                body->>'continued' AS continued, body->>'late' AS late, body->>'too_old' AS too_old,
                body->>'cut' AS cut, body->>'lost_bytes' AS lost_bytes
         FROM counters ORDER BY id",
    ),
    (
        "lost",
        "What was gone before it could be read?",
        "SELECT id AS source, 'emptied before it was read' AS cause, body->>'lost_bytes' AS lost, 'bytes' AS what
         FROM counters WHERE body->>'lost_bytes' > 0
         UNION ALL
         SELECT body->>'source', body->>'cause', body->>'messages', 'messages'
         FROM notes WHERE id LIKE 'service lost %'",
    ),
    (
        "rule_keys",
        "How many keys does each rule watch?",
        "SELECT rule, count(*) AS keys, sum(is_open) AS open, sum(episodes) AS episodes,
                datetime(max(last_ms) / 1000, 'unixepoch') AS last_event
         FROM rule_cells WHERE key <> '' GROUP BY rule ORDER BY rule",
    ),
];

/// The views with the question each answers.
pub fn views() -> impl Iterator<Item = (&'static str, &'static str)> {
    VIEWS.iter().map(|(name, question, _)| (*name, *question))
}

/// The table of rows that [`dice_route::book::Table`] calls so.
fn rows(tx: &Transaction<'_>, name: &str) -> rusqlite::Result<()> {
    tx.execute_batch(&format!(
        "CREATE TABLE {name} (id TEXT PRIMARY KEY, body TEXT NOT NULL CHECK (json_valid(body))) STRICT;"
    ))
}

fn first(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    let names = [
        "partitions",
        "counters",
        "episodes",
        "alerts",
        "groups",
        "escalations",
        "snoozes",
        "silences",
        "overrides",
        "digests",
        "digest_rows",
        "outbox",
        "records",
        "storms",
        "people",
        "notes",
    ];
    for name in names {
        rows(tx, name)?;
    }
    tx.execute_batch(
        "CREATE TABLE rule_cells (
             rule TEXT NOT NULL, key TEXT NOT NULL, episodes INTEGER NOT NULL, is_open INTEGER NOT NULL,
             last_ms INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (rule, key)) STRICT, WITHOUT ROWID;
         CREATE TABLE waiting (number INTEGER PRIMARY KEY, latest_ms INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
         CREATE TABLE positions (
             source TEXT NOT NULL, partition TEXT NOT NULL, body TEXT NOT NULL CHECK (json_valid(body)),
             PRIMARY KEY (source, partition)) STRICT, WITHOUT ROWID;
         CREATE TABLE journal (
             number INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, what TEXT NOT NULL,
             body TEXT NOT NULL CHECK (json_valid(body))) STRICT;
         CREATE TABLE epoch (number INTEGER NOT NULL, at_ms INTEGER NOT NULL) STRICT;
         INSERT INTO epoch VALUES (0, 0);",
    )
}

/// How often messages came in hours that are over.
fn second(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    rows(tx, "hours")
}

/// Makes the file one of today's version, or says why it cannot be.
pub(crate) fn migrate(connection: &mut Connection, file: &std::path::Path) -> Result<(), Error> {
    let doing = "bring the state file up to date";
    let tx = connection
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .map_err(Error::sqlite(doing))?;
    let number = |name| tx.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let version = number("user_version").map_err(Error::sqlite(doing))?;
    let application = number("application_id").map_err(Error::sqlite(doing))?;
    let is_empty: bool = tx
        .query_row("SELECT count(*) = 0 FROM sqlite_schema", [], |row| row.get(0))
        .map_err(Error::sqlite(doing))?;
    if !is_empty && application != APPLICATION {
        return Err(ErrorKind::Foreign { file: file.to_owned() }.into());
    }
    if version > VERSION {
        return Err(ErrorKind::Newer { file: file.to_owned(), found: version, known: VERSION }.into());
    }
    for step in MIGRATIONS.iter().skip(usize::try_from(version).unwrap_or(0)) {
        step(&tx).map_err(Error::sqlite(doing))?;
    }
    for (name, _, text) in VIEWS {
        tx.execute_batch(&format!("DROP VIEW IF EXISTS {name}; CREATE VIEW {name} AS {text};"))
            .map_err(Error::sqlite(doing))?;
    }
    tx.pragma_update(None, "application_id", APPLICATION).map_err(Error::sqlite(doing))?;
    tx.pragma_update(None, "user_version", VERSION).map_err(Error::sqlite(doing))?;
    tx.commit().map_err(Error::sqlite(doing))
}
