//! Whether a digest whose slot has come is told now, and what it waits for otherwise.

use super::edition::Edition;
use super::news::PersonNews;
use super::reader::Reader;
use crate::calendar::{Rest, Slot, Zone};
use crate::config::DigestPolicy;

/// Somebody who was seen this long ago may have left their desk: nothing is known any more.
const FRESH_MS: i64 = 10 * 60_000;

/// What waits for nobody is told outside of working hours only this soon after its slot.
const PUNCTUAL_MS: i64 = 3_600_000;

/// What is done about a digest whose slot has come.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Hold {
    /// It is told; why, where that needs saying.
    Tell(Option<String>),
    /// It is told though its reader is not there: it has waited for as long as it may.
    Exceeded(String),
    /// It waits, and for what.
    Wait(String),
}

/// Decides at `now_ms` about a digest whose slot has come.
pub(super) fn hold(
    edition: &Edition,
    reader: &Reader,
    policy: &DigestPolicy,
    news: Option<&PersonNews>,
    now_ms: i64,
) -> Hold {
    let (zone, calendar) = (&reader.zone, &reader.calendar);
    let today = zone.date(now_ms);
    if let Some(rest) = calendar.rest(today) {
        return Hold::Wait(match rest {
            Rest::Weekend => "not a working day".to_owned(),
            Rest::Holiday("") => "a holiday".to_owned(),
            Rest::Holiday(name) => format!("a holiday: {name}"),
            Rest::DayOff => "a day off".to_owned(),
        });
    }
    let is_open = calendar.is_open(now_ms, zone);
    if !reader.waits {
        // The slot was chosen by people: it may lie outside of their hours.
        let is_punctual = now_ms.saturating_sub(edition.at_ms) <= PUNCTUAL_MS;
        return if is_open || is_punctual {
            Hold::Tell(None)
        } else {
            Hold::Wait("outside of working hours".to_owned())
        };
    }
    if !is_open {
        return Hold::Wait("outside of working hours".to_owned());
    }
    let presence = present(edition, reader, policy, news, now_ms);
    match presence {
        Hold::Wait(why) => match latest(edition, reader, policy) {
            Some(latest) if latest.at_ms <= now_ms => Hold::Exceeded(format!("hold exceeded: {why}")),
            _ => Hold::Wait(why),
        },
        tell => tell,
    }
}

/// The slot at which a held digest is told in any case.
pub(super) fn latest(edition: &Edition, reader: &Reader, policy: &DigestPolicy) -> Option<Slot> {
    let days = usize::try_from(policy.max_hold_days).unwrap_or(usize::MAX);
    reader.calendar.slot_after(edition.slot(), days, reader.at, &reader.zone)
}

/// Whether the reader is there.
fn present(
    edition: &Edition,
    reader: &Reader,
    policy: &DigestPolicy,
    news: Option<&PersonNews>,
    now_ms: i64,
) -> Hold {
    if let Some(until_ms) = news.and_then(|news| news.dnd_until_ms).filter(|until_ms| *until_ms > now_ms) {
        return Hold::Wait(format!("do not disturb until {}", moment(until_ms, &reader.zone)));
    }
    let known = news.and_then(|news| news.online);
    match known.filter(|(_, at_ms)| now_ms.saturating_sub(*at_ms) <= FRESH_MS) {
        Some((true, _)) => Hold::Tell(None),
        Some((false, _)) => Hold::Wait("away".to_owned()),
        None => {
            let unknown_ms = known.map_or(edition.at_ms, |(_, at_ms)| at_ms.max(edition.at_ms));
            let grace_ms = unknown_ms.saturating_add(policy.unknown_grace_ms);
            if now_ms >= grace_ms {
                Hold::Tell(Some("whether you are there is not known".to_owned()))
            } else {
                let until = moment(grace_ms, &reader.zone);
                Hold::Wait(format!("presence is not known, told from {until} on"))
            }
        }
    }
}

/// A moment as the reader's clock shows it: `Mon 2026-11-23 10:00`.
pub(super) fn moment(at_ms: i64, zone: &Zone) -> String {
    zone.local(at_ms).strftime("%a %Y-%m-%d %H:%M").to_string()
}
