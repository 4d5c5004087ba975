//! Sessions of browsers that were ended before their time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use anyhow::Result;
use dice_route::book::{Delta, Table};
use dice_serve::LogOut;
use dice_store::Store;
use serde::{Deserialize, Serialize};

use super::board::lock;

/// What rows of notes begin with whose rest is the name of a session.
const NOTE: &str = "service session ";
/// Sessions that are remembered; past it those go that end first by themselves.
const MAX_ENDED: usize = 4_096;

/// A session as its row has it.
#[derive(Debug, Serialize, Deserialize)]
struct Row {
    /// When it ends by itself, milliseconds since 1970.
    until_ms: i64,
}

/// Sessions that were ended, as the state keeps them: their cookies open nothing any more.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    ended: Mutex<Ended>,
}

#[derive(Debug, Default)]
struct Ended {
    names: BTreeMap<String, i64>,
    /// The same by when they end by themselves.
    ends: BTreeSet<(i64, String)>,
}

impl Ended {
    fn add(&mut self, name: String, until_ms: i64) {
        if let Some(before_ms) = self.names.insert(name.clone(), until_ms) {
            self.ends.remove(&(before_ms, name.clone()));
        }
        self.ends.insert((until_ms, name));
    }
}

impl Sessions {
    /// What is in `store`.
    pub(crate) fn of(store: &Store) -> Result<Sessions> {
        let mut ended = Ended::default();
        store.entries(Table::Notes, |note| {
            let Some(name) = note.id.strip_prefix(NOTE) else { return };
            match serde_json::from_str::<Row>(&note.body) {
                Ok(row) => ended.add(name.to_owned(), row.until_ms),
                Err(error) => tracing::error!("a session that was ended, {}: {error}", note.id),
            }
        })?;
        Ok(Sessions { ended: Mutex::new(ended) })
    }

    /// Whether the session with that name was ended.
    pub(super) fn has(&self, name: &str) -> bool {
        lock(&self.ended).names.contains_key(name)
    }

    /// Ends a session; the rows that are to be written. Those that are over by themselves are forgotten.
    pub(super) fn end(&self, log_out: &LogOut, now_ms: i64) -> Vec<Delta> {
        let LogOut { session, until_ms, .. } = log_out;
        let mut ended = lock(&self.ended);
        ended.add(session.clone(), *until_ms);
        let body = serde_json::to_string(&Row { until_ms: *until_ms }).expect("a session is a number");
        let mut rows = vec![Delta::Put { table: Table::Notes, id: format!("{NOTE}{session}"), body }];
        while let Some((until_ms, name)) = ended.ends.first().cloned()
            && (until_ms <= now_ms || ended.ends.len() > MAX_ENDED)
        {
            ended.ends.pop_first();
            ended.names.remove(&name);
            rows.push(Delta::Delete { table: Table::Notes, id: format!("{NOTE}{name}") });
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use dice_serve::LogOut;
    use dice_store::{Batch, Store};

    use super::{MAX_ENDED, Sessions};

    #[test]
    fn what_has_ended_is_remembered_until_it_would_have() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("state.db"), 0).unwrap();
        let sessions = Sessions::default();
        let mut rows = Vec::new();
        let mut end = |n: i64, now_ms| {
            let log_out = LogOut { session: n.to_string(), actor: String::new(), until_ms: 1_000 + n };
            rows.extend(sessions.end(&log_out, now_ms));
            [0, 1, 2, 3].map(|n: i64| sessions.has(&n.to_string()))
        };
        assert_eq!(end(1, 0), [false, true, false, false]);
        assert_eq!(end(2, 1_000), [false, true, true, false]);
        assert_eq!(end(2, 1_000), [false, true, true, false]);
        assert_eq!(end(3, 1_001), [false, false, true, true]);
        let most = i64::try_from(MAX_ENDED).unwrap();
        for n in 4..most + 2 {
            end(n, 1_001);
        }
        assert_eq!(end(most + 2, 1_001), [false, false, false, true]);
        store.commit(&Batch { deltas: rows, ..Batch::default() }).unwrap();
        let restored = Sessions::of(&store).unwrap();
        for n in 0..most + 4 {
            assert_eq!(restored.has(&n.to_string()), (3..most + 3).contains(&n), "{n}");
        }
    }
}
