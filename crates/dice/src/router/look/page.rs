//! A dossier as a person reads it at three in the morning: what it is, whose it is, what became of it, what
//! comes next.

use std::io::{self, Write};

use dice_catalog::{OwnerKind, Why};
use dice_route::Decision;

use super::dossier::{Dossier, Looks, Occurrences, OwnerNow, Reading, Statement, Together, Touched};
use super::incident::on_hosts;
use super::{Look, brief};
use crate::screen::{FAINT, OWNER, STRONG, URGENT, count, plain, short, styled};

impl Dossier {
    /// Prints it for a person; times are UTC.
    pub(crate) fn show(&self, out: &mut impl Write, look: &Look) -> io::Result<()> {
        if self.statements.is_empty() {
            writeln!(out, "{} {}", self.what, styled(STRONG, &plain(&self.id)))?;
        }
        for statement in &self.statements {
            statement.show(out, look)?;
        }
        if let Some(notice) = &self.notice {
            heading(out, "the notice")?;
            notice.show_whole(out, look)?;
        }
        if !self.rules.is_empty() || self.what == "message" || self.what == "alert" {
            heading(out, "occurrences")?;
            if self.occurrences.is_empty() {
                writeln!(out, "    none since the state began")?;
            }
        }
        for occurrences in &self.occurrences {
            occurrences.show(out, look)?;
        }
        if self.occurrences.is_empty() && !self.rules.is_empty()
            || self.sources.iter().any(|it| it.lost.is_some())
        {
            heading(out, "read so far")?;
            for source in &self.sources {
                source.show(out, look)?;
            }
        }
        if !self.rules.is_empty() {
            heading(out, "rules")?;
            for touched in &self.rules {
                touched.show(out)?;
            }
        }
        if !self.episodes.is_empty() {
            heading(out, "episodes")?;
            for incident in &self.episodes {
                incident.show(out, look)?;
            }
            more(out, self.more_episodes, "`dice episodes --all` lists them")?;
        }
        for group in &self.groups {
            group.show(out, look)?;
        }
        if !self.hidden.is_empty() {
            heading(out, "hidden now")?;
            for veil in &self.hidden {
                writeln!(out, "    {}", veil.text())?;
            }
        }
        for storm in &self.storms {
            heading(out, "told together with others")?;
            let notices = count(storm.notices, "notice", "notices");
            let since = look.moment(storm.since);
            let to = styled(OWNER, &plain(&storm.destination));
            writeln!(out, "    {to}  {notices} since {since}: {}", short(&storm.why))?;
        }
        if !self.snoozes.is_empty() {
            heading(out, "snoozed and muted")?;
        }
        for snoozed in &self.snoozes {
            snoozed.show(out, look)?;
        }
        for silenced in &self.silences {
            silenced.show(out, look)?;
        }
        if !self.digests.is_empty() {
            heading(out, "waits in a digest")?;
            for waiting in &self.digests {
                waiting.show(out, look)?;
            }
        }
        if !self.notices.is_empty() {
            heading(out, "notices")?;
            more(out, self.more_notices, "before these")?;
            for notice in &self.notices {
                notice.show(out, look)?;
            }
        } else if self.notice.is_none() && self.digests.is_empty() {
            heading(out, "notices")?;
            writeln!(out, "    none")?;
        }
        if !self.records.is_empty() {
            heading(out, "written down")?;
            more(out, self.more_records, "before these")?;
            for noted in &self.records {
                noted.show(out)?;
            }
        }
        if !self.troubles.is_empty() {
            writeln!(out)?;
            for trouble in &self.troubles {
                trouble.show(out, look)?;
            }
        }
        Ok(())
    }
}

fn heading(out: &mut impl Write, text: &str) -> io::Result<()> {
    writeln!(out, "{}", styled(STRONG, text))
}

fn more(out: &mut impl Write, n: usize, what: &str) -> io::Result<()> {
    if n > 0 {
        writeln!(out, "    {}", styled(FAINT, &format!("and {n} more, {what}")))?;
    }
    Ok(())
}

impl Statement {
    fn show(&self, out: &mut impl Write, look: &Look) -> io::Result<()> {
        let mut about = Vec::new();
        about.extend(Some(plain(&self.repo).into_owned()).filter(|repo| !repo.is_empty()));
        about.extend(self.function.as_deref().map(|name| format!("{}()", plain(name))));
        about.extend(self.level.map(|level| level.to_string()));
        let place = if self.is_known { plain(&self.place) } else { "no statement prints it".into() };
        writeln!(out, "{}  {}", styled(STRONG, &place), styled(FAINT, &about.join(" · ")))?;
        writeln!(out, "  {}", short(&self.template))?;
        let mut field = |name: &str, text: &str| writeln!(out, "  {name:<9} {text}");
        field("message", &plain(&self.message))?;
        for owner in &self.owners {
            field("owner", &owner.text(self.author.as_deref()))?;
        }
        if self.owners.is_empty() {
            field("owner", "nobody: no annotation, no known author, no rule, no fallback and no triage")?;
        }
        field("because", &short(&self.reason))?;
        if let Some(url) = &self.url {
            field("code", &plain(url))?;
        }
        if self.is_outdated {
            field("but", "the newest revision does not print it any more")?;
        }
        if let Some(said) = &self.said {
            field("said", "about its owners:")?;
            said.show_steps(out, look)?;
        }
        Ok(())
    }
}

impl OwnerNow {
    fn text(&self, author: Option<&str>) -> String {
        let why = match self.why {
            Why::Override => "a person said so",
            Why::Annotation => "the comment behind the statement",
            Why::Author if author == Some(&*self.name) => "last wrote the line",
            Why::Author => "wrote the line",
            Why::Owners => "[owners] paths in dice.toml",
            Why::Codeowners => "the CODEOWNERS file",
            Why::Fallback => "the fallback: there is nobody else",
        };
        let what = match (self.decision, self.kind) {
            (Decision::Page, _) => "is woken",
            (Decision::Now, _) => "is told at once",
            (Decision::Digest, OwnerKind::Channel) => "reads it in the channel's digest",
            (Decision::Digest, _) => "reads it in their digest",
            (Decision::None, _) => "is not told: it is not worth it",
        };
        format!("{}  ({why}) {what}", styled(OWNER, &plain(&self.name)))
    }
}

impl Occurrences {
    fn show(&self, out: &mut impl Write, look: &Look) -> io::Result<()> {
        let times = styled(STRONG, &format!("{:>6}", format!("{}×", self.count)));
        let mut about = Vec::new();
        about.extend(self.level.map(|level| level.to_string()));
        about.extend(self.env.as_deref().map(|env| plain(env).into_owned()));
        about.extend(self.fields.iter().map(|(name, value)| format!("{}={}", plain(name), short(value))));
        match (self.first, self.last) {
            (Some(first), Some(last)) if first == last => about.push(look.moment(first)),
            (Some(first), Some(last)) => about.push(format!("{} to {}", first.clock(), look.moment(last))),
            _ => {}
        }
        about.extend(on_hosts(&self.hosts, self.more_hosts));
        if !self.versions.is_empty() {
            about.push(format!("versions {}", plain(&self.versions.join(", "))));
        }
        if self.late > 0 {
            about.push(format!("{} late", self.late));
        }
        if self.runs > 1 {
            about.push(format!("{} runs", self.runs));
        }
        writeln!(out, "  {times}  {}", about.join(" · "))?;
        writeln!(out, "          {}", short(&self.sample))
    }
}

impl Touched {
    fn show(&self, out: &mut impl Write) -> io::Result<()> {
        let word = match self.looks {
            Looks::Yes => styled(STRONG, "looks    "),
            Looks::Depends => "may look ".to_owned(),
            Looks::No => styled(FAINT, "not      "),
        };
        let mut text = format!("{}, {}", plain(&self.rule), self.kind);
        if let Some(key) = self.key.as_ref().filter(|key| !key.is_empty()) {
            text.push_str(&format!(" of {}", short(&key.join(", "))));
        }
        if self.open > 0 {
            text.push_str(&styled(URGENT, &format!(", {} open", self.open)));
        }
        let condition = if self.condition.is_empty() { "every line" } else { &self.condition };
        let why = match (&self.why, self.looks) {
            (Some(why), _) => short(why),
            (None, Looks::Depends) => format!("{}: give a line to know", short(condition)),
            (None, _) => short(condition),
        };
        writeln!(out, "    {word} {text}  {}", styled(FAINT, &why))
    }
}

/// A moment of a group in words: what was told, or what comes next.
pub(crate) fn happened(is_next: bool, text: &str) -> String {
    match (is_next, text) {
        (true, text) => format!("next: {text}"),
        (false, "first") => "told: it had not been told yet".to_owned(),
        (false, "new") => "told: something new".to_owned(),
        (false, "resolved") => "told: something ended".to_owned(),
        (false, "all_resolved") => "told: all ended".to_owned(),
        (false, "repeat") => "told again: it is still so".to_owned(),
        (false, "none") => "looked at: nothing to tell".to_owned(),
        (false, other) => other.to_owned(),
    }
}

impl Together {
    fn show(&self, out: &mut impl Write, look: &Look) -> io::Result<()> {
        let to = styled(OWNER, &plain(&self.destination));
        let id = brief(&self.group);
        if let Some(route) = &self.route {
            let mut about = vec![format!("route {}", plain(route)), self.lane.to_owned()];
            about.push(count(self.episodes as u64, "episode", "episodes"));
            about.extend(self.labels.iter().map(|(name, value)| format!("{}={}", plain(name), short(value))));
            let about = styled(FAINT, &about.join(", "));
            writeln!(out, "{} {id}  {to}  {about}", styled(STRONG, "group"))?;
        } else {
            writeln!(out, "{} {id}  {to}", styled(STRONG, "told as it happens"))?;
        }
        let is_said = self.route.as_ref().is_some_and(|route| self.because == format!("route {route}"));
        if !self.because.is_empty() && !is_said {
            writeln!(out, "    {}", styled(FAINT, &short(&self.because)))?;
        }
        for moment in &self.timeline {
            let text = short(&happened(moment.is_next, &moment.text));
            writeln!(out, "    {}  {text}", look.moment(moment.at))?;
        }
        Ok(())
    }
}

impl Reading {
    fn show(&self, out: &mut impl Write, look: &Look) -> io::Result<()> {
        let mut about = vec![
            count(self.lines, "line", "lines"),
            format!("{} matched", self.matched),
            format!("{} unknown", self.unknown),
        ];
        about.extend((self.late > 0).then(|| format!("{} late", self.late)));
        about.extend((self.too_old > 0).then(|| format!("{} too old for any rule", self.too_old)));
        about.extend(self.latest.map(|latest| format!("the latest of {}", look.moment(latest))));
        writeln!(out, "    {}  {}", plain(&self.source), about.join(" · "))?;
        if let Some(lost) = &self.lost {
            writeln!(out, "    {}", styled(URGENT, &format!("it cannot be read: {}", short(lost))))?;
        }
        Ok(())
    }
}
