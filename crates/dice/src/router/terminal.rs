//! The courier that prints: what would be told, to whom and why.

use std::io::{self, Write};

use dice_route::{Intent, Lane, Notice, NoticeKind, NoticeRow};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::commands::Output;
use crate::screen::{FAINT, OWNER, STRONG, URGENT, count, plain, short, styled};

/// Prints one notice. `is_repeat` says that it may have been printed before.
pub(crate) fn show(out: &mut impl Write, intent: &Intent, output: Output, is_repeat: bool) -> io::Result<()> {
    match output {
        Output::Json => {
            serde_json::to_writer(&mut *out, intent)?;
            writeln!(out)
        }
        Output::Text => show_person(out, intent, is_repeat),
    }
}

fn show_person(out: &mut impl Write, intent: &Intent, is_repeat: bool) -> io::Result<()> {
    let Notice { title, because, severity, rows, more_rows, notes, labels: _ } = &intent.notice;
    let lane = match intent.lane {
        Lane::Page => styled(URGENT, "page"),
        Lane::Immediate => styled(URGENT, "now"),
        Lane::Alert => styled(STRONG, "alert"),
        Lane::Digest => "digest".to_owned(),
    };
    let kind = match intent.kind {
        NoticeKind::Open | NoticeKind::Digest => "",
        NoticeKind::Update => "update: ",
        NoticeKind::Reminder => "still: ",
        NoticeKind::Resolved => "over: ",
        NoticeKind::Escalation => "escalated: ",
        NoticeKind::Acknowledged => "acknowledged: ",
        NoticeKind::Storm => "storm: ",
        NoticeKind::Summary => "summary: ",
        NoticeKind::SelfAlert => "Dice: ",
    };
    // Some titles say it themselves.
    let kind = if title.starts_with(kind) { "" } else { kind };
    let to = styled(OWNER, &plain(intent.destination.name()));
    writeln!(out, "{}  {lane}  {to}  {kind}{}", clock(intent.created_ms), plain(title))?;
    for row in rows {
        show_row(out, row)?;
    }
    if *more_rows > 0 {
        writeln!(out, "      and {more_rows} more")?;
    }
    let mut about = Vec::new();
    if !because.is_empty() {
        about.push(plain(because).into_owned());
    }
    if intent.lane != Lane::Digest {
        about.push(format!("severity {severity}"));
    }
    if is_repeat {
        about.push("possible repeat: Dice stopped while it was printed".to_owned());
    }
    about.extend(notes.iter().map(|note| plain(note).into_owned()));
    writeln!(out, "      {}", styled(FAINT, &about.join(" · ")))
}

/// Prints a row of a notice.
pub(crate) fn show_row(out: &mut impl Write, row: &NoticeRow) -> io::Result<()> {
    let evidence = &row.evidence;
    let times = format!("{:>6}", format!("{}×", evidence.count));
    let state = if row.state.is_empty() { String::new() } else { format!("{}  ", row.state) };
    writeln!(out, "  {}  {state}{}", styled(STRONG, &times), short(&row.title))?;
    let mut about = Vec::new();
    if let Some(sample) = evidence.sample.as_deref().filter(|sample| **sample != *row.title) {
        about.push(short(sample).to_string());
    }
    if let Some(place) = evidence.place.as_deref().filter(|place| !place.is_empty()) {
        about.push(plain(place).into_owned());
    }
    if let Some((first, last)) = evidence.seen_ms {
        let span = if first / 1000 == last / 1000 {
            clock(first)
        } else {
            format!("{} to {}", clock(first), clock(last))
        };
        about.push(span);
    }
    if !evidence.hosts.is_empty() {
        let hosts: Vec<String> =
            evidence.hosts.iter().map(|(host, n)| format!("{} ({n})", plain(host))).collect();
        let more = if evidence.more_hosts > 0 {
            format!(" and {}", count(evidence.more_hosts, "more host", "more hosts"))
        } else {
            String::new()
        };
        about.push(format!("on {}{more}", hosts.join(", ")));
    }
    if evidence.late > 0 {
        about.push(format!("{} late", evidence.late));
    }
    if let Some(before) = row.before {
        about.push(format!("{before}× in the period before"));
    }
    if row.days.len() > 1 {
        let days: Vec<String> = row.days.iter().map(|(day, n)| format!("{day}: {n}")).collect();
        about.push(days.join(", "));
    }
    if let Some(owner) = &row.owner {
        about.push(plain(owner).into_owned());
    }
    if !about.is_empty() {
        writeln!(out, "          {}", styled(FAINT, &about.join(" · ")))?;
    }
    Ok(())
}

/// `11-20 15:12:05`, in UTC.
pub(crate) fn clock(ms: i64) -> String {
    match Timestamp::from_millisecond(ms) {
        Ok(time) => time.to_zoned(TimeZone::UTC).strftime("%m-%d %T").to_string(),
        Err(_) => String::new(),
    }
}
