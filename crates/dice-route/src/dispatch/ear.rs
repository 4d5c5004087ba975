//! Whether what people press at an account reaches Dice.

use std::collections::BTreeMap;

use super::gate::TOLD_AFTER_MS;

/// How the connection stands over which an account tells what people press.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hearing {
    /// It is there.
    Open,
    /// It is not, and why; it is tried again.
    Down(String),
    /// The other side does not accept who Dice says it is, and why: it is not there until somebody acts.
    Refused(String),
}

/// The accounts that are listened to.
#[derive(Debug, Clone, Default)]
pub(super) struct Ears {
    of: BTreeMap<String, Ear>,
}

#[derive(Debug, Clone, Default)]
struct Ear {
    /// Since when nothing is heard, by what has certainly passed.
    deaf_since_ms: Option<i64>,
    is_refused: bool,
    /// It was told, and is until something is heard.
    is_told: bool,
    why: String,
}

impl Ears {
    /// These accounts are listened to from now on, and no others.
    pub(super) fn listen(&mut self, accounts: impl IntoIterator<Item = String>) {
        let mut before = std::mem::take(&mut self.of);
        self.of = accounts
            .into_iter()
            .map(|name| {
                let ear = before.remove(&name).unwrap_or_default();
                (name, ear)
            })
            .collect();
    }

    /// Takes how the connection of an account stands.
    pub(super) fn hear(&mut self, account: &str, hearing: &Hearing, now_ms: i64) {
        let Some(ear) = self.of.get_mut(account) else { return };
        let (why, is_refused) = match hearing {
            Hearing::Open => {
                *ear = Ear::default();
                return;
            }
            Hearing::Down(why) => (why, false),
            Hearing::Refused(why) => (why, true),
        };
        ear.deaf_since_ms.get_or_insert(now_ms);
        ear.is_refused = is_refused;
        ear.why.clone_from(why);
    }

    /// Nothing was heard when the process ended, and it was told.
    pub(super) fn was_deaf(&mut self, account: &str, why: &str, now_ms: i64) {
        let ear = Ear { deaf_since_ms: Some(now_ms), is_refused: false, is_told: true, why: why.to_owned() };
        self.of.insert(account.to_owned(), ear);
    }

    /// When the next one is to be told, by what has certainly passed.
    pub(super) fn next_ms(&self) -> Option<i64> {
        let untold = self.of.values().filter(|ear| !ear.is_told);
        untold.filter_map(|ear| Some(ear.deaf_since_ms? + TOLD_AFTER_MS)).min()
    }

    /// Accounts of which nothing is heard, and why, where that is to be told.
    pub(super) fn deaf(&mut self, now_ms: i64) -> impl Iterator<Item = (&str, &str)> {
        self.of.iter_mut().filter_map(move |(account, ear)| {
            let is_long = ear.deaf_since_ms.is_some_and(|since_ms| now_ms - since_ms >= TOLD_AFTER_MS);
            ear.is_told |= ear.is_refused || is_long;
            ear.is_told.then_some((account.as_str(), ear.why.as_str()))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Hearing;
    use crate::outbox::Outbox;
    use crate::{Config, Dispatcher};

    /// Reads a timetable: what happens at each second, and what is told to be wrong then behind `->`.
    #[track_caller]
    fn check(resumed: &[&str], timetable: &[&str]) {
        let mut dispatcher = Dispatcher::new(Arc::new(Config::default()));
        dispatcher.resume(resumed.iter().map(|cause| ((*cause).to_owned(), "no".to_owned())));
        dispatcher.listen(["slack".to_owned()]);
        let (mut told, mut second) = (String::new(), 0);
        for line in timetable {
            let (line, expected) = line.split_once("->").unwrap_or((line, ""));
            let words: Vec<&str> = line.split_whitespace().collect();
            let until: i64 = words[0].parse().unwrap();
            while second < until {
                second += 1;
                dispatcher.begin(&Outbox::default(), second * 1_000);
                if let Some(troubles) = dispatcher.troubles() {
                    told = troubles.into_keys().collect::<Vec<_>>().join(" ");
                }
            }
            assert_eq!(told, expected.trim(), "{line}");
            let hearing = match words[1..] {
                ["open"] => Hearing::Open,
                ["down"] => Hearing::Down("it was cut".to_owned()),
                ["refused"] => Hearing::Refused("not_allowed_token_type".to_owned()),
                ["off"] => {
                    dispatcher.listen([]);
                    continue;
                }
                _ => continue,
            };
            dispatcher.hear("slack", &hearing, second * 1_000);
            dispatcher.hear("other", &hearing, second * 1_000);
        }
    }

    #[test]
    fn a_connection_that_stays_down_is_told_until_something_is_heard() {
        let deaf = "courier_deaf slack";
        check(&[], &["1 open", "9 down", "100 down", "128 open", "400"]);
        check(&[], &["9 down", "100 down", "128", &format!("130 open -> {deaf}"), "132"]);
        check(&[], &["9 refused", &format!("11 down -> {deaf}"), &format!("15 off -> {deaf}"), "17"]);
        check(&[deaf, "courier_deaf gone"], &[&format!("5 -> {deaf}"), &format!("9 open -> {deaf}"), "11"]);
    }
}
