//! The one writer of the state file.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use dice_route::book::{Cell, Delta, Table, Waiting};
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior, params};

use crate::error::{Error, ErrorKind};
use crate::schema::{self, migrate};

/// The state file, open for writing. There is one writer: a second one is told that the file is taken.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    path: PathBuf,
    epoch: i64,
    next_journal: i64,
    /// Held for as long as the store lives; `None` when it was opened for reading.
    _lock: Option<File>,
}

/// What one transaction writes.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// What changed in the router.
    pub deltas: Vec<Delta>,
    /// How far the sources have been read.
    pub positions: Vec<Position>,
    /// Positions that are no longer needed: source and partition.
    pub forgotten: Vec<(String, String)>,
    /// Inputs that are not lines, in order.
    pub journal: Vec<JournalLine>,
}

impl Batch {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.deltas.is_empty()
            && self.positions.is_empty()
            && self.forgotten.is_empty()
            && self.journal.is_empty()
    }
}

/// How far a partition of a source has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// The source's name.
    pub source: String,
    /// The partition's name in it.
    pub partition: String,
    /// A JSON object, for who reads the source.
    pub body: String,
}

/// An input that is not a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalLine {
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// `command`, `configuration`, `presence`, `alerts`, `unsubscribed`, `start`.
    pub what: String,
    /// A JSON object.
    pub body: String,
}

/// Something that was written once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saved {
    /// A row of a table.
    Row(Entry),
    /// A rule's key.
    Cell(Cell),
    /// Events that wait for the watermark.
    Waiting(Waiting),
}

/// A row of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where.
    pub table: Table,
    /// Its id.
    pub id: String,
    /// A JSON object.
    pub body: String,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Bytes of the file and of what is not yet merged into it.
    pub bytes: u64,
    /// Rows by table, in order of the names.
    pub rows: BTreeMap<String, u64>,
    /// What is wrong, in sentences; empty when nothing is.
    pub problems: Vec<String>,
}

/// Journal lines that are forgotten at once.
const FORGOTTEN_AT_ONCE: i64 = 2_000;

impl Store {
    /// Opens the state file at `path` for writing and makes it when there is none. `now_ms` dates the
    /// opening.
    ///
    /// # Errors
    ///
    /// When another process writes it ([`Error::is_taken`]), when it may not be written
    /// ([`Error::is_read_only`]), when it is damaged or somebody else's ([`Error::is_damaged`]), or when a
    /// newer Dice wrote it.
    pub fn open(path: &Path, now_ms: i64) -> Result<Store, Error> {
        let lock = lock(path)?;
        let mut connection = Connection::open(path).map_err(Error::sqlite("open the state file"))?;
        connection
            .busy_timeout(std::time::Duration::from_secs(5))
            .map_err(Error::sqlite("open the state file"))?;
        migrate(&mut connection, path)?;
        // FULL, not NORMAL: what was committed has to survive the loss of power too.
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 16384;
                 PRAGMA temp_store = MEMORY; PRAGMA cache_size = -65536;",
            )
            .map_err(Error::sqlite("set up the state file"))?;
        connection.set_prepared_statement_cache_capacity(64);
        let doing = "count this start in the state file";
        connection
            .execute("UPDATE epoch SET number = number + 1, at_ms = ?1", [now_ms])
            .map_err(Error::sqlite(doing))?;
        let epoch = connection
            .query_row("SELECT number FROM epoch", [], |row| row.get(0))
            .map_err(Error::sqlite(doing))?;
        let next_journal = connection
            .query_row("SELECT coalesce(max(number), 0) + 1 FROM journal", [], |row| row.get(0))
            .map_err(Error::sqlite(doing))?;
        Ok(Store { connection, path: path.to_owned(), epoch, next_journal, _lock: Some(lock) })
    }

    /// Opens the state file at `path` for reading only, beside a writer or without one.
    ///
    /// # Errors
    ///
    /// When there is none, or it is damaged, or somebody else's.
    pub fn open_to_read(path: &Path) -> Result<Store, Error> {
        let doing = "read the state file";
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(Error::sqlite(doing))?;
        connection.busy_timeout(std::time::Duration::from_secs(5)).map_err(Error::sqlite(doing))?;
        let number = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        if number("application_id").map_err(Error::sqlite(doing))? != schema::APPLICATION {
            return Err(ErrorKind::Foreign { file: path.to_owned() }.into());
        }
        let version = number("user_version").map_err(Error::sqlite(doing))?;
        if version > schema::VERSION {
            let file = path.to_owned();
            return Err(ErrorKind::Newer { file, found: version, known: schema::VERSION }.into());
        }
        Ok(Store { connection, path: path.to_owned(), epoch: 0, next_journal: 0, _lock: None })
    }

    /// How often the file was opened for writing: a newer writer has a higher number.
    pub fn epoch(&self) -> i64 {
        self.epoch
    }

    /// Gives everything that was written, tables first, in a lasting order: all as of one commit, while a router
    /// may go on writing.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn load(&self, mut each: impl FnMut(Saved)) -> Result<(), Error> {
        let doing = "read the state";
        let _as_of_now = self.connection.unchecked_transaction().map_err(Error::sqlite(doing))?;
        for table in Table::ALL {
            self.entries(table, |entry| each(Saved::Row(entry)))?;
        }
        let read = |error| Error::sqlite(doing)(error);
        let mut waiting = self
            .connection
            .prepare("SELECT number, latest_ms, body FROM waiting ORDER BY number")
            .map_err(read)?;
        let mut rows = waiting.query([]).map_err(read)?;
        while let Some(row) = rows.next().map_err(read)? {
            let number: i64 = row.get(0).map_err(read)?;
            each(Saved::Waiting(Waiting {
                number: number.cast_unsigned(),
                latest_ms: row.get(1).map_err(read)?,
                body: row.get(2).map_err(read)?,
            }));
        }
        let mut cells = self
            .connection
            .prepare("SELECT rule, key, episodes, is_open, last_ms, body FROM rule_cells ORDER BY rule, key")
            .map_err(read)?;
        let mut rows = cells.query([]).map_err(read)?;
        while let Some(row) = rows.next().map_err(read)? {
            let episodes: i64 = row.get(2).map_err(read)?;
            each(Saved::Cell(Cell {
                rule: row.get(0).map_err(read)?,
                key: row.get(1).map_err(read)?,
                episodes: episodes.cast_unsigned(),
                is_open: row.get(3).map_err(read)?,
                last_ms: row.get(4).map_err(read)?,
                body: row.get(5).map_err(read)?,
            }));
        }
        Ok(())
    }

    /// Whether the file has this table: one that an older Dice wrote, and that is only read, may lack it.
    fn has(&self, table: Table) -> Result<bool, Error> {
        let text = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?1";
        let found = self.connection.query_row(text, [table.name()], |row| row.get::<_, i64>(0));
        Ok(found.map_err(Error::sqlite("read the state"))? > 0)
    }

    /// Gives the rows of one table, in the order of their ids.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn entries(&self, table: Table, mut each: impl FnMut(Entry)) -> Result<(), Error> {
        if !self.has(table)? {
            return Ok(());
        }
        let read = |error| Error::sqlite("read the state")(error);
        let text = format!("SELECT id, body FROM {} ORDER BY id", table.name());
        let mut statement = self.connection.prepare(&text).map_err(read)?;
        let mut rows = statement.query([]).map_err(read)?;
        while let Some(row) = rows.next().map_err(read)? {
            each(Entry { table, id: row.get(0).map_err(read)?, body: row.get(1).map_err(read)? });
        }
        Ok(())
    }

    /// How far each source had been read.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn positions(&self) -> Result<Vec<Position>, Error> {
        let read = |error| Error::sqlite("read the positions")(error);
        let mut statement = self
            .connection
            .prepare("SELECT source, partition, body FROM positions ORDER BY source, partition")
            .map_err(read)?;
        let rows = statement
            .query_map([], |row| {
                Ok(Position { source: row.get(0)?, partition: row.get(1)?, body: row.get(2)? })
            })
            .map_err(read)?;
        rows.collect::<Result<_, _>>().map_err(read)
    }

    /// Gives the journal from this moment on, oldest first.
    ///
    /// # Errors
    ///
    /// When the file cannot be read.
    pub fn journal(&self, since_ms: i64) -> Result<Vec<JournalLine>, Error> {
        let read = |error| Error::sqlite("read the journal")(error);
        let mut statement = self
            .connection
            .prepare("SELECT at_ms, what, body FROM journal WHERE at_ms >= ?1 ORDER BY number")
            .map_err(read)?;
        let rows = statement
            .query_map([since_ms], |row| {
                Ok(JournalLine { at_ms: row.get(0)?, what: row.get(1)?, body: row.get(2)? })
            })
            .map_err(read)?;
        rows.collect::<Result<_, _>>().map_err(read)
    }

    /// Writes `batch` in one transaction. When this returns, it lasts; when it fails, nothing of it was
    /// written, and the same batch may be committed again.
    ///
    /// # Errors
    ///
    /// When the disk is full ([`Error::is_full`]) or cannot be written.
    pub fn commit(&mut self, batch: &Batch) -> Result<(), Error> {
        let doing = "write the state";
        let tx = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(Error::sqlite(doing))?;
        write(&tx, batch, self.next_journal).map_err(Error::sqlite(doing))?;
        tx.commit().map_err(Error::sqlite(doing))?;
        self.next_journal += i64::try_from(batch.journal.len()).expect("a batch fits into memory");
        Ok(())
    }

    /// Forgets journal lines from before this moment, and merges the log into the file when that can be
    /// done without waiting for readers. For quiet moments.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn tidy(&mut self, journal_before_ms: i64) -> Result<(), Error> {
        while self.forget(journal_before_ms)? {}
        let doing = "tidy the state file";
        self.connection
            .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
            .map_err(Error::sqlite(doing))
    }

    /// Forgets the oldest journal lines up to the first that is not from before this moment: so many at a time
    /// that nobody waits for it. True when there are more.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn forget(&mut self, journal_before_ms: i64) -> Result<bool, Error> {
        let forgotten = self.connection.execute(
            "DELETE FROM journal WHERE number < min(
                 coalesce((SELECT number FROM journal WHERE at_ms >= ?1 ORDER BY number LIMIT 1),
                          (SELECT max(number) + 1 FROM journal)),
                 (SELECT min(number) FROM journal) + ?2)",
            [journal_before_ms, FORGOTTEN_AT_ONCE],
        );
        let forgotten = forgotten.map_err(Error::sqlite("forget old journal lines"))?;
        Ok(i64::try_from(forgotten).is_ok_and(|n| n >= FORGOTTEN_AT_ONCE))
    }

    /// Copies the state, as of now, into a new file at `to`, while a router may go on writing.
    ///
    /// # Errors
    ///
    /// When `to` exists or cannot be written.
    pub fn backup(&self, to: &Path) -> Result<(), Error> {
        let wanted = |error| ErrorKind::Io { doing: "make", file: to.to_owned(), error };
        OpenOptions::new().write(true).create_new(true).open(to).map_err(wanted)?;
        let copy = || -> rusqlite::Result<()> {
            let mut target = Connection::open(to)?;
            rusqlite::backup::Backup::new(&self.connection, &mut target)?.run_to_completion(
                1024,
                std::time::Duration::ZERO,
                None,
            )?;
            target.execute_batch("PRAGMA journal_mode = DELETE")
        };
        copy().map_err(Error::sqlite("copy the state"))
    }

    /// Reads everything once and says what is wrong with it.
    ///
    /// # Errors
    ///
    /// When the file cannot be read at all.
    pub fn check(&self) -> Result<Report, Error> {
        let read = |error| Error::sqlite("check the state file")(error);
        let mut problems = Vec::new();
        let mut statement = self.connection.prepare("PRAGMA integrity_check(20)").map_err(read)?;
        let mut found = statement.query([]).map_err(read)?;
        while let Some(row) = found.next().map_err(read)? {
            let text: String = row.get(0).map_err(read)?;
            if text != "ok" {
                problems.push(text);
            }
        }
        let mut rows = BTreeMap::new();
        let mut names = vec!["rule_cells", "waiting", "positions", "journal"];
        for table in Table::ALL {
            if self.has(table)? {
                names.push(table.name());
            }
        }
        for name in names {
            let n: i64 = self
                .connection
                .query_row(&format!("SELECT count(*) FROM {name}"), [], |row| row.get(0))
                .map_err(read)?;
            rows.insert(name.to_owned(), n.cast_unsigned());
        }
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
        let bytes = size(&self.path) + size(&beside(&self.path, "-wal"));
        Ok(Report { bytes, rows, problems })
    }
}

fn write(tx: &Transaction<'_>, batch: &Batch, next_journal: i64) -> rusqlite::Result<()> {
    for delta in &batch.deltas {
        match delta {
            Delta::Put { table, id, body } => {
                let text = format!("INSERT OR REPLACE INTO {} VALUES (?1, ?2)", table.name());
                tx.prepare_cached(&text)?.execute([id, body])?;
            }
            Delta::Delete { table, id } => {
                let text = format!("DELETE FROM {} WHERE id = ?1", table.name());
                tx.prepare_cached(&text)?.execute([id])?;
            }
            Delta::PutCell(cell) => {
                tx.prepare_cached("INSERT OR REPLACE INTO rule_cells VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
                    .execute(params![
                        cell.rule,
                        cell.key,
                        cell.episodes.cast_signed(),
                        cell.is_open,
                        cell.last_ms,
                        cell.body
                    ])?;
            }
            Delta::DeleteCell { rule, key } => {
                tx.prepare_cached("DELETE FROM rule_cells WHERE rule = ?1 AND key = ?2")?
                    .execute([rule, key])?;
            }
            Delta::PutWaiting(waiting) => {
                tx.prepare_cached("INSERT OR REPLACE INTO waiting VALUES (?1, ?2, ?3)")?.execute(params![
                    waiting.number.cast_signed(),
                    waiting.latest_ms,
                    waiting.body
                ])?;
            }
            Delta::DropWaiting { up_to } => {
                tx.prepare_cached("DELETE FROM waiting WHERE number <= ?1")?
                    .execute([up_to.cast_signed()])?;
            }
        }
    }
    for position in &batch.positions {
        tx.prepare_cached("INSERT OR REPLACE INTO positions VALUES (?1, ?2, ?3)")?.execute([
            &position.source,
            &position.partition,
            &position.body,
        ])?;
    }
    for (source, partition) in &batch.forgotten {
        tx.prepare_cached("DELETE FROM positions WHERE source = ?1 AND partition = ?2")?
            .execute([source, partition])?;
    }
    for (number, line) in (next_journal..).zip(&batch.journal) {
        tx.prepare_cached("INSERT INTO journal VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![number, line.at_ms, line.what, line.body])?;
    }
    Ok(())
}

/// Takes the lock beside the file. It is a file of its own, so that tools which read the state are not
/// kept out; it goes with the process, whatever ends it.
fn lock(path: &Path) -> Result<File, Error> {
    let name = beside(path, ".lock");
    let io = |doing| move |error| ErrorKind::Io { doing, file: beside(path, ".lock"), error };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(io("make the folder of"))?;
    }
    let lock = OpenOptions::new().write(true).create(true).truncate(false).open(&name).map_err(io("make"))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(std::fs::TryLockError::WouldBlock) => Err(ErrorKind::Taken { file: path.to_owned() }.into()),
        Err(std::fs::TryLockError::Error(error)) => Err(io("lock")(error).into()),
    }
}

/// `path` with something after its name.
fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(what);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(table: Table, id: &str, body: &str) -> Delta {
        Delta::Put { table, id: id.to_owned(), body: body.to_owned() }
    }

    fn cell(key: &str, last_ms: i64) -> Cell {
        let (rule, key) = ("r".to_owned(), key.to_owned());
        Cell { rule, key, episodes: 2, is_open: true, last_ms, body: vec![0, 255, 7] }
    }

    fn position(offset: u64) -> Position {
        let body = format!("{{\"offset\":{offset}}}");
        Position { source: "app".to_owned(), partition: "a.log".to_owned(), body }
    }

    fn all(store: &Store) -> Vec<Saved> {
        let mut all = Vec::new();
        store.load(|saved| all.push(saved)).unwrap();
        all
    }

    #[test]
    fn a_look_is_of_one_commit() {
        let folder = folder();
        let path = folder.path().join("state.db");
        let mut store = Store::open(&path, 5).unwrap();
        let mut commit = |n: u64| {
            let rows = Table::ALL.map(|table| row(table, "x", &n.to_string()));
            let deltas = rows.into_iter().chain([Delta::PutCell(cell("[]", n.cast_signed()))]).collect();
            store.commit(&Batch { deltas, ..Batch::default() }).unwrap();
        };
        commit(1);
        let (reader, mut seen) = (Store::open_to_read(&path).unwrap(), Vec::new());
        for n in [2, 3] {
            seen.clear();
            let each = |saved| {
                seen.push(match saved {
                    Saved::Row(Entry { body, .. }) => body,
                    Saved::Cell(cell) => cell.last_ms.to_string(),
                    Saved::Waiting(_) => String::new(),
                });
                commit(n);
            };
            reader.load(each).unwrap();
            assert_eq!(seen, vec![(n - 1).to_string(); Table::ALL.len() + 1]);
        }
    }

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn what_was_committed_is_given_back() {
        let folder = folder();
        let path = folder.path().join("below/state.db");
        let mut store = Store::open(&path, 5).unwrap();
        assert_eq!(all(&store), []);
        let waiting = Waiting { number: 1, latest_ms: 9, body: vec![1, 2] };
        let journal = JournalLine { at_ms: 7, what: "command".to_owned(), body: "{}".to_owned() };
        let first = Batch {
            deltas: vec![
                row(Table::Groups, "g1", "{\"n\":1}"),
                row(Table::Groups, "g0", "{\"n\":0}"),
                Delta::PutCell(cell("[\"b\"]", 3)),
                Delta::PutCell(cell("[\"a\"]", 4)),
                Delta::PutWaiting(waiting.clone()),
            ],
            positions: vec![position(10)],
            journal: vec![journal.clone()],
            ..Batch::default()
        };
        store.commit(&first).unwrap();
        let second = Batch {
            deltas: vec![
                row(Table::Groups, "g1", "{\"n\":2}"),
                Delta::Delete { table: Table::Groups, id: "g0".to_owned() },
                Delta::DeleteCell { rule: "r".to_owned(), key: "[\"a\"]".to_owned() },
            ],
            positions: vec![position(20)],
            ..Batch::default()
        };
        store.commit(&second).unwrap();
        drop(store);
        let store = Store::open(&path, 6).unwrap();
        assert_eq!(store.epoch(), 2);
        let entry = Entry { table: Table::Groups, id: "g1".to_owned(), body: "{\"n\":2}".to_owned() };
        let expected = [Saved::Row(entry), Saved::Waiting(waiting), Saved::Cell(cell("[\"b\"]", 3))];
        assert_eq!(all(&store), expected);
        assert_eq!(store.positions().unwrap(), [position(20)]);
        assert_eq!(store.journal(0).unwrap(), [journal]);
        assert_eq!(store.check().unwrap().problems, Vec::<String>::new());
    }

    #[test]
    fn a_second_writer_is_told_and_a_reader_is_not_kept_out() {
        let folder = folder();
        let path = folder.path().join("state.db");
        let mut store = Store::open(&path, 0).unwrap();
        let taken = Store::open(&path, 0).unwrap_err();
        assert!(taken.is_taken(), "{taken}");
        let batch = Batch { deltas: vec![row(Table::Snoozes, "s", "{}")], ..Batch::default() };
        store.commit(&batch).unwrap();
        let reader = Store::open_to_read(&path).unwrap();
        assert_eq!(all(&reader).len(), 1);
        drop(store);
        Store::open(&path, 0).unwrap();
    }

    #[test]
    fn a_full_disk_loses_nothing() {
        let folder = folder();
        let path = folder.path().join("state.db");
        let mut store = Store::open(&path, 0).unwrap();
        let pages: i64 = store.connection.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        store.connection.pragma_update(None, "max_page_count", pages + 2).unwrap();
        let large = format!("\"{}\"", "x".repeat(100_000));
        let batch = Batch {
            deltas: vec![row(Table::Notes, "a", &large), row(Table::Notes, "b", "{}")],
            positions: vec![position(1)],
            ..Batch::default()
        };
        let full = store.commit(&batch).unwrap_err();
        assert!(full.is_full(), "{full:?}");
        assert_eq!((all(&store), store.positions().unwrap()), (vec![], vec![]));
        store.connection.pragma_update(None, "max_page_count", 100_000).unwrap();
        store.commit(&batch).unwrap();
        assert_eq!((all(&store).len(), store.positions().unwrap().len()), (2, 1));
    }

    #[test]
    fn files_that_are_no_state_are_refused() {
        let folder = folder();
        let text = folder.path().join("text");
        std::fs::write(&text, "this is a log line, and it is longer than a header\n".repeat(50)).unwrap();
        assert!(Store::open(&text, 0).unwrap_err().is_damaged());
        let foreign = folder.path().join("foreign.db");
        Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE t (a)").unwrap();
        assert!(Store::open(&foreign, 0).unwrap_err().is_damaged());
        assert!(Store::open_to_read(&foreign).unwrap_err().is_damaged());
        let newer = folder.path().join("newer.db");
        drop(Store::open(&newer, 0).unwrap());
        Connection::open(&newer).unwrap().pragma_update(None, "user_version", 99).unwrap();
        let told = Store::open(&newer, 0).unwrap_err().to_string();
        assert!(told.starts_with("wanted a state file of version 2 or older, found version 99"), "{told}");
        assert!(Store::open(&text.join("state.db"), 0).is_err());
    }

    #[test]
    fn a_file_of_the_first_version_is_read_and_becomes_one_of_today() {
        let folder = folder();
        let path = folder.path().join("state.db");
        let mut store = Store::open(&path, 0).unwrap();
        let batch = Batch { deltas: vec![row(Table::Notes, "n", "{}")], ..Batch::default() };
        store.commit(&batch).unwrap();
        // What the first version had not.
        store.connection.execute_batch("DROP VIEW messages_by_hour; DROP TABLE hours").unwrap();
        store.connection.pragma_update(None, "user_version", 1).unwrap();
        drop(store);
        let reader = Store::open_to_read(&path).unwrap();
        assert_eq!(all(&reader).len(), 1);
        assert_eq!(reader.check().unwrap().rows.get("hours"), None);
        drop(reader);
        let mut store = Store::open(&path, 0).unwrap();
        let deltas = vec![
            row(Table::Hours, "m", "{\"from\":500000,\"counts\":[3,0,1]}"),
            row(Table::Snoozes, "hours/m", "{\"hour\":500004,\"n\":7,\"before\":2}"),
        ];
        store.commit(&Batch { deltas, ..Batch::default() }).unwrap();
        assert_eq!(all(&store).len(), 3);
        let mut asked = store.connection.prepare("SELECT hour, count FROM messages_by_hour").unwrap();
        let rows = asked.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let rows: Vec<(String, i64)> = rows.collect::<Result<_, _>>().unwrap();
        let at = |hour: &str, n| (format!("2027-01-15 {hour}:00:00"), n);
        assert_eq!(rows, [at("12", 7), at("11", 2), at("10", 1), at("08", 3)]);
    }

    #[test]
    fn a_damaged_page_is_found() {
        let folder = folder();
        let path = folder.path().join("state.db");
        let mut store = Store::open(&path, 0).unwrap();
        let deltas = (0..2000).map(|n| row(Table::Notes, &format!("{n:05}"), "{\"text\":\"enough of it\"}"));
        store.commit(&Batch { deltas: deltas.collect(), ..Batch::default() }).unwrap();
        drop(store);
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle..middle + 4096].fill(0xA5);
        std::fs::write(&path, bytes).unwrap();
        let store = Store::open_to_read(&path).unwrap();
        let is_found = match store.check() {
            Ok(report) => !report.problems.is_empty(),
            Err(error) => error.is_damaged(),
        };
        assert!(is_found);
    }

    #[test]
    fn a_copy_is_whole_and_never_overwrites() {
        let folder = folder();
        let path = folder.path().join("state.db");
        let mut store = Store::open(&path, 0).unwrap();
        let batch = Batch { deltas: vec![row(Table::Notes, "n", "{}")], ..Batch::default() };
        store.commit(&batch).unwrap();
        let copy = folder.path().join("copy.db");
        store.backup(&copy).unwrap();
        assert!(store.backup(&copy).is_err());
        assert_eq!(all(&Store::open(&copy, 0).unwrap()), all(&store));
    }

    #[test]
    fn every_view_can_be_asked() {
        let folder = folder();
        let store = Store::open(&folder.path().join("state.db"), 0).unwrap();
        for (name, question) in schema::views() {
            assert!(question.ends_with('?'));
            let n: i64 = store
                .connection
                .query_row(&format!("SELECT count(*) FROM {name}"), [], |row| row.get(0))
                .unwrap();
            assert_eq!(n, 0, "{name}");
        }
    }

    #[test]
    fn old_journal_lines_are_forgotten_a_few_at_a_time() {
        let folder = folder();
        let mut store = Store::open(&folder.path().join("state.db"), 5).unwrap();
        let line = |at_ms| JournalLine { at_ms, what: "tick".to_owned(), body: "{}".to_owned() };
        let mut commit = |lines: std::ops::Range<i64>| {
            store.commit(&Batch { journal: lines.map(line).collect(), ..Batch::default() }).unwrap();
        };
        commit(0..5_000);
        let mut check = |before_ms, has_more, left| {
            assert_eq!(store.forget(before_ms).unwrap(), has_more);
            assert_eq!(store.journal(0).unwrap().len(), left);
        };
        check(0, false, 5_000);
        check(4_990, true, 3_000);
        check(4_990, true, 1_000);
        check(4_990, false, 10);
        check(10_000, false, 0);
        check(10_000, false, 0);
    }
}
