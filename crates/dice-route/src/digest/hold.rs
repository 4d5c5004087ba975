//! Whether a digest whose slot has come is told now, and what it waits for otherwise.

use super::edition::Edition;
use super::news::PersonNews;
use super::reader::Reader;
use crate::calendar::{Rest, Slot, Zone};
use crate::config::DigestPolicy;

/// Somebody who was seen this long ago may have left their desk: nothing is known any more.
const FRESH_MS: i64 = 10 * 60_000;

/// Waits shorter than this are not worth a word to the reader.
const WORD_MS: i64 = 15 * 60_000;

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

/// When time alone can next change what [`hold`] says; news and settings change it at any time.
pub(super) fn next_look(
    edition: &Edition,
    reader: &Reader,
    policy: &DigestPolicy,
    news: Option<&PersonNews>,
    now_ms: i64,
) -> i64 {
    let (zone, hours) = (&reader.zone, reader.calendar.hours);
    let today = zone.date(now_ms);
    let known = news.and_then(|news| news.online);
    let moments = [
        today.tomorrow().ok().map(|tomorrow| zone.day_start(tomorrow)),
        Some(zone.instant(today.to_datetime(hours.from()))),
        Some(zone.instant(today.to_datetime(hours.to()))),
        edition.at_ms.checked_add(PUNCTUAL_MS + 1),
        news.and_then(|news| news.dnd_until_ms),
        known.and_then(|(_, at_ms)| at_ms.checked_add(FRESH_MS + 1)),
        Some(grace_ms(edition, reader, policy, news, now_ms)),
        latest(edition, reader, policy).map(|slot| slot.at_ms),
    ];
    moments.into_iter().flatten().filter(|at_ms| *at_ms > now_ms).min().unwrap_or(i64::MAX)
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

/// What the reader is told of why their digest comes now, where they were waited for.
pub(super) fn waited(edition: &Edition, now_ms: i64) -> Option<String> {
    let why = edition.why.as_ref().filter(|_| now_ms.saturating_sub(edition.at_ms) >= WORD_MS)?;
    Some(format!("held, {why}"))
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
            let grace_ms = grace_ms(edition, reader, policy, news, now_ms);
            if now_ms >= grace_ms {
                Hold::Tell(Some("whether you are there is not known".to_owned()))
            } else {
                let until = moment(grace_ms, &reader.zone);
                Hold::Wait(format!("presence is not known, told from {until} on"))
            }
        }
    }
}

/// Until when a digest waits for its reader's presence to become known.
///
/// Nobody is asked for outside of working hours, so the time runs from the first of them after the slot; where
/// something was known since, from then or from the beginning of today's.
fn grace_ms(
    edition: &Edition,
    reader: &Reader,
    policy: &DigestPolicy,
    news: Option<&PersonNews>,
    now_ms: i64,
) -> i64 {
    let next_open = |at_ms: i64| reader.calendar.next_open(at_ms, &reader.zone).unwrap_or(at_ms);
    let known =
        news.and_then(|news| news.online).map(|(_, at_ms)| at_ms).filter(|at_ms| *at_ms >= edition.at_ms);
    let unknown_ms = match known {
        None => next_open(edition.at_ms),
        Some(known_ms) => known_ms.max(next_open(reader.zone.day_start(reader.zone.date(now_ms)))),
    };
    unknown_ms.saturating_add(policy.unknown_grace_ms)
}

/// A moment as the reader's clock shows it: `Mon 2026-11-23 10:00`.
pub(super) fn moment(at_ms: i64, zone: &Zone) -> String {
    zone.local(at_ms).strftime("%a %Y-%m-%d %H:%M").to_string()
}
