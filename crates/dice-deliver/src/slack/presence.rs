//! Whether people are there: whom to ask about when, and what Slack says.

use std::collections::{BTreeMap, VecDeque};

use dice_route::Presence;
use serde_json::Value;

use super::Slack;

/// Calls of `users.getPresence` in a minute; Slack allows 50.
const MAX_CALLS: usize = 40;

/// A round has one call of `dnd.teamInfo`, of which Slack allows 20 in a minute.
const ROUND_MS: i64 = 4_000;

/// People of one call of `dnd.teamInfo`.
const MAX_DND: usize = 50;

/// A person is asked about again after this long, and then less and less often.
const FIRST_MS: i64 = 60_000;

/// But at least this often.
const LAST_MS: i64 = 300_000;

/// Where somebody lives, and whether they have left, is asked this often.
const INFO_MS: i64 = 3_600_000;

/// Whom nobody asks for any more is forgotten.
const FORGET_MS: i64 = 2 * INFO_MS;

/// People who are kept.
const MAX_PEOPLE: usize = 20_000;

/// Whom to ask about when, within what Slack allows. Pure: it is told the time and asks nobody.
#[derive(Debug, Clone, Default)]
pub struct Rota {
    people: BTreeMap<String, Turn>,
    /// When calls were made in the last minute.
    calls: VecDeque<i64>,
    round_ms: Option<i64>,
}

#[derive(Debug, Clone, Default)]
struct Turn {
    asked_ms: Option<i64>,
    wait_ms: i64,
    info_ms: Option<i64>,
    wanted_ms: i64,
    zone: Option<String>,
    is_gone: bool,
}

/// What to ask now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// About whose presence and rest.
    pub people: Vec<String>,
    /// Of these, about whose zone too.
    pub info: Vec<String>,
    /// When there is something to ask next, milliseconds since 1970.
    pub next_ms: i64,
}

impl Rota {
    /// What to ask now, of those whom somebody waits for; whoever makes a plan carries it out.
    pub fn plan(&mut self, wanted: &[String], now_ms: i64) -> Plan {
        self.people.retain(|_, turn| turn.wanted_ms.saturating_add(FORGET_MS) > now_ms);
        for person in wanted.iter().take(MAX_PEOPLE) {
            if self.people.len() < MAX_PEOPLE || self.people.contains_key(person) {
                self.people.entry(person.clone()).or_default().wanted_ms = now_ms;
            }
        }
        while self.calls.front().is_some_and(|at_ms| at_ms.saturating_add(60_000) <= now_ms) {
            self.calls.pop_front();
        }
        let mut plan = Plan::default();
        let next_round_ms = self.round_ms.map_or(i64::MIN, |at_ms| at_ms.saturating_add(ROUND_MS));
        let mut due: Vec<(i64, &String)> = self
            .people
            .iter()
            .filter(|(_, turn)| turn.wanted_ms == now_ms)
            .map(|(person, turn)| (turn.due_ms(), person))
            .collect();
        due.sort();
        let room = (MAX_CALLS - self.calls.len().min(MAX_CALLS)).min(MAX_DND);
        if now_ms >= next_round_ms {
            let now = due.iter().take_while(|(due_ms, _)| *due_ms <= now_ms).take(room);
            plan.people = now.map(|(_, person)| (*person).clone()).collect();
        }
        let rest_ms = due.get(plan.people.len()).map(|(due_ms, _)| *due_ms);
        let rest_ms = rest_ms.unwrap_or(i64::MAX);
        for person in &plan.people {
            let Some(turn) = self.people.get_mut(person) else { continue };
            let grown_ms = if turn.asked_ms.is_none() { FIRST_MS } else { turn.wait_ms * 3 / 2 };
            turn.wait_ms = grown_ms.clamp(FIRST_MS, LAST_MS) + spread_ms(person);
            turn.asked_ms = Some(now_ms);
            self.calls.push_back(now_ms);
            if turn.info_ms.is_none_or(|at_ms| at_ms.saturating_add(INFO_MS) <= now_ms) {
                turn.info_ms = Some(now_ms);
                plan.info.push(person.clone());
            }
        }
        if !plan.people.is_empty() {
            self.round_ms = Some(now_ms);
        }
        let asked = plan.people.iter().filter_map(|person| self.people.get(person)).map(Turn::due_ms);
        let next_ms = asked.min().unwrap_or(i64::MAX).min(rest_ms);
        let round_ms = self.round_ms.map_or(now_ms, |at_ms| at_ms.saturating_add(ROUND_MS));
        // Where a minute's calls are spent, the first of them is a minute old only then.
        let spent = self.calls.len() >= MAX_CALLS;
        let room_ms =
            self.calls.front().filter(|_| spent).map_or(now_ms, |at_ms| at_ms.saturating_add(60_000));
        plan.next_ms = next_ms.max(round_ms).max(room_ms).max(now_ms.saturating_add(1));
        plan
    }
}

impl Turn {
    fn due_ms(&self) -> i64 {
        self.asked_ms.map_or(i64::MIN, |at_ms| at_ms.saturating_add(self.wait_ms))
    }
}

/// So that not all are asked about at the same second, up to ten seconds by name.
fn spread_ms(person: &str) -> i64 {
    person.bytes().fold(7_i64, |sum, byte| (sum * 31 + i64::from(byte)) % 10_007) % 10_000
}

impl Slack {
    /// Asks about those whose turn it is; gives what is known of them, and when to come again.
    ///
    /// Who cannot be found out about is told as that: whoever waits for them then knows to wait no longer than
    /// the grace.
    pub async fn presence(&self, rota: &mut Rota, wanted: &[String], now_ms: i64) -> (Vec<Presence>, i64) {
        let plan = rota.plan(wanted, now_ms);
        let mut ids: BTreeMap<&str, String> = BTreeMap::new();
        for person in &plan.people {
            if let Ok(id) = self.person(person, now_ms).await {
                ids.insert(person, id);
            }
        }
        let dnd = self.rest(ids.values().map(String::as_str), now_ms).await;
        let mut news = Vec::new();
        for person in &plan.people {
            let mut is_online = None;
            let mut dnd_until_ms = None;
            if let Some(id) = ids.get(person.as_str()) {
                let reply = self.read("users.getPresence", &[("user", id)]).await;
                // Where somebody's rest is not known, neither is whether they may be disturbed.
                is_online =
                    reply.ok().filter(|_| dnd.is_some()).and_then(|reply| match reply.text("/presence") {
                        "active" => Some(true),
                        "away" => Some(false),
                        _ => None,
                    });
                dnd_until_ms = dnd.as_ref().and_then(|dnd| dnd.get(id).copied());
                if plan.info.contains(person) {
                    self.learn(rota, person, id).await;
                }
            }
            let turn = rota.people.get(person).cloned().unwrap_or_default();
            news.push(Presence {
                person: person.clone(),
                at_ms: now_ms,
                is_online: is_online.filter(|_| !turn.is_gone),
                dnd_until_ms,
                zone: turn.zone,
                is_gone: turn.is_gone,
            });
        }
        (news, plan.next_ms)
    }

    /// Until when people do not want to be disturbed who do not now, by id; `None` when that is not known.
    async fn rest<'i>(
        &self,
        ids: impl Iterator<Item = &'i str>,
        now_ms: i64,
    ) -> Option<BTreeMap<String, i64>> {
        let ids: Vec<&str> = ids.collect();
        if ids.is_empty() {
            return Some(BTreeMap::new());
        }
        let reply = self.read("dnd.teamInfo", &[("users", &ids.join(","))]).await.ok()?;
        let users = reply.value["users"].as_object()?;
        let until = |dnd: &Value| {
            let ms = |name: &str| dnd[name].as_i64().map(|at_s| at_s.saturating_mul(1000));
            let (from_ms, to_ms) = (ms("next_dnd_start_ts")?, ms("next_dnd_end_ts")?);
            (dnd["dnd_enabled"] == true && from_ms <= now_ms && now_ms < to_ms).then_some(to_ms)
        };
        Some(users.iter().filter_map(|(id, dnd)| Some((id.clone(), until(dnd)?))).collect())
    }

    /// Learns where somebody lives and whether they have left.
    async fn learn(&self, rota: &mut Rota, person: &str, id: &str) {
        let Ok(reply) = self.read("users.info", &[("user", id)]).await else { return };
        let Some(turn) = rota.people.get_mut(person) else { return };
        turn.is_gone = reply.value["user"]["deleted"] == true;
        let zone = reply.text("/user/tz");
        if !zone.is_empty() && zone.len() <= 64 {
            turn.zone = Some(zone.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Rota;

    fn people(n: usize) -> Vec<String> {
        (0..n).map(|n| format!("dev{n}@corp.example")).collect()
    }

    #[test]
    fn somebody_is_asked_about_less_and_less_often() {
        let (mut rota, wanted) = (Rota::default(), people(1));
        let (mut now_ms, mut rounds) = (1_000_000, Vec::new());
        while rounds.len() < 8 {
            let plan = rota.plan(&wanted, now_ms);
            if !plan.people.is_empty() {
                rounds.push(now_ms);
            }
            assert!(plan.next_ms > now_ms);
            now_ms = plan.next_ms;
        }
        let waits: Vec<i64> = rounds.windows(2).map(|pair| (pair[1] - pair[0]) / 1000).collect();
        assert!((60..=70).contains(&waits[0]) && (300..=310).contains(&waits[6]), "{waits:?}");
        assert!(waits.is_sorted(), "{waits:?}");
    }

    #[test]
    fn however_many_are_waited_for_slacks_tiers_are_kept() {
        let (mut rota, wanted) = (Rota::default(), people(500));
        let mut calls: Vec<i64> = Vec::new();
        let mut rounds = Vec::new();
        for now_ms in (0..1_800_000).step_by(500) {
            let plan = rota.plan(&wanted, now_ms);
            assert!(plan.people.len() <= 50);
            if !plan.people.is_empty() {
                rounds.push(now_ms);
            }
            calls.extend(plan.people.iter().map(|_| now_ms));
        }
        for from_ms in (0..1_740_000).step_by(1000) {
            let within =
                |times: &[i64]| times.iter().filter(|at| (from_ms..from_ms + 60_000).contains(*at)).count();
            assert!(within(&calls) <= 40 && within(&rounds) <= 15, "{from_ms}");
        }
        // Everybody's turn comes.
        assert!(rota.people.values().all(|turn| turn.asked_ms.is_some()));
    }

    #[test]
    fn whom_nobody_waits_for_is_not_asked_about() {
        let mut rota = Rota::default();
        assert_eq!(rota.plan(&people(3), 0).people.len(), 3);
        assert!(rota.plan(&[], 500_000).people.is_empty());
        assert_eq!(rota.plan(&people(1), 500_001).info.len(), 0);
        assert!(rota.plan(&[], 9_000_000).people.is_empty() && rota.people.is_empty());
    }
}
