//! `dice who`.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Result;
use dice_catalog::{Author, Entry, Part, Repo};
use dice_match::{Answer, EntryId, Envelope, Limits, Matcher, Scratch, Stream};
use serde::Serialize;

use crate::commands::Output;
use crate::commands::route;
use crate::lines::Lines;
use crate::link::link;
use crate::router::plan;
use crate::screen::{FAINT, OWNER, STRONG, VALUE, plain, short, styled};
use crate::verdict::{Case, Desk, Matched, Unmatched};
use crate::{Failure, Outcome};

/// Tell who owns a log line, and where it was printed.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Messages, or whole lines as the log shows them; `-` reads lines from standard input.
    #[arg(value_name = "LINE", required = true)]
    lines: Vec<String>,
    /// A catalog to match against; may be repeated [default: $DICE_CATALOG, else .dice/catalog.jsonl here or above].
    #[arg(long, value_name = "FILE")]
    catalog: Vec<PathBuf>,
    /// For a person or for a program.
    #[arg(long, value_enum, default_value_t = Output::Text, value_name = "FORMAT")]
    format: Output,
    /// Show every statement that could have printed the line, not only the best few.
    #[arg(long)]
    all: bool,
}

/// Candidates that are shown unless all are asked for.
const FEW: usize = 3;

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome> {
        let plan::Known { matcher, repos, .. } = &plan::Known::open(&self.catalog)?;
        let mut desk = Desk::new(matcher, repos);
        let mut out = anstream::AutoStream::auto(io::stdout()).lock();
        let mut is_every_line_known = true;
        let mut is_first = true;
        let mut tell = |answer: Answer<'_>| -> Result<()> {
            if answer.continues.is_some() {
                return Ok(());
            }
            let was_first = std::mem::take(&mut is_first);
            if self.format == Output::Text && !was_first {
                writeln!(out)?;
            }
            let case = Case::new(&mut desk, answer);
            is_every_line_known &= case.decided.is_some();
            match self.format {
                Output::Text => self.tell_person(&mut out, matcher, repos, &case),
                Output::Json => tell_program(&mut out, matcher, repos, &mut desk, &case),
            }
        };
        if self.lines == ["-"] {
            let limits = Limits::default();
            let mut stream = Stream::new(matcher, route::reader_settings(route::zone(None)?), limits);
            let mut lines = Lines::new(io::stdin().lock(), limits.line_bytes);
            while let Some(line) = lines.next()? {
                if !line.trim_ascii().is_empty() {
                    let answer = stream.next(line);
                    tell(answer)?;
                }
            }
        } else {
            // A pasted text may hold several lines; each argument is a source of its own.
            for text in &self.lines {
                for answer in answers(matcher, text)? {
                    tell(answer)?;
                }
            }
        }
        if is_first {
            return Err(Failure::new(
                "wanted a log line, found nothing but blanks",
                "give a line as the log shows it, in quotes, or `-` and lines on standard input",
            )
            .into());
        }
        Ok(if is_every_line_known { Outcome::Done } else { Outcome::No })
    }

    fn tell_person(
        &self,
        out: &mut impl Write,
        matcher: &Matcher,
        repos: &[Repo],
        case: &Case<'_, '_>,
    ) -> Result<()> {
        let Some(best) = case.best() else { return self.tell_person_unknown(out, matcher, case) };
        write_place(out, best)?;
        writeln!(out, "  {}", filled(best, case))?;
        let field = |out: &mut dyn Write, name: &str, text: &str| writeln!(out, "  {name:<9} {text}");
        let decided = case.decided.as_ref().map(|decided| &decided.owners[..]).unwrap_or_default();
        if decided.is_empty() {
            field(out, "owner", "nobody: no annotation, no known author, no rule and no fallback")?;
        }
        for each in decided {
            let name = styled(OWNER, &plain(&each.owner.name));
            field(out, "owner", &format!("{name}  ({}: {})", each.owner.why, explain(best, each.owner.why)))?;
        }
        match (&best.author, best.author_missing) {
            (Some(author), _) => field(out, "author", &about_author(author))?,
            (None, Some(missing)) => field(out, "author", &format!("not known: {}", why_missing(missing)))?,
            (None, None) => {}
        }
        if let Some(link) = link(best, repos) {
            field(out, "code", &plain(&link))?;
        }
        let twins = &case.answer.verdict.entries[1..];
        if !twins.is_empty() {
            field(out, "twins", "the same words are printed here too:")?;
            self.write_candidates(out, matcher, twins)?;
        }
        let weak: Vec<EntryId> = case.weak().collect();
        if !weak.is_empty() && self.all {
            field(out, "could also be", "")?;
            self.write_candidates(out, matcher, &weak)?;
        }
        Ok(())
    }

    fn tell_person_unknown(
        &self,
        out: &mut impl Write,
        matcher: &Matcher,
        case: &Case<'_, '_>,
    ) -> Result<()> {
        let message = &case.answer.envelope.message;
        let text = String::from_utf8_lossy(message);
        let weak: Vec<EntryId> = case.weak().collect();
        if !weak.is_empty() {
            writeln!(out, "{}", styled(STRONG, &format!("not sure who printed: {}", short(&text))))?;
            writeln!(out, "  it could be")?;
            return self.write_candidates(out, matcher, &weak);
        }
        let text = if text.trim().is_empty() { "such a line".into() } else { text };
        writeln!(out, "{}", styled(STRONG, &format!("no statement prints: {}", short(&text))))?;
        let nearest = matcher.nearest(message, if self.all { 10 } else { FEW });
        if nearest.is_empty() {
            writeln!(out, "  and none is like it; is it another program's, or another version's catalog?")?;
            return Ok(());
        }
        writeln!(out, "  the nearest are")?;
        self.write_candidates(out, matcher, &nearest)
    }

    fn write_candidates(&self, out: &mut impl Write, matcher: &Matcher, ids: &[EntryId]) -> Result<()> {
        let shown = if self.all { ids.len() } else { FEW.min(ids.len()) };
        let is_mixed = ids.iter().any(|id| matcher.entry(*id).repo != matcher.entry(ids[0]).repo);
        for id in &ids[..shown] {
            let entry = matcher.entry(*id);
            let owners: Vec<&str> = entry.owners.iter().map(|owner| owner.name.as_str()).collect();
            let owners = if owners.is_empty() { "nobody".to_owned() } else { owners.join(", ") };
            writeln!(
                out,
                "            {}  {}  {}",
                styled(STRONG, &plain(&place(entry, is_mixed))),
                short(&entry.statement.template.to_string()),
                styled(OWNER, &plain(&owners)),
            )?;
        }
        if shown < ids.len() {
            writeln!(out, "            and {} more (--all shows them)", ids.len() - shown)?;
        }
        Ok(())
    }
}

/// Writes what a program reads of a line, and a line end.
fn tell_program<'m>(
    out: &mut impl Write,
    matcher: &Matcher,
    repos: &[Repo],
    desk: &mut Desk<'m>,
    case: &Case<'m, '_>,
) -> Result<()> {
    let best = case.best();
    let summary = best.and_then(|entry| entry.author.as_ref()).and_then(summary);
    match case.matched(desk) {
        Some(object) => {
            let author = best.and_then(|entry| entry.author.as_ref());
            let url = best.and_then(|entry| link(entry, repos));
            serde_json::to_writer(&mut *out, &Known { object: object.of_no_stream(), author, summary, url })?;
        }
        None => {
            let nearest = matcher.nearest(&case.answer.envelope.message, FEW);
            let nearest = nearest.iter().map(|id| {
                let entry = matcher.entry(*id);
                let template = entry.statement.template.to_string();
                Near { file: &entry.file, source_line: entry.statement.line.get(), template }
            });
            let object = case.unmatched().of_no_stream();
            serde_json::to_writer(&mut *out, &Unknown { object, nearest: nearest.collect() })?;
        }
    }
    writeln!(out)?;
    Ok(())
}

/// What a program reads of each line of a text.
pub(crate) fn objects(known: &plan::Known, text: &str) -> Result<Vec<serde_json::Value>> {
    let plan::Known { matcher, repos, .. } = known;
    let mut desk = Desk::new(matcher, repos);
    let mut objects = Vec::new();
    for answer in answers(matcher, text)?.into_iter().filter(|answer| answer.continues.is_none()) {
        let case = Case::new(&mut desk, answer);
        let mut told = Vec::new();
        tell_program(&mut told, matcher, repos, &mut desk, &case)?;
        objects.push(serde_json::from_slice(&told)?);
    }
    Ok(objects)
}

#[derive(Serialize)]
struct Known<'a> {
    #[serde(flatten)]
    object: Matched<'a>,
    author: Option<&'a Author>,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

#[derive(Serialize)]
struct Unknown<'a> {
    #[serde(flatten)]
    object: Unmatched<'a>,
    nearest: Vec<Near<'a>>,
}

#[derive(Serialize)]
struct Near<'a> {
    file: &'a str,
    source_line: u32,
    template: String,
}

/// What is said of a pasted text: of each line as a log shows it, and where that says nothing, of the text
/// as a bare message.
fn answers<'l>(matcher: &Matcher, text: &'l str) -> Result<Vec<Answer<'l>>> {
    let settings = route::reader_settings(route::zone(None)?);
    let mut stream = Stream::new(matcher, settings, Limits::default());
    let mut answers = Vec::new();
    for line in text.as_bytes().split(|&byte| byte == b'\n').filter(|line| !line.trim_ascii().is_empty()) {
        let mut answer = stream.next(line);
        if answer.continues.is_none() && answer.verdict.strength < dice_match::Strength::Strong {
            let bare = Envelope { message: line.into(), ..Envelope::default() };
            let verdict = matcher.classify(&bare, &mut Scratch::default());
            if verdict.strength > answer.verdict.strength {
                answer.verdict = verdict;
                answer.envelope.message = bare.message;
            }
        }
        answers.push(answer);
    }
    Ok(answers)
}

/// `file:line`, after the repository where several are shown together.
fn place(entry: &Entry, is_mixed: bool) -> String {
    let place = format!("{}:{}", entry.file, entry.statement.line);
    if is_mixed { format!("{} {place}", entry.repo) } else { place }
}

fn write_place(out: &mut impl Write, entry: &Entry) -> io::Result<()> {
    let s = &entry.statement;
    let mut about = vec![entry.repo.clone()];
    about.extend(s.function.as_ref().map(|function| format!("{function}()")));
    about.extend(s.level.map(|level| level.to_string()));
    let place = format!("{}:{}", entry.file, s.line);
    writeln!(out, "{}  {}", styled(STRONG, &plain(&place)), styled(FAINT, &plain(&about.join(" · "))))
}

/// The template with the values filled in, values coloured.
fn filled(entry: &Entry, case: &Case<'_, '_>) -> String {
    let (values, _) = case.values();
    let mut values = values.iter();
    let mut text = String::new();
    for part in entry.statement.template.parts() {
        match part {
            Part::Text(literal) => text.push_str(&plain(literal)),
            Part::Hole(_) => {
                let value = values.next().map_or_else(|| "<*>".to_owned(), |value| short(value));
                text.push_str(&styled(VALUE, &value));
            }
        }
    }
    text
}

fn explain(entry: &Entry, why: dice_catalog::Why) -> &'static str {
    use dice_catalog::Why;
    match why {
        Why::Override => "a person said so",
        Why::Annotation => "the comment behind the statement",
        Why::Author if entry.author.is_some() => "last wrote the line",
        Why::Author => "wrote the line",
        Why::Owners => "[owners] paths in dice.toml",
        Why::Codeowners => "the CODEOWNERS file",
        Why::Fallback => "[owners] fallback in dice.toml",
    }
}

fn about_author(author: &Author) -> String {
    let commit = author.commit.get(..10).unwrap_or(&author.commit);
    let date = author.time.get(..10).unwrap_or(&author.time);
    let mut text = format!("{} <{}>, {date}, commit {commit}", author.name, author.email);
    if let Some(summary) = summary(author) {
        text.push_str(&format!(": {summary}"));
    }
    short(&text)
}

/// The first line of the commit's message, where the repository is at hand.
fn summary(author: &Author) -> Option<String> {
    let here = std::env::current_dir().ok()?;
    dice_index::commit_summary(&here, &author.commit)
}

fn why_missing(missing: dice_catalog::AuthorMissing) -> &'static str {
    use dice_catalog::AuthorMissing;
    match missing {
        AuthorMissing::Uncommitted => "the line is not committed",
        AuthorMissing::ShallowHistory => "the history ends before it was written; index a full clone",
        AuthorMissing::MissingObject => "an object is missing from the repository",
        AuthorMissing::NotRequested => "the catalog was written with --no-authors",
    }
}
