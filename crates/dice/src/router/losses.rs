//! What was gone before it could be read.

use std::collections::BTreeMap;

use dice_route::book::{Delta, Table};
use serde::{Deserialize, Serialize};

/// What rows of notes begin with whose rest is the name of a source.
const NOTE: &str = "service lost ";

/// Messages that were gone before they could be read, by source, since the state began.
#[derive(Debug, Clone, Default)]
pub(crate) struct Losses {
    known: BTreeMap<String, Loss>,
}

/// What one source lost, as its row has it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Loss {
    source: String,
    cause: String,
    messages: u64,
}

impl Losses {
    /// Puts in a row of notes as it was written; others are left alone.
    pub(crate) fn restore(&mut self, id: &str, body: &str) {
        if !id.starts_with(NOTE) {
            return;
        }
        match serde_json::from_str::<Loss>(body) {
            Ok(loss) => drop(self.known.insert(loss.source.clone(), loss)),
            Err(error) => tracing::error!("wanted what a source lost, found {id}: {error}"),
        }
    }

    /// Counts datagrams of `source` that the system dropped, and gives the row to be written.
    pub(crate) fn dropped(&mut self, source: &str, messages: u64, kept_bytes: u64) -> Delta {
        let loss = self.known.entry(source.to_owned()).or_insert_with(|| Loss {
            source: source.to_owned(),
            cause: "datagrams came faster than they were read".to_owned(),
            messages: 0,
        });
        let before = loss.messages;
        loss.messages += messages;
        // Where it goes on and on it is said ever more seldom.
        if before == 0 || before.ilog2() < loss.messages.ilog2() {
            tracing::warn!(
                source,
                lost = loss.messages,
                "datagrams came faster than they were read and were dropped; {kept_bytes} bytes of them wait \
                 at most: raise net.core.rmem_max, or have them sent over tcp"
            );
        }
        let body = serde_json::to_string(loss).expect("a loss is a number and words");
        Delta::Put { table: Table::Notes, id: format!("{NOTE}{source}"), body }
    }
}

#[cfg(test)]
mod tests {
    use dice_route::book::Delta;

    use super::Losses;

    #[test]
    fn a_count_goes_on_after_a_restart() {
        let mut losses = Losses::default();
        let mut body = String::new();
        for (messages, total) in [(3, 3), (4, 7)] {
            let row = losses.dropped("net", messages, 1);
            assert!(
                matches!(&row, Delta::Put { body, .. } if body.contains(&format!("\"messages\":{total}")))
            );
            let Delta::Put { id, body: written, .. } = row else { panic!("{row:?}") };
            losses = Losses::default();
            losses.restore(&id, &written);
            losses.restore("service config", "{}");
            body = written;
        }
        assert!(body.contains("faster than they were read"), "{body}");
    }
}
