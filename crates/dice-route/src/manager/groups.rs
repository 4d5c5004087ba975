//! Groups of episodes: when they are told, and when they are told again.

use std::collections::BTreeSet;

use dice_catalog::Owner;
use serde::{Deserialize, Serialize};

use super::correlation::Tie;
use super::group::{Group, Member, Moment, Reason, Told};
use super::screen::{Hidden, Screen};
use super::storm::Storm;
use super::{Desk, Episode, Episodes, Roster, Routes, episodes, immediate, routes, wording};
use crate::book::{Book, Delta, Row, Table};
use crate::config::Route;
use crate::outbox::Draft;
use crate::{Cause, CloseReason, Destination, Lane, Notice, NoticeKind, NoticeRow, Severity};

/// Rows of a notice.
const MAX_ROWS: usize = 20;

/// Groups that are kept; past it new episodes join the group of their route that is closest to them.
const MAX_GROUPS: usize = 50_000;

/// The id of the row that remembers how many groups there were.
pub(super) const NOTE: &str = "manager/groups";

#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Counter {
    #[serde(skip)]
    id: String,
    next: u64,
}

impl Row for Counter {
    const TABLE: Table = Table::Notes;

    fn id(&self) -> &str {
        NOTE
    }
}

/// Groups of episodes, each at one destination.
#[derive(Debug, Clone, Default)]
pub struct Groups {
    book: Book<Group>,
    counter: Book<Counter>,
    /// When each has to be looked at.
    wakes: BTreeSet<(i64, String)>,
    /// Those that are held or have a hidden episode.
    veiled: BTreeSet<String>,
}

/// What a group needs beside the desk when it is looked at.
#[derive(Debug)]
pub struct Around<'a> {
    /// The episodes.
    pub episodes: &'a Episodes,
    /// The routes.
    pub routes: &'a Routes,
    /// What is hidden.
    pub screen: Screen<'a>,
    /// The guards.
    pub storm: &'a mut Storm,
}

/// A place where an episode is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Where.
    pub destination: Destination,
    /// Why there.
    pub because: String,
}

/// The places of a route for something with these owners, without repeats.
///
/// `owner` stands for the owners, as does no place at all. Empty when nobody owns it.
pub fn places(route: &Route, owners: &[Owner]) -> Vec<Place> {
    let mut places: Vec<Place> = Vec::new();
    let mut add = |destination: Destination, because: String| {
        if !places.iter().any(|place| place.destination == destination) {
            places.push(Place { destination, because });
        }
    };
    let by_owner = ["owner".to_owned()];
    let names = if route.to.is_empty() { &by_owner[..] } else { &route.to };
    for name in names {
        if name == "owner" {
            for owner in owners {
                add(Destination::named(&owner.name), episodes::because(owner));
            }
        } else {
            add(Destination::named(name), format!("route {}", route.id));
        }
    }
    places
}

impl Groups {
    /// The row of a group at a destination.
    pub fn get(&self, row: &str) -> Option<&Group> {
        self.book.get(row)
    }

    /// Every row, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Group> {
        self.book.iter()
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.book.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.book.is_empty()
    }

    /// Changes a row and keeps what is found by it.
    fn edit<T>(&mut self, row: &str, change: impl FnOnce(&mut Group) -> T) -> Option<T> {
        let group = self.book.get_mut(row)?;
        self.wakes.remove(&(group.wake_ms(), row.to_owned()));
        let result = change(group);
        self.index(row);
        Some(result)
    }

    fn index(&mut self, row: &str) {
        let Some(group) = self.book.get(row) else { return };
        self.wakes.insert((group.wake_ms(), row.to_owned()));
        if group.held.is_some() || group.members.values().any(|member| member.hidden.is_some()) {
            self.veiled.insert(row.to_owned());
        } else {
            self.veiled.remove(row);
        }
    }

    fn remove(&mut self, row: &str) {
        if let Some(group) = self.book.remove(row) {
            self.wakes.remove(&(group.wake_ms(), row.to_owned()));
            self.veiled.remove(row);
        }
    }

    /// Puts an episode into the group of a route at a place. Gives the row.
    pub fn join(
        &mut self,
        episode: &Episode,
        route: &Route,
        mut place: Place,
        roster: &Roster,
        desk: &mut Desk<'_>,
    ) -> String {
        let lane = routes::lane(route, episode.severity);
        let timers = routes::timers(Some(route), lane, desk.config);
        let mut labels: Vec<(String, String)> = if route.group_by.iter().any(|name| name == "...") {
            episode.labels.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
        } else {
            let value = |name: &String| (name.clone(), episode.labels.get(name).cloned().unwrap_or_default());
            route.group_by.iter().map(value).collect()
        };
        let mut id = group_id(&route.id, lane, &labels);
        // Whoever is told already by another of their names is told by that one.
        let aliases = roster.aliases(&place.destination);
        let known = aliases.into_iter().find(|alias| self.book.get(&row_id(&id, alias)).is_some());
        place.destination = known.unwrap_or(place.destination);
        let mut row = row_id(&id, &place.destination);
        if self.book.get(&row).is_none() && self.book.len() >= MAX_GROUPS {
            labels.clear();
            id = group_id(&route.id, lane, &labels);
            row = row_id(&id, &place.destination);
            let text = "there are too many groups: told together with others of its route";
            desk.records.note(desk.now_ms, Cause::Coalesced, &episode.id, &route.id, text);
        }
        // An alert that is older than the wait has waited already.
        let is_old = desk.now_ms.saturating_sub(episode.began_ms) >= timers.group_wait_ms;
        let first_due_ms = if is_old { desk.now_ms } else { desk.now_ms + timers.group_wait_ms };
        let member = Member { told: Told::Nothing, hidden: None };
        if self.book.get(&row).is_none() {
            let number = self.next_number();
            self.book.put(Group {
                id: row.clone(),
                name: id,
                number,
                route: route.id.clone(),
                labels,
                destination: place.destination,
                because: place.because,
                lane,
                members: [(episode.id.clone(), member)].into(),
                due_ms: first_due_ms,
                repeat_ms: None,
                notified_ms: None,
                first: None,
                revision: 0,
                held: None,
                past: Vec::new(),
            });
            self.index(&row);
        } else {
            self.edit(&row, |group| {
                if group.members.is_empty() && group.notified_ms.is_none() {
                    group.due_ms = first_due_ms;
                }
                group.members.entry(episode.id.clone()).or_insert(member);
            });
        }
        row
    }

    /// Tells an episode together with `root` where both would be told at the same place, and it has not been
    /// told yet. Gives its rows.
    pub fn move_to(&mut self, root: &Episode, episode: &Episode) -> Vec<String> {
        let mut rows = Vec::new();
        for row in &episode.groups {
            let goal = self.book.get(row).and_then(|group| self.goal(group, root, &episode.id));
            let Some(goal) = goal else {
                rows.push(row.clone());
                continue;
            };
            let due_ms = self.edit(row, |group| {
                group.members.remove(&episode.id);
                group.due_ms
            });
            if self.book.get(row).is_some_and(|group| group.members.is_empty() && group.notified_ms.is_none())
            {
                self.remove(row);
            }
            self.edit(&goal, |group| {
                let member = Member { told: Told::Nothing, hidden: None };
                group.members.insert(episode.id.clone(), member);
                // Company must not make it late.
                group.due_ms = due_ms.map_or(group.due_ms, |due_ms| due_ms.min(group.due_ms));
            });
            rows.push(goal);
        }
        rows.dedup();
        rows
    }

    /// Tells an episode no longer in a row.
    pub fn leave(&mut self, row: &str, episode: &str) {
        self.edit(row, |group| group.members.remove(episode));
        if self.book.get(row).is_some_and(|group| group.members.is_empty() && group.notified_ms.is_none()) {
            self.remove(row);
        }
    }

    /// The row in which an episode of `group` can be told together with its root.
    fn goal(&self, group: &Group, root: &Episode, episode: &str) -> Option<String> {
        let is_untold = |member: &Member| member.told == Told::Nothing && member.hidden.is_none();
        if group.members.contains_key(&root.id) || !group.members.get(episode).is_some_and(is_untold) {
            return None;
        }
        let fits = |row: &&String| {
            self.book.get(row.as_str()).is_some_and(|other| {
                other.destination == group.destination
                    && other.lane <= group.lane
                    && other.members.get(&root.id).is_some_and(|member| member.hidden.is_none())
            })
        };
        root.groups.iter().find(fits).cloned()
    }

    fn next_number(&mut self) -> u64 {
        let number = self.counter.get(NOTE).map_or(0, |counter| counter.next);
        self.counter.put(Counter { id: NOTE.to_owned(), next: number + 1 });
        number
    }

    /// Looks at every group that is due, and at those from which something stopped being hidden.
    pub fn tick(&mut self, desk: &mut Desk<'_>, around: &mut Around<'_>) {
        let mut rows: BTreeSet<String> = self
            .wakes
            .iter()
            .take_while(|(at_ms, _)| *at_ms <= desk.now_ms)
            .map(|(_, row)| row.clone())
            .collect();
        for row in &self.veiled {
            if self.book.get(row).is_some_and(|group| is_unveiled(group, desk, around)) {
                rows.insert(row.clone());
            }
        }
        for row in rows {
            self.look(&row, desk, around);
        }
    }

    /// Looks at one group if it is due.
    pub fn look_if_due(&mut self, row: &str, desk: &mut Desk<'_>, around: &mut Around<'_>) {
        if self.book.get(row).is_some_and(|group| group.wake_ms() <= desk.now_ms) {
            self.look(row, desk, around);
        }
    }

    /// Tells a group what there is to tell, and sets its timers.
    fn look(&mut self, row: &str, desk: &mut Desk<'_>, around: &mut Around<'_>) {
        let Some(mut group) = self.book.get(row).cloned() else { return };
        let now_ms = desk.now_ms;
        let route = around.routes.get(&group.route).cloned();
        let timers = routes::timers(route.as_deref(), group.lane, desk.config);
        if let Some((until_ms, why)) =
            route.as_deref().and_then(|route| routes::held_until(route, desk.config, now_ms))
        {
            if group.held.as_ref().is_none_or(|(known_ms, _)| *known_ms <= now_ms) {
                desk.records.note(now_ms, Cause::Held, &group.subject(), &group.route, &why);
            }
            self.edit(row, |known| known.held = Some((until_ms.max(now_ms + 1), why)));
            return;
        }
        let was_held = group.held.take();
        let is_repeat_only = group.due_ms > now_ms;
        // What comes after everything was over is a story of its own.
        let goes_on = group.members.values().any(|member| member.told == Told::Open);
        let view = view(&mut group, desk, around);
        let tells_end = route.as_ref().is_none_or(|route| route.send_resolved);
        let reason = view.reason(&group, tells_end, now_ms);
        if !tells_end {
            // Their end is not told, and deliberately so.
            for id in &view.ended {
                if let Some(member) = group.members.get_mut(id)
                    && member.told == Told::Open
                {
                    member.told = Told::Everything;
                }
            }
        }
        if reason != Reason::None {
            let mut notice = notice(&group, &view, around.episodes);
            if let Some((_, why)) = was_held {
                notice.notes.push(format!("held until now: {why}"));
            }
            let kind = match reason {
                Reason::First => NoticeKind::Open,
                Reason::Repeat => NoticeKind::Reminder,
                Reason::AllResolved => NoticeKind::Resolved,
                _ if group.first.is_none() || !goes_on => NoticeKind::Open,
                _ if view.has_reappeared => NoticeKind::Summary,
                _ => NoticeKind::Update,
            };
            let draft = Draft {
                destination: group.destination.clone(),
                lane: group.lane,
                kind,
                subject: group.subject(),
                revision: group.revision,
                follows: if kind == NoticeKind::Open { None } else { group.first.clone() },
                due_ms: now_ms,
                held: None,
                notice,
            };
            let posted = around.storm.post(draft, desk);
            group.revision += 1;
            if kind == NoticeKind::Open || group.first.is_none() {
                group.first = posted;
            }
            group.notified_ms = Some(now_ms);
            for (ids, told) in [(&view.open, Told::Open), (&view.ended, Told::Everything)] {
                for id in ids {
                    if let Some(member) = group.members.get_mut(id) {
                        member.told = told;
                    }
                }
            }
            group.repeat_ms = timers.repeat_interval_ms.map(|repeat_ms| now_ms.saturating_add(repeat_ms));
        }
        group.remember(now_ms, reason);
        let had_members = !group.members.is_empty();
        group.members.retain(|_, member| member.told != Told::Everything);
        if !had_members && reason == Reason::None {
            self.remove(row);
            return;
        }
        if view.open.is_empty() {
            group.repeat_ms = None;
        } else if group.repeat_ms.is_some_and(|repeat_ms| repeat_ms <= now_ms) {
            group.repeat_ms = timers.repeat_interval_ms.map(|repeat_ms| now_ms.saturating_add(repeat_ms));
        }
        // A repetition is a timer of its own: it does not put off what else is due.
        if !is_repeat_only {
            group.due_ms = now_ms.saturating_add(timers.group_interval_ms.max(1));
        }
        self.edit(row, |known| *known = group);
    }

    /// When a group was looked at, when it will be, and why; every row of it. `id` names the group, a row of
    /// it, or what its notices are about.
    pub fn timeline(&self, id: &str, episodes: &Episodes) -> Vec<Moment> {
        let id = id.split_once('/').map_or(id, |(id, _)| id);
        let mut moments = Vec::new();
        for group in self.book.iter().filter(|group| group.name == id || group.id == id) {
            let at = group.destination.name();
            for (at_ms, reason) in &group.past {
                let text = format!("{at}: {}", reason.as_str());
                moments.push(Moment { at_ms: *at_ms, is_next: false, text });
            }
            let mut next = |at_ms: i64, text: String| {
                moments.push(Moment { at_ms, is_next: true, text: format!("{at}: {text}") });
            };
            if let Some((until_ms, why)) = &group.held {
                next(*until_ms, format!("held until then, {why}"));
                continue;
            }
            let is_open = |id: &String| episodes.get(id).is_some_and(Episode::is_open);
            let waits = |id: &String, member: &Member| match member.told {
                _ if member.hidden.is_some() => false,
                Told::Nothing => true,
                Told::Open => !is_open(id),
                Told::Everything => false,
            };
            let waiting = group.members.iter().filter(|(id, member)| waits(id, member)).count();
            let text = match (group.members.is_empty(), waiting) {
                (true, _) => "it is forgotten unless something joins it".to_owned(),
                (false, 0) => "none, unless something changes".to_owned(),
                (false, n) if group.notified_ms.is_none() => {
                    format!("first, with {}", wording::counted(n as u64, "episode", "episodes"))
                }
                (false, n) => format!("{} to tell", wording::counted(n as u64, "change", "changes")),
            };
            next(group.due_ms, text);
            if let Some(repeat_ms) = group.repeat_ms {
                next(repeat_ms, "repeat, if nothing changes".to_owned());
            }
        }
        moments.sort_by(|a, b| (a.at_ms, a.is_next, &a.text).cmp(&(b.at_ms, b.is_next, &b.text)));
        moments
    }

    /// Appends what has changed.
    pub fn deltas(&mut self, out: &mut Vec<Delta>) {
        self.book.deltas(out);
        self.counter.deltas(out);
    }

    /// Puts in a row as it was written.
    pub fn restore(&mut self, row: &str, body: &str) -> Result<(), String> {
        if row == NOTE {
            return self.counter.restore(row, body);
        }
        self.book.restore(row, body)?;
        self.index(row);
        Ok(())
    }
}

fn group_id(route: &str, lane: Lane, labels: &[(String, String)]) -> String {
    let mut parts: Vec<&[u8]> = vec![b"group", route.as_bytes(), lane.as_str().as_bytes()];
    for (name, value) in labels {
        parts.extend([name.as_bytes(), value.as_bytes()]);
    }
    crate::name(&parts).to_string()
}

fn row_id(group: &str, destination: &Destination) -> String {
    let destination = serde_json::to_string(destination).expect("names are JSON");
    crate::name(&[group.as_bytes(), destination.as_bytes()]).to_string()
}

/// Whether something that can still be told is no longer hidden, or is no longer held.
fn is_unveiled(group: &Group, desk: &Desk<'_>, around: &Around<'_>) -> bool {
    if group.held.is_some() {
        let route = around.routes.get(&group.route);
        return route.is_none_or(|route| routes::held_until(route, desk.config, desk.now_ms).is_none());
    }
    group.members.iter().any(|(id, member)| {
        let Some(hidden) = &member.hidden else { return false };
        let Some(episode) = around.episodes.get(id) else { return true };
        let subject = episode.subject(Some(&group.name));
        !around.screen.hides_still(hidden, &subject, &episode.labels, &group.destination)
    })
}

/// What is to be told of a group: its episodes that are not hidden.
#[derive(Debug, Default)]
struct View {
    open: Vec<String>,
    /// Ended since the last notice.
    ended: Vec<String>,
    has_new: bool,
    has_reappeared: bool,
    /// All episodes ended, the hidden ones too.
    is_all_over: bool,
    notes: Vec<String>,
}

impl View {
    fn reason(&self, group: &Group, tells_end: bool, now_ms: i64) -> Reason {
        let told = |id: &&String| group.members.get(*id).is_some_and(|member| member.told == Told::Open);
        if self.has_new {
            if group.notified_ms.is_none() { Reason::First } else { Reason::New }
        } else if tells_end && self.ended.iter().any(|id| told(&id)) {
            if self.is_all_over { Reason::AllResolved } else { Reason::Resolved }
        } else if !self.open.is_empty() && group.repeat_ms.is_some_and(|repeat_ms| repeat_ms <= now_ms) {
            Reason::Repeat
        } else {
            Reason::None
        }
    }
}

/// Sorts the episodes of a group into those that are told and those that are hidden, and writes down what
/// hides them.
fn view(group: &mut Group, desk: &mut Desk<'_>, around: &Around<'_>) -> View {
    let now_ms = desk.now_ms;
    let mut view = View { is_all_over: true, ..View::default() };
    let mut hidden_count = 0;
    let ids: Vec<String> = group.members.keys().cloned().collect();
    for id in ids {
        let Some(member) = group.members.get_mut(&id) else { continue };
        let Some(episode) = around.episodes.get(&id) else {
            member.told = Told::Everything;
            continue;
        };
        let subject = episode.subject(Some(&group.name));
        if let Some((cause, by)) = around.screen.hides(&subject, &episode.labels, &group.destination) {
            let text = format!("not told to {}", group.destination.name());
            desk.records.note(now_ms, cause, &id, &by, &text);
            let before = if member.told == Told::Nothing { 0 } else { episode.evidence.count };
            match &mut member.hidden {
                Some(hidden) => (hidden.cause, hidden.by) = (cause, by),
                None => {
                    let since_ms = since_ms(cause, &by, around).unwrap_or(now_ms).max(episode.opened_ms);
                    member.hidden = Some(Hidden { cause, by, since_ms, count: before });
                }
            }
            hidden_count += 1;
            view.is_all_over &= !episode.is_open();
            // It came and went without anybody hearing of it, which is what was wanted.
            if !episode.is_open() && member.told == Told::Nothing {
                member.told = Told::Everything;
            }
            continue;
        }
        if let Some(hidden) = member.hidden.take() {
            if let Some(summary) = immediate::told_by_snooze(&hidden, &group.destination, desk) {
                if member.told == Told::Nothing {
                    member.told = if episode.is_open() { Told::Open } else { Told::Everything };
                    group.first.get_or_insert(summary);
                }
            } else if episode.is_open() && is_dropped(&hidden, around) {
                if member.told == Told::Nothing {
                    member.told = Told::Everything;
                    let text = "still open at the end of the silence, which says not to tell it";
                    desk.records.note(now_ms, hidden.cause, &id, &hidden.by, text);
                    continue;
                }
            } else if episode.is_open() && hidden.cause != Cause::Snoozed {
                member.told = Told::Nothing;
                view.has_reappeared = true;
                let by = around.episodes.get(&hidden.by).map_or(&*hidden.by, |by| &by.title);
                let note = hidden.note(by, episode.evidence.count, now_ms);
                view.notes.push(format!("{}: {note}", episode.title));
            }
        }
        if episode.close == Some(CloseReason::Instant) && member.told == Told::Open {
            // Its opening said everything.
            member.told = Told::Everything;
        } else if episode.is_open() {
            view.is_all_over = false;
            view.has_new |= member.told == Told::Nothing;
            view.open.push(id);
        } else {
            // What came and went between two looks is news as well.
            view.has_new |= member.told == Told::Nothing;
            view.ended.push(id);
        }
    }
    if hidden_count > 0 {
        view.notes.push(format!("{} hidden", wording::counted(hidden_count, "episode is", "episodes are")));
    }
    view
}

/// Since when something hides, where that is known.
fn since_ms(cause: Cause, by: &str, around: &Around<'_>) -> Option<i64> {
    match cause {
        Cause::Silenced => around.screen.silences.get(by).map(|silence| silence.starts_ms),
        Cause::Inhibited => around.episodes.get(by).map(|source| source.opened_ms),
        _ => None,
    }
}

fn is_dropped(hidden: &Hidden, around: &Around<'_>) -> bool {
    hidden.cause == Cause::Silenced
        && around.screen.silences.get(&hidden.by).is_some_and(|silence| !silence.notify_on_expiry)
}

/// What a notice of the group says: all its episodes that are not hidden, at most twenty of them.
fn notice(group: &Group, view: &View, episodes: &Episodes) -> Notice {
    let mut members: Vec<&Episode> =
        view.open.iter().chain(&view.ended).filter_map(|id| episodes.get(id)).collect();
    // Roots before what they explain, open before ended, grave before mild, old before young.
    members.sort_by_key(|episode| {
        (
            !episode.is_open(),
            episode.root.is_some(),
            std::cmp::Reverse(episode.severity),
            episode.began_ms,
            episode.title.clone(),
            episode.id.clone(),
        )
    });
    let severity = members.iter().map(|episode| episode.severity).max().unwrap_or_default();
    let open = view.open.len();
    let title = match members.as_slice() {
        [] => String::new(),
        [one] => one.title.clone(),
        [first, ..] => {
            let counts = match (open, members.len() - open) {
                (0, ended) => format!("{ended} over"),
                (open, 0) => format!("{open} open"),
                (open, ended) => format!("{open} open, {ended} over"),
            };
            wording::one_line(&format!("{counts}: {} and {} more", first.title, members.len() - 1))
        }
    };
    let rows: Vec<NoticeRow> = members
        .iter()
        .take(MAX_ROWS)
        .map(|episode| {
            let mut row = episode.row();
            let root = episode.root.as_ref().and_then(|root| episodes.get(root));
            if let (Some(root), Some(tie)) = (root, episode.tie) {
                row.title = wording::one_line(&format!("{} ({} {})", row.title, tie.as_str(), root.title));
            }
            row
        })
        .collect();
    let mut notes = view.notes.clone();
    let more_rows = members.len().saturating_sub(MAX_ROWS) as u64;
    if more_rows > 0 {
        notes.push(format!("and {more_rows} more"));
    }
    for episode in members.iter().take(MAX_ROWS) {
        for (tie, words) in [
            (Tie::Need, "probably causes"),
            (Tie::Trace, "in the same request:"),
            (Tie::Burst, "at the same time:"),
        ] {
            let elsewhere: Vec<String> = episodes
                .caused_by(&episode.id)
                .filter(|other| other.is_open() && other.tie == Some(tie))
                .filter(|other| !group.members.contains_key(&other.id))
                .map(|other| other.title.clone())
                .collect();
            if !elsewhere.is_empty() {
                notes.push(format!("{words} {}", wording::names(&elsewhere)));
            }
        }
        match episode.close {
            Some(CloseReason::Instant) | None => {}
            Some(CloseReason::Cleared) if episode.closed_ms.is_some() => {}
            Some(reason) => notes.push(format!("{}: ended because {}", episode.title, ended(reason))),
        }
    }
    Notice {
        title,
        because: group.because.clone(),
        severity: if members.is_empty() { Severity::Low } else { severity },
        rows,
        more_rows,
        notes,
        labels: group.labels.clone(),
    }
}

/// Why an episode ended, for a reader.
fn ended(reason: CloseReason) -> &'static str {
    match reason {
        CloseReason::Cleared | CloseReason::Instant => "it cleared",
        CloseReason::ArrivedLate => "what was missing came after all",
        CloseReason::Rebaselined => "it was open for the longest time allowed",
        CloseReason::Forgotten => "its key has been silent for too long",
        CloseReason::Evicted => "the rule has too many keys",
        CloseReason::RuleChanged => "the rule was changed",
        CloseReason::Resolved => "a person said so",
        CloseReason::Ended => "whoever told of it said so",
    }
}
