//! What stands in messages: whoever changes one changes what stands there now.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use super::Slack;
use super::client::{Failure, Reply};
use super::reference::Reference;

/// Of so many messages it is kept what stands in them.
const MAX_SHEETS: usize = 500;

/// What is known of what stands in a message.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) enum Sheet {
    /// This process has not written it.
    #[default]
    Unseen,
    /// It was written, and nothing tells whether Slack has done so.
    Unsure,
    /// This stands there: text and blocks.
    Written(Value),
}

/// The messages that were written last. One at a time writes a message.
#[derive(Debug, Default)]
pub(super) struct Sheets {
    of: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    sheets: BTreeMap<String, (u64, Arc<tokio::sync::Mutex<Sheet>>)>,
    /// How often a sheet was taken.
    taken: u64,
}

impl Sheets {
    /// What stands in a message, to be locked while the message is changed.
    pub(super) fn of(&self, message: &Reference) -> Arc<tokio::sync::Mutex<Sheet>> {
        let mut kept = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        kept.taken += 1;
        let taken = kept.taken;
        let (last, sheet) = kept.sheets.entry(message.to_string()).or_default();
        *last = taken;
        let sheet = Arc::clone(sheet);
        if kept.sheets.len() > MAX_SHEETS {
            let idle = kept.sheets.iter().filter(|(_, (_, sheet))| Arc::strong_count(sheet) == 1);
            let oldest = idle.min_by_key(|(_, (last, _))| *last).map(|(name, _)| name.clone());
            oldest.and_then(|name| kept.sheets.remove(&name));
        }
        sheet
    }
}

impl Sheet {
    /// What stands in a message that was written with this body.
    pub(super) fn written(body: &Value) -> Sheet {
        Sheet::Written(json!({"text": body["text"], "blocks": body["blocks"]}))
    }
}

impl Slack {
    /// Changes what stands in the message of `sheet`, which the caller has locked.
    pub(super) async fn rewrite(&self, sheet: &mut Sheet, body: &Value) -> Result<Reply, Failure> {
        // Should this be cut off, nobody knows what stands there.
        let before = std::mem::replace(sheet, Sheet::Unsure);
        let ended = self.write("chat.update", body).await;
        *sheet = match &ended {
            Ok(_) => Sheet::written(body),
            Err(failure) if failure.is_unsure() => Sheet::Unsure,
            Err(_) => before,
        };
        ended
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_SHEETS, Reference, Sheet, Sheets};

    #[test]
    fn of_the_messages_that_were_written_last_it_is_known_what_stands_in_them() {
        let sheets = Sheets::default();
        let message = |n: usize| Reference { channel: "C1".to_owned(), ts: format!("{n}.0") };
        let is_known = |n| *sheets.of(&message(n)).blocking_lock() != Sheet::Unseen;
        let held = sheets.of(&message(0));
        for n in 0..MAX_SHEETS + 10 {
            *sheets.of(&message(n)).blocking_lock() = Sheet::Unsure;
        }
        assert!(is_known(0) && !is_known(1) && is_known(MAX_SHEETS + 9), "{held:?}");
        assert_eq!(sheets.of.lock().expect("nobody holds it").sheets.len(), MAX_SHEETS);
    }
}
