//! `dice route`.

use std::collections::HashSet;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use anyhow::Result;
use dice_catalog::{Fingerprint, OwnerKind};
use dice_match::{Format, Limits, ReaderSettings, Stream};
use dice_route::{Decision, Digest, DigestMessage as Message, Occurrence};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::commands::Output;
use crate::input::Input;
use crate::lines::Lines;
use crate::router::plan::Known;
use crate::router::run::{self, Wish};
use crate::router::service::Outlet;
use crate::screen::{FAINT, OWNER, STRONG, URGENT, count, grouped, plain, short, styled};
use crate::verdict::{Case, Desk};
use crate::{Failure, Outcome, clock, interrupt};

/// Classify lines and say who would be told what. Without a courier configured nothing leaves this machine.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Logs to read; none, or `-`, is standard input.
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// A catalog to match against; may be repeated [default: $DICE_CATALOG, else .dice/catalog.jsonl here or above].
    #[arg(long, value_name = "FILE")]
    catalog: Vec<PathBuf>,
    /// What to do with what is read: router.toml, with sources, rules, routes and people.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The file that keeps what was read and decided [default with --config: $DICE_STATE, else $XDG_STATE_HOME/dice/state.db].
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Wait for more at the end of files, through rotation and truncation.
    #[arg(long)]
    follow: bool,
    /// Only say what would be done, in the time of the lines; keep nothing.
    #[arg(long)]
    dry_run: bool,
    /// With --dry-run: how long time goes on after the last line, so that digests and escalations come.
    #[arg(long, default_value = run::AFTERWARDS, value_name = "DURATION")]
    afterwards: String,
    /// For a person or for a program.
    #[arg(long, value_enum, default_value_t = Output::Text, value_name = "FORMAT")]
    format: Output,
    /// Also print lines that no statement is known to have printed.
    #[arg(long)]
    all: bool,
    /// The header format of the lines, instead of finding out; an unknown name lists all.
    #[arg(long, default_value = "auto", value_name = "NAME")]
    input_format: String,
    /// The zone of times that do not tell theirs [default: this machine's].
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// The year of times that do not tell theirs [default: from the file's modification time].
    #[arg(long, value_name = "YEAR")]
    year: Option<i16>,
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome> {
        let format = input_format(&self.input_format)?;
        let zone = zone(self.zone.as_deref())?;
        if let Some(year) = self.year
            && !(1970..=9999).contains(&year)
        {
            return Err(Failure::new(
                format!("wanted a year from 1970 to 9999, found {year}"),
                "give the year in which the lines were written: --year 2026",
            )
            .into());
        }
        let is_kept = self.config.is_some() || self.state.is_some() || self.follow;
        if is_kept && !(self.dry_run && self.format == Output::Json) {
            return self.keep(format, zone);
        }
        let Known { matcher, repos, .. } = &Known::open(&self.catalog)?;
        let mut desk = Desk::new(matcher, repos);
        let mut teller = Teller {
            out: BufWriter::with_capacity(1 << 16, anstream::AutoStream::auto(io::stdout())),
            output: self.format,
            is_all: self.all,
            is_mixed: repos.iter().any(|repo| repo.name != repos[0].name),
            totals: Totals::default(),
            digest: Digest::default(),
            told: HashSet::new(),
        };
        let stdin = [PathBuf::from("-")];
        let files = if self.files.is_empty() { &stdin[..] } else { &self.files };
        // A file that cannot be read is told before anything else is.
        for file in files {
            Input::open(file)?;
        }
        interrupt::ends_the_input();
        let mut first_line = 0;
        for file in files {
            let input = Input::open(file)?.unpacked(file)?;
            let settings = ReaderSettings { format, zone: zone.clone(), year: self.year, near: input.near };
            let limits = Limits::default();
            let mut stream = Stream::new(matcher, settings, limits);
            let mut lines = Lines::new(input.bytes, limits.line_bytes);
            let read = |error| {
                Failure::new(format!("wanted to read {}", file.display()), "give a file that can be read")
                    .because(error)
            };
            let mut n = 0;
            while let Some(line) = lines.next().map_err(read)? {
                n += 1;
                let mut answer = stream.next(line);
                // Several files are one input: lines are numbered through.
                answer.line += first_line;
                answer.continues = answer.continues.map(|line| line + first_line);
                teller.tell(&mut desk, answer, line)?;
                // Whoever reads the answers need not wait for lines that are not written yet.
                if lines.may_wait() {
                    teller.out.flush()?;
                }
                if interrupt::is_asked() {
                    break;
                }
            }
            first_line += n;
            if interrupt::is_asked() {
                break;
            }
            match stream.reader().shown() {
                Some((format, why)) => {
                    tracing::info!(file = %file.display(), lines = n, "read as {}: {why}", format.name())
                }
                None => tracing::info!(file = %file.display(), lines = n, "read without a known header"),
            }
        }
        teller.end()?;
        Ok(Outcome::Done)
    }
}

impl Arguments {
    /// Routes with a memory: rules, digests, escalations.
    fn keep(&self, format: Option<Format>, zone: TimeZone) -> Result<Outcome> {
        let wish = Wish {
            config: self.config.clone(),
            state: self.state.clone(),
            files: self.files.clone(),
            is_followed: self.follow,
            catalog: self.catalog.clone(),
            format,
            zone,
            year: self.year,
            afterwards_s: run::afterwards(&self.afterwards)?,
        };
        if !self.dry_run {
            return run::run(&wish, self.format);
        }
        let out = anstream::AutoStream::auto(io::stdout());
        let (_, told) = run::replay(&wish, Outlet::Print(out, self.format))?;
        if let Outlet::Print(mut out, _) = told {
            out.flush()?;
        }
        Ok(Outcome::Done)
    }
}

/// The settings of a source about which nothing is known but the time.
pub(crate) fn reader_settings(zone: TimeZone) -> ReaderSettings {
    ReaderSettings { format: None, zone, year: None, near: clock::now() }
}

fn input_format(name: &str) -> Result<Option<Format>> {
    if name == "auto" {
        return Ok(None);
    }
    match Format::named(name) {
        Some(format) => Ok(Some(format)),
        None => {
            let names: Vec<&str> = Format::names().collect();
            Err(Failure::new(
                format!("wanted a header format, found `{name}`"),
                format!("choose auto or one of {}", names.join(", ")),
            )
            .into())
        }
    }
}

/// The zone called `name`, else this machine's.
pub(crate) fn zone(name: Option<&str>) -> Result<TimeZone> {
    match name {
        None => Ok(TimeZone::system()),
        Some(name) => TimeZone::get(name).map_err(|error| {
            Failure::new(
                format!("wanted a time zone, found `{name}`"),
                "give an IANA name, as in --zone Europe/Berlin",
            )
            .because(error)
            .into()
        }),
    }
}

/// Prints what is decided, line by line, and keeps what the end needs.
struct Teller<W: Write> {
    out: W,
    output: Output,
    is_all: bool,
    /// Statements of several repositories are shown together.
    is_mixed: bool,
    totals: Totals,
    digest: Digest,
    told: HashSet<(Fingerprint, OwnerKind, String)>,
}

#[derive(Debug, Default)]
struct Totals {
    lines: u64,
    matched: u64,
    /// Of the matched ones: nobody is told of them.
    untold: u64,
    unmatched: u64,
    continued: u64,
    cut: u64,
    over_budget: u64,
}

impl<W: Write> Teller<W> {
    fn tell<'m>(&mut self, desk: &mut Desk<'m>, answer: dice_match::Answer<'_>, line: &[u8]) -> Result<()> {
        let case = Case::new(desk, answer);
        self.count(&case);
        match self.output {
            Output::Json => self.tell_program(desk, &case)?,
            Output::Text => self.tell_person(&case, line)?,
        }
        Ok(())
    }

    fn count(&mut self, case: &Case<'_, '_>) {
        let totals = &mut self.totals;
        totals.lines += 1;
        totals.cut += u64::from(case.answer.cut);
        totals.over_budget += u64::from(case.answer.verdict.budget);
        match (case.answer.continues, &case.decided) {
            (Some(_), _) => totals.continued += 1,
            (None, Some(decided)) => {
                totals.matched += 1;
                totals.untold += u64::from(decided.decision == Decision::None);
            }
            (None, None) => totals.unmatched += 1,
        }
    }

    fn tell_program<'m>(&mut self, desk: &mut Desk<'m>, case: &Case<'m, '_>) -> Result<()> {
        match case.matched(desk) {
            Some(object) => serde_json::to_writer(&mut self.out, &object)?,
            None if self.is_all => serde_json::to_writer(&mut self.out, &case.unmatched())?,
            None => return Ok(()),
        }
        self.out.write_all(b"\n")?;
        Ok(())
    }

    fn tell_person(&mut self, case: &Case<'_, '_>, line: &[u8]) -> Result<()> {
        if case.answer.continues.is_some() {
            return Ok(());
        }
        let envelope = &case.answer.envelope;
        // The first line of a panic is all header.
        let is_bare = envelope.message.trim_ascii().is_empty();
        let text = String::from_utf8_lossy(if is_bare { line } else { &envelope.message });
        let (Some(entry), Some(decided)) = (case.best(), &case.decided) else {
            if self.is_all {
                writeln!(self.out, "{}", styled(FAINT, &format!("unknown  {}", short(&text))))?;
            }
            return Ok(());
        };
        let place = format!("{}:{}", entry.file, entry.statement.line);
        let place = if self.is_mixed { format!("{} {place}", entry.repo) } else { place };
        let text = short(&text);
        let occurrence = Occurrence {
            fingerprint: entry.fingerprint,
            level: case.level,
            text: &text,
            place: &place,
            at: envelope.time.map(Timestamp::as_millisecond),
            host: envelope.host.as_deref(),
        };
        self.digest.add(&occurrence, decided);
        for each in decided.owners.iter().filter(|each| each.decision >= Decision::Now) {
            // The first occurrence is news; the digest at the end counts the rest.
            if self.told.insert((entry.fingerprint, each.owner.kind, each.owner.name.clone())) {
                let word = styled(URGENT, each.decision.as_str());
                let owner = styled(OWNER, &plain(&each.owner.name));
                let place = styled(FAINT, &plain(&place));
                writeln!(self.out, "{word}  {owner}  {text}  {place}")?;
            }
        }
        Ok(())
    }

    /// What stands after the last line: for a person the digests, for both what was counted.
    fn end(mut self) -> Result<()> {
        if self.output == Output::Text {
            self.digests()?;
        }
        self.out.flush()?;
        let t = &self.totals;
        let untold =
            if t.untold > 0 { format!(" ({} told to nobody)", grouped(t.untold)) } else { String::new() };
        let mut parts = vec![
            format!("{} matched{untold}", count(t.matched, "message", "messages")),
            format!("{} unknown", count(t.unmatched, "message", "messages")),
        ];
        if t.continued > 0 {
            parts.push(format!("{} continued them", count(t.continued, "line", "lines")));
        }
        if t.cut > 0 {
            parts.push(format!("{} too long and cut", count(t.cut, "line was", "lines were")));
        }
        if t.over_budget > 0 {
            parts.push(format!("{} with too many candidates", count(t.over_budget, "line", "lines")));
        }
        if self.output == Output::Text {
            writeln!(self.out, "{}: {}", count(t.lines, "line", "lines"), parts.join(", "))?;
            self.out.flush()?;
        }
        tracing::info!(lines = t.lines, matched = t.matched, unknown = t.unmatched, "end of input");
        Ok(())
    }

    fn digests(&mut self) -> Result<()> {
        let owners = self.digest.owners();
        for owner in &owners {
            let total: u64 = owner.messages.iter().map(|(_, message)| message.count).sum();
            let name = styled(OWNER, &plain(&owner.owner.name));
            let heading = format!(
                "{}, {}",
                count(owner.messages.len() as u64, "message", "messages"),
                count(total, "occurrence", "occurrences"),
            );
            writeln!(self.out, "\n{name}  {} ({})", heading, owner.owner.why)?;
            for (_, message) in &owner.messages {
                write_message(&mut self.out, message)?;
            }
        }
        if !owners.is_empty() {
            writeln!(self.out)?;
        }
        Ok(())
    }
}

/// Two lines for a message: what was printed and how often, then where, when and why.
fn write_message(out: &mut impl Write, message: &Message) -> io::Result<()> {
    let level = message.level.map_or("", |level| level.as_str());
    let times = format!("{}×", message.count);
    writeln!(out, "  {:>6}  {:<8}  {}", styled(STRONG, &format!("{times:>6}")), level, plain(&message.text))?;
    let mut about = vec![plain(&message.place).into_owned()];
    if let Some((first, last)) = message.seen {
        about.push(span(first, last));
    }
    if !message.hosts.is_empty() {
        let more = if message.more_hosts { " and more" } else { "" };
        about.push(format!("on {}{more}", plain(&message.hosts.join(", "))));
    }
    let word = match message.decision {
        Decision::Page => styled(URGENT, "page"),
        Decision::Now => styled(URGENT, "told at once"),
        Decision::Digest | Decision::None => "digest".to_owned(),
    };
    about.push(format!("{word}: {}", plain(&message.reason)));
    writeln!(out, "                  {}", styled(FAINT, &about.join(" · ")))
}

/// `2026-11-20 15:12:05 to 15:13:44`, in UTC; one moment for a single occurrence.
fn span(first_ms: i64, last_ms: i64) -> String {
    let moment = |ms: i64| Timestamp::from_millisecond(ms).map(|time| time.to_zoned(TimeZone::UTC));
    match (moment(first_ms), moment(last_ms)) {
        (Ok(first), Ok(last)) if first_ms / 1000 == last_ms / 1000 => {
            let _ = last;
            first.strftime("%F %T UTC").to_string()
        }
        (Ok(first), Ok(last)) if first.date() == last.date() => {
            format!("{} to {}", first.strftime("%F %T"), last.strftime("%T UTC"))
        }
        (Ok(first), Ok(last)) => format!("{} to {}", first.strftime("%F %T"), last.strftime("%F %T UTC")),
        _ => String::new(),
    }
}
