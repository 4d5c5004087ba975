//! Lines become events: the message from the catalog, the time, the host and the values from the line.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use dice_catalog::{Entry, Fingerprint, Owner, Repo, Why};
use dice_match::{Answer, EntryId, Envelope, Limits, Matcher, ReaderSettings, Stream, Strength};
use dice_route::{Event, LineCounts, Message, MessageId, PartitionId, mask};
use jiff::Timestamp;

use crate::link::link;

/// Of a message's text this much is kept.
const TEXT_BYTES: usize = 16 << 10;

/// Messages that are remembered; past this the memory starts over.
const MAX_MESSAGES: usize = 100_000;

/// Names of fields that tell what one request is called across services, in the order they are asked.
const TRACE_FIELDS: &[&str] =
    &["trace_id", "traceId", "trace.id", "traceid", "request_id", "requestId", "correlation_id"];

/// Names of fields that tell the release.
const VERSION_FIELDS: &[&str] = &["version", "service.version", "release", "app_version"];

/// Names of fields that tell the environment.
const ENV_FIELDS: &[&str] = &["env", "environment", "deployment.environment"];

/// What a source says about all its lines, where they do not tell themselves.
#[derive(Debug, Clone)]
pub(crate) struct SourceFacts {
    pub(crate) name: Arc<str>,
    pub(crate) service: Option<Arc<str>>,
    pub(crate) host: Option<Arc<str>>,
    pub(crate) env: Option<Arc<str>>,
    pub(crate) version: Option<Arc<str>>,
}

/// What the catalogs know, shared by all partitions.
#[derive(Debug)]
pub(crate) struct Classifier<'m> {
    matcher: &'m Matcher,
    repos: &'m [Repo],
    /// Messages that only older revisions know.
    outdated: &'m HashSet<Fingerprint>,
    known: HashMap<Vec<EntryId>, Arc<Message>>,
    unknown: HashMap<MessageId, Arc<Message>>,
}

/// The lines of one partition, in order.
#[derive(Debug)]
pub(crate) struct Feed<'m> {
    stream: Stream<'m>,
    id: PartitionId,
    facts: Arc<SourceFacts>,
    /// The number of the last line, over all starts.
    line: u64,
    host: Option<Arc<str>>,
    service: Option<Arc<str>>,
}

impl<'m> Classifier<'m> {
    /// `repos` are those of the matcher's catalogs.
    pub(crate) fn new(
        matcher: &'m Matcher,
        repos: &'m [Repo],
        outdated: &'m HashSet<Fingerprint>,
    ) -> Classifier<'m> {
        Classifier { matcher, repos, outdated, known: HashMap::new(), unknown: HashMap::new() }
    }

    /// A partition whose lines are read from now on, `line` of them before.
    pub(crate) fn feed(
        &self,
        id: PartitionId,
        facts: Arc<SourceFacts>,
        settings: ReaderSettings,
        line: u64,
    ) -> Feed<'m> {
        let stream = Stream::new(self.matcher, settings, Limits::default());
        Feed { stream, id, facts, line, host: None, service: None }
    }

    /// Classifies the next line of a partition, given without its line end. `None` when it is no event of
    /// its own: it goes on with the message of a line before, or is blank.
    pub(crate) fn line(
        &mut self,
        feed: &mut Feed<'m>,
        line: &[u8],
        ingested_ms: i64,
        counts: &mut LineCounts,
    ) -> Option<Event> {
        feed.line += 1;
        counts.lines += 1;
        let answer = feed.stream.next(line);
        counts.cut += u64::from(answer.cut);
        let is_blank = answer.envelope.message.trim_ascii().is_empty() && line.trim_ascii().is_empty();
        if answer.continues.is_some() || is_blank {
            counts.continued += 1;
            return None;
        }
        let envelope = &answer.envelope;
        let facts = &feed.facts;
        let host = told(envelope.host.as_deref(), &mut feed.host, facts.host.as_ref());
        let service = told(envelope.service.as_deref(), &mut feed.service, facts.service.as_ref());
        let is_known = answer.verdict.strength == Strength::Strong && !answer.verdict.entries.is_empty();
        // The first line of a panic is all header.
        let is_bare = envelope.message.trim_ascii().is_empty();
        let raw = if is_bare { line } else { &*envelope.message };
        let (text, values) = if is_known && !is_bare {
            text_with_values(raw, &answer.verdict.values)
        } else {
            (text_with_values(raw, &[]).0, Box::default())
        };
        let message = if is_known {
            counts.matched += 1;
            self.known(&answer)
        } else {
            counts.unknown += 1;
            self.unknown(service.as_deref().unwrap_or_default(), &text)
        };
        let best = answer.verdict.entries.first().filter(|_| is_known);
        let names = best.map_or(&[][..], |id| &self.matcher.entry(*id).statement.fields);
        let fields = fields(envelope, names, &text);
        let field = |names: &[&str]| {
            let told = fields.iter().find(|(name, value)| names.contains(&&**name) && !value.is_empty());
            told.map(|(_, value)| Arc::<str>::from(&**value))
        };
        let version = field(VERSION_FIELDS)
            .or_else(|| facts.version.clone())
            .or_else(|| message.revision.as_ref().map(|commit| commit.get(..12).unwrap_or(commit).into()));
        Some(Event {
            partition: feed.id,
            offset: feed.line,
            at_ms: envelope.time.map(Timestamp::as_millisecond),
            ingested_ms,
            level: message.level.or(envelope.level),
            source: Arc::clone(&facts.name),
            host,
            service,
            env: field(ENV_FIELDS).or_else(|| facts.env.clone()),
            version,
            trace: field(TRACE_FIELDS),
            fields,
            message,
            text,
            values,
        })
    }

    fn known(&mut self, answer: &Answer<'_>) -> Arc<Message> {
        if let Some(known) = self.known.get(&answer.verdict.entries) {
            return Arc::clone(known);
        }
        if self.known.len() >= MAX_MESSAGES {
            self.known.clear();
        }
        let message = Arc::new(self.message(&answer.verdict.entries));
        self.known.insert(answer.verdict.entries.clone(), Arc::clone(&message));
        message
    }

    /// What the catalogs know of statements that a line cannot tell apart. `entries` is not empty.
    pub(crate) fn message(&self, entries: &[EntryId]) -> Message {
        let all: Vec<&Entry> = entries.iter().map(|id| self.matcher.entry(*id)).collect();
        let best = all[0];
        let repo = self.repos.iter().find(|repo| repo.name == best.repo);
        let mut owners: Vec<Owner> = Vec::new();
        let mut candidates: Vec<Owner> = Vec::new();
        let mut annotations: Vec<String> = Vec::new();
        for entry in &all {
            add_owners(&mut owners, &entry.owners);
            let authors = entry.author.iter().chain(&entry.also_author);
            let authors = authors.map(|author| Owner::named(&author.email, Why::Author));
            add_owners(&mut candidates, &authors.collect::<Vec<_>>());
            for annotation in &entry.statement.annotations {
                if !annotations.contains(annotation) {
                    annotations.push(annotation.clone());
                }
            }
        }
        candidates
            .retain(|each| !owners.iter().any(|owner| owner.kind == each.kind && owner.name == each.name));
        let statement = &best.statement;
        let was = all.iter().flat_map(|entry| &entry.was).map(|name| MessageId::Known(*name));
        let text = |text: &Option<String>| text.as_deref().map(Arc::from);
        Message {
            id: MessageId::Known(best.fingerprint),
            was: was.collect(),
            repo: best.repo.as_str().into(),
            template: statement.template.to_string().into(),
            place: format!("{}:{}", best.file, statement.line).into(),
            file: best.file.as_str().into(),
            function: text(&statement.function),
            target: text(&statement.target),
            kind: Some(statement.kind),
            level: statement.level,
            holes: vec![None; statement.template.holes().count()],
            owners,
            candidates,
            fallback: repo
                .and_then(|repo| repo.fallback.as_deref())
                .map(|name| Owner::named(name, Why::Fallback)),
            annotations,
            author: best.author.as_ref().map(|author| author.email.as_str().into()),
            revision: repo.and_then(|repo| repo.commit.as_deref()).map(Arc::from),
            url: link(best, self.repos).map(Arc::from),
            is_outdated: self.outdated.contains(&best.fingerprint),
        }
    }

    fn unknown(&mut self, service: &str, text: &str) -> Arc<Message> {
        let masked = mask(text);
        let id = MessageId::of_unmatched(service, &masked);
        if let Some(known) = self.unknown.get(&id) {
            return Arc::clone(known);
        }
        if self.unknown.len() >= MAX_MESSAGES {
            self.unknown.clear();
        }
        let message = Arc::new(Message { template: masked.into(), ..Message::unknown(id) });
        self.unknown.insert(id, Arc::clone(&message));
        message
    }
}

impl Feed<'_> {
    /// Says that lines may now be as late as `now`: a source may go on for years.
    pub(crate) fn move_to(&mut self, now: Timestamp) {
        self.stream.move_to(now);
    }

    /// The partition's number.
    pub(crate) fn id(&self) -> PartitionId {
        self.id
    }

    /// The source's name.
    pub(crate) fn source(&self) -> &Arc<str> {
        &self.facts.name
    }

    /// The number of the last line, over all starts.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }
}

/// Appends owners that are not there yet; of two reasons for the same owner the stronger one is kept.
fn add_owners(owners: &mut Vec<Owner>, more: &[Owner]) {
    for owner in more {
        match owners.iter_mut().find(|known| known.kind == owner.kind && known.name == owner.name) {
            Some(known) => known.why = known.why.min(owner.why),
            None => owners.push(owner.clone()),
        }
    }
}

/// The structured fields of a line: those its format carries apart, and those that the statement is known to
/// print behind its message as `name=value`.
fn fields(envelope: &Envelope<'_>, names: &[String], text: &str) -> Box<[(Arc<str>, Box<str>)]> {
    let apart = envelope.fields.iter().map(|(name, value)| (Arc::from(&**name), Box::from(&**value)));
    let behind = names.iter().filter_map(|name| {
        let start = text.match_indices(name.as_str()).map(|(at, _)| at).find(|at| {
            let is_word = *at == 0 || matches!(text.as_bytes()[at - 1], b' ' | b'{' | b',' | b'\t');
            is_word && text.as_bytes().get(at + name.len()) == Some(&b'=')
        })?;
        let value = &text[start + name.len() + 1..];
        let value = match value.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next().unwrap_or_default(),
            None => value.split([' ', ',', '}', '\t']).next().unwrap_or_default(),
        };
        Some((Arc::from(name.as_str()), Box::from(value)))
    });
    apart.chain(behind).collect()
}

/// What the line tells, else what its source does. Lines of one partition mostly tell the same, so the last
/// text is shared.
fn told(text: Option<&str>, last: &mut Option<Arc<str>>, of_source: Option<&Arc<str>>) -> Option<Arc<str>> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return of_source.cloned() };
    if last.as_deref() != Some(text) {
        *last = Some(text.into());
    }
    last.clone()
}

/// The text as a reader sees it, and where the values lie in it. Bytes that are no text are replaced, which
/// moves what follows.
fn text_with_values(raw: &[u8], ranges: &[std::ops::Range<usize>]) -> (Box<str>, Box<[(u32, u32)]>) {
    let kept = raw.len().min(TEXT_BYTES);
    if let Ok(text) = std::str::from_utf8(raw)
        && raw.len() <= TEXT_BYTES
    {
        let values = ranges.iter().map(|range| (range.start as u32, range.end as u32));
        return (text.into(), values.collect());
    }
    let mut text = String::with_capacity(kept + 3);
    let mut values = Vec::with_capacity(ranges.len());
    let mut done = 0;
    for range in ranges {
        // Values lie in the order of the holes; one that does not is left empty rather than wrong.
        let (start, end) = (range.start.min(kept), range.end.min(kept));
        if start < done || end < start {
            values.push((0, 0));
            continue;
        }
        text.push_str(&String::from_utf8_lossy(&raw[done..start]));
        let from = text.len() as u32;
        text.push_str(&String::from_utf8_lossy(&raw[start..end]));
        values.push((from, text.len() as u32));
        done = end;
    }
    text.push_str(&String::from_utf8_lossy(&raw[done..kept]));
    (text.into(), values.into())
}

#[cfg(test)]
mod tests {
    use super::text_with_values;

    #[test]
    fn values_are_found_in_text_that_had_to_be_mended() {
        let (text, values) = text_with_values(b"a \xFFb and \xC3\xA4 end", &[2..4, 9..11]);
        let of = |n: usize| &text[values[n].0 as usize..values[n].1 as usize];
        assert_eq!((of(0), of(1)), ("\u{FFFD}b", "ä"));
        let long = "x".repeat(20_000);
        let (text, values) = text_with_values(long.as_bytes(), &[19_000..19_001, 3..4]);
        assert_eq!((text.len(), &*values), (16_384, &[(16_384, 16_384), (0, 0)][..]));
    }
}
