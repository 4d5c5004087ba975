//! What stands where in a message.

use dice_route::calendar::Zone;
use dice_route::{Evidence, Intent, Lane, NoticeKind, NoticeRow, Scope, Severity};
use serde_json::Value;

use super::button::{Deed, Seal, Ticket};
use super::message::fitted;
use super::text::{self, code, cut, prose};
use super::{block, digest};
use crate::Parcel;

/// Units of a section.
const MAX_SECTION: usize = 3_000;

/// Notes of a notice that are shown.
const MAX_NOTES: usize = 12;

/// How much is shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    /// Lines and characters of a sample.
    pub(super) sample: (usize, usize),
    /// Rows with a sample, where there are several rows.
    pub(super) samples: usize,
    /// Characters of a title.
    pub(super) title: usize,
    /// Hosts of a row.
    pub(super) hosts: usize,
    /// Characters of a note.
    pub(super) note: usize,
    /// Rows.
    pub(super) max_rows: usize,
}

impl Look {
    pub(super) const FULL: Look =
        Look { sample: (20, 2_000), samples: 5, title: 300, hosts: 5, note: 500, max_rows: 45 };
    pub(super) const FEWER_SAMPLES: Look =
        Look { sample: (5, 500), samples: 1, title: 200, hosts: 5, ..Look::FULL };
    pub(super) const SHORTER: Look =
        Look { sample: (2, 150), samples: 0, title: 80, hosts: 2, note: 120, max_rows: 45 };
}

/// The blocks of a notice, and how many of its rows are not in them.
pub(super) fn blocks(parcel: &Parcel, look: &Look, seal: Option<&Seal>) -> (Vec<Value>, usize) {
    let intent = &parcel.intent;
    if intent.kind == NoticeKind::Digest {
        return digest::blocks(parcel, look, seal);
    }
    let notice = &intent.notice;
    let title = if notice.title.trim().is_empty() { "a notice without a title" } else { &notice.title };
    let head = fitted(MAX_SECTION, &cut(title, look.title), |title| {
        let words = if is_ours(intent.kind) { format!("*{}*", prose(title)) } else { code(title) };
        format!("{} {words}{}", icon(intent), repeat(parcel))
    });
    let mut blocks = vec![block::section(&head)];
    let shown = notice.rows.len().min(look.max_rows);
    let seal = seal.filter(|_| has_buttons(intent.kind));
    if let [row] = notice.rows.as_slice() {
        blocks.extend(one(intent, row, look, seal));
    } else {
        for (n, row) in notice.rows.iter().take(shown).enumerate() {
            blocks.push(several(intent, row, n, look, seal));
        }
    }
    let rows_left = notice.rows.len() - shown;
    let more = notice.more_rows + rows_left as u64;
    let more = (more > 0).then(|| format!("and {more} more"));
    blocks.extend(foot(parcel, look, more));
    (blocks, rows_left)
}

/// Whether the title is Dice's own words rather than a log's.
fn is_ours(kind: NoticeKind) -> bool {
    matches!(kind, NoticeKind::Storm | NoticeKind::SelfAlert | NoticeKind::Digest)
}

fn has_buttons(kind: NoticeKind) -> bool {
    !matches!(kind, NoticeKind::Resolved | NoticeKind::Acknowledged | NoticeKind::SelfAlert)
}

/// Where nothing tells that an earlier attempt did not arrive, the reader knows.
pub(super) fn repeat(parcel: &Parcel) -> &'static str {
    if parcel.is_possible_repeat { " _(possible repeat)_" } else { "" }
}

fn icon(intent: &Intent) -> &'static str {
    match (intent.kind, intent.notice.severity) {
        (NoticeKind::Resolved, _) => ":white_check_mark:",
        (NoticeKind::Acknowledged, _) => ":eyes:",
        (NoticeKind::Reminder, _) => ":alarm_clock:",
        (NoticeKind::Escalation, _) => ":arrow_double_up:",
        (NoticeKind::Digest, _) => ":newspaper:",
        (NoticeKind::Storm, _) => ":cyclone:",
        (NoticeKind::Summary, _) => ":inbox_tray:",
        (NoticeKind::SelfAlert, _) => ":wrench:",
        (NoticeKind::Open | NoticeKind::Update, Severity::Critical | Severity::High) => ":rotating_light:",
        (NoticeKind::Open | NoticeKind::Update, Severity::Medium) => ":warning:",
        (NoticeKind::Open | NoticeKind::Update, Severity::Low) => ":information_source:",
    }
}

/// A notice about one thing: its line, what is known, its buttons.
fn one(intent: &Intent, row: &NoticeRow, look: &Look, seal: Option<&Seal>) -> Vec<Value> {
    let mut blocks = Vec::new();
    if let Some(sample) = row.evidence.sample.as_deref().filter(|sample| !sample.trim().is_empty()) {
        let (lines, chars) = look.sample;
        blocks.push(block::section(&fitted(
            MAX_SECTION,
            &text::cut_lines(sample, lines, chars),
            text::preformatted,
        )));
    }
    let mut facts = Vec::new();
    // A rule's row says why it fired; a message's repeats the title.
    if row.title != intent.notice.title && !row.title.trim().is_empty() {
        facts.push(code(&cut(&row.title, look.title)));
    }
    facts.push(facts_of(row, look));
    blocks.push(block::section(&fitted_lines(&facts)));
    if let Some(seal) = seal {
        let buttons = buttons(intent, row, seal);
        if !buttons.is_empty() {
            blocks.push(block::actions("deeds", buttons));
        }
    }
    blocks
}

/// One row of several.
fn several(intent: &Intent, row: &NoticeRow, n: usize, look: &Look, seal: Option<&Seal>) -> Value {
    let mut lines = vec![format!("{} {}", dot(row), code(&cut(&row.title, look.title))), facts_of(row, look)];
    if n < look.samples
        && let Some(sample) = row.evidence.sample.as_deref()
        && !sample.trim().is_empty()
        && sample != row.title
    {
        let (max_lines, max) = look.sample;
        lines.push(text::preformatted(&text::cut_lines(sample, max_lines.min(4), max.min(400))));
    }
    let text = fitted_lines(&lines);
    let options = seal.map_or(Vec::new(), |seal| options(intent, row, seal));
    if options.is_empty() {
        block::section(&text)
    } else {
        block::section_with(&format!("row-{n}"), &text, block::overflow("dice.row", options))
    }
}

/// A sign for what became of a row.
fn dot(row: &NoticeRow) -> &'static str {
    match (row.state.as_str(), row.severity) {
        ("resolved" | "over", _) => ":white_circle:",
        (_, Severity::Critical | Severity::High) => ":red_circle:",
        (_, Severity::Medium) => ":large_orange_circle:",
        (_, Severity::Low) => ":large_blue_circle:",
    }
}

/// What is known of a row, in two lines at most.
pub(super) fn facts_of(row: &NoticeRow, look: &Look) -> String {
    let evidence = &row.evidence;
    let mut facts = vec![format!("*{}×*{}", evidence.count, trend(row))];
    facts.extend(hosts(evidence, look.hosts));
    facts.extend(evidence.seen_ms.map(seen));
    if !evidence.versions.is_empty() {
        let versions: Vec<String> =
            evidence.versions.iter().map(|version| prose(&cut(version, 40))).collect();
        facts.push(versions[..versions.len().min(look.hosts)].join(", "));
    }
    facts.extend(evidence.env.as_deref().map(|env| prose(&cut(env, 40))));
    if evidence.late > 0 {
        facts.push(format!("{} late", evidence.late));
    }
    if !row.days.is_empty() {
        let days: Vec<String> = row
            .days
            .iter()
            .take(10)
            .map(|(day, count)| format!("{} {count}", prose(&cut(day, 20))))
            .collect();
        facts.push(format!("by day: {}", days.join(", ")));
    }
    let mut source = Vec::new();
    if let Some(place) = evidence.place.as_deref() {
        source.push(text::link(row.url.as_deref(), &cut(place, 200)));
    } else if let Some(url) = row.url.as_deref().and_then(text::address) {
        source.push(text::link(Some(url), "code"));
    }
    source.extend(row.owner.as_deref().map(|owner| prose(&cut(owner, look.title))));
    let facts = facts.join(" · ");
    if source.is_empty() { facts } else { format!("{facts}\n{}", source.join(" · ")) }
}

/// How it compares: `new`, `up, was 12`.
fn trend(row: &NoticeRow) -> String {
    let state = cut(&row.state, 40);
    match (state.as_str(), row.before) {
        ("" | "open", None) => String::new(),
        (state, None) => format!(" {}", prose(state)),
        (state, Some(before)) => format!(" {}, was {before}", prose(state)),
    }
}

fn hosts(evidence: &Evidence, max: usize) -> Option<String> {
    let named =
        evidence.hosts.iter().take(max).map(|(host, count)| format!("{} ({count})", prose(&cut(host, 60))));
    let mut named: Vec<String> = named.collect();
    let more = evidence.more_hosts + evidence.hosts.len().saturating_sub(max) as u64;
    if more > 0 {
        named.push(format!("{more} more hosts"));
    }
    (!named.is_empty()).then(|| named.join(", "))
}

/// From when to when, by the reader's clock.
fn seen((first_ms, last_ms): (i64, i64)) -> String {
    if first_ms / 60_000 == last_ms / 60_000 {
        moment(first_ms)
    } else {
        format!("{} – {}", moment(first_ms), moment(last_ms))
    }
}

/// A moment by the reader's clock; by UTC where that is not known.
fn moment(at_ms: i64) -> String {
    let utc = Zone::utc().local(at_ms).strftime("%Y-%m-%d %H:%M UTC").to_string();
    let at_s = at_ms.div_euclid(1000);
    // Slack reads no dates before 1970 and none that need more digits.
    if (0..=99_999_999_999).contains(&at_s) {
        format!("<!date^{at_s}^{{date_short_pretty}} {{time}}|{utc}>")
    } else {
        utc
    }
}

/// What stands below: what is not shown, why the reader gets it, and what else is to be said.
pub(super) fn foot(parcel: &Parcel, look: &Look, more: Option<String>) -> Vec<Value> {
    let notice = &parcel.intent.notice;
    let notes = notice.notes.iter().filter(|note| !note.trim().is_empty()).take(MAX_NOTES);
    let notes = notes.map(|note| prose(&cut(note, look.note)));
    let because = Some(&notice.because).filter(|because| !because.trim().is_empty());
    let because = because.map(|because| prose(&cut(because, look.note)));
    let lines: Vec<String> = more.into_iter().chain(notes).chain(because).collect();
    if lines.is_empty() { Vec::new() } else { vec![block::context(&within(2_000, &lines))] }
}

fn fitted_lines(lines: &[String]) -> String {
    within(MAX_SECTION, lines)
}

/// As many of the lines as there is room for. Lines are markup, so that none is cut.
fn within(max: usize, lines: &[String]) -> String {
    let mut text = String::new();
    for line in lines {
        let needed = super::limits::len(&text) + super::limits::len(line) + 1;
        if needed <= max {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(line);
        }
    }
    if text.is_empty() { "…".to_owned() } else { text }
}

/// What a snooze of this row hides.
fn thing(row: &NoticeRow) -> Option<Scope> {
    let alert = row.alert.clone().map(Scope::Alert);
    let message = row.message.clone().map(Scope::Message);
    alert.or(message).or_else(|| row.episode.clone().map(Scope::Episode))
}

/// What is open can be acknowledged; what is in a digest is told once.
fn ack(intent: &Intent, row: &NoticeRow) -> Option<Ticket> {
    let is_open = !matches!(row.state.as_str(), "resolved" | "over");
    let episode = row.episode.clone().filter(|_| is_open && intent.lane != Lane::Digest)?;
    Some(Ticket { deed: Deed::Ack, thing: Scope::Episode(episode) })
}

/// The buttons of a notice about one thing.
fn buttons(intent: &Intent, row: &NoticeRow, seal: &Seal) -> Vec<Value> {
    let mut buttons = Vec::new();
    let close = |ticket: &Ticket| seal.close(ticket);
    if let Some(sealed) = ack(intent, row).as_ref().and_then(close) {
        buttons.push(block::button("dice.ack", "Acknowledge", &sealed));
    }
    if let Some(thing) = thing(row) {
        let is_message = !matches!(thing, Scope::Episode(_));
        let choices = Deed::UNTIL.iter().enumerate().filter_map(|(place, (_, words))| {
            let deed = Deed::Snooze(u8::try_from(place).ok()?);
            if deed == Deed::FOREVER || (deed == Deed::ESCALATES && !is_message) {
                return None;
            }
            Some(block::choice(words, &close(&Ticket { deed, thing: thing.clone() })?))
        });
        let choices: Vec<Value> = choices.collect();
        if !choices.is_empty() {
            buttons.push(block::select("dice.snooze", "Snooze…", choices));
        }
        if is_message && let Some(sealed) = close(&Ticket { deed: Deed::FOREVER, thing }) {
            buttons.push(block::button("dice.disable", "Disable", &sealed));
        }
    }
    let not_me =
        row.message.clone().map(|message| Ticket { deed: Deed::NotMe, thing: Scope::Message(message) });
    if let Some(sealed) = not_me.as_ref().and_then(close) {
        buttons.push(block::button("dice.not-me", "Not me", &sealed));
    }
    if let Some(url) = row.url.as_deref().and_then(text::address) {
        buttons.push(block::link_button("dice.open", "Show in code", url));
    }
    buttons
}

/// The menu of one row of several: at most five things.
pub(super) fn options(intent: &Intent, row: &NoticeRow, seal: &Seal) -> Vec<Value> {
    let mut options = Vec::new();
    let mut offer = |words: &str, ticket: Option<Ticket>| {
        options.extend(
            ticket.and_then(|ticket| seal.close(&ticket)).map(|sealed| block::choice(words, &sealed)),
        );
    };
    offer("Acknowledge", ack(intent, row));
    let thing = thing(row);
    let is_message = !matches!(thing, Some(Scope::Episode(_)));
    let snooze = |deed| thing.clone().map(|thing| Ticket { deed, thing });
    // In the order of `Deed::UNTIL`: the next working day.
    offer("Snooze: next working day", snooze(Deed::Snooze(4)));
    if is_message {
        offer("Snooze: until it escalates", snooze(Deed::ESCALATES));
        offer("Disable", snooze(Deed::FOREVER));
    }
    let message = row.message.clone();
    offer("Not me", message.map(|message| Ticket { deed: Deed::NotMe, thing: Scope::Message(message) }));
    if options.len() < 5
        && let Some(url) = row.url.as_deref().and_then(text::address)
    {
        options.push(block::link_choice("Show in code", url));
    }
    options
}
