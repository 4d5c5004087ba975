//! What people said about the owners of a message.

use std::io::{self, Write};

use dice_route::manager::Override;
use serde::Serialize;

use super::{Look, Time, brief};
use crate::screen::{FAINT, OWNER, STRONG, plain, short, styled};

/// What people said about the owners of a message: the last word holds.
#[derive(Debug, Serialize)]
pub(crate) struct Said {
    message: String,
    title: String,
    /// Who answers now.
    owners: Vec<String>,
    /// Who does not want it, in the order they said so.
    declined: Vec<String>,
    /// Everything that was said, oldest first.
    steps: Vec<SaidStep>,
}

#[derive(Debug, Serialize)]
struct SaidStep {
    at: Time,
    by: String,
    /// What it means: `@ann said it is not theirs`.
    because: String,
    reason: Option<String>,
    /// Who answers since then; `null` where that is the code's to say.
    owners: Option<Vec<String>>,
}

impl Said {
    /// What was said of every message, the last first.
    pub(crate) fn all(look: &Look) -> Vec<Said> {
        let mut all: Vec<Said> =
            look.router.manager().overrides().list().map(|each| Said::of(look, each)).collect();
        all.sort_by_key(|said| {
            (std::cmp::Reverse(said.steps.last().map(|step| step.at)), said.message.clone())
        });
        all
    }

    pub(super) fn of(look: &Look, known: &Override) -> Said {
        let manager = look.router.manager();
        let message = known.id.parse().ok().and_then(|id| manager.alerts().message(id));
        let last = known.steps.last();
        let owners = match message {
            Some(message) => {
                manager.overrides().owners(message).into_iter().map(|owner| owner.name).collect()
            }
            None => last.and_then(|step| step.owners.clone()).unwrap_or_default(),
        };
        let declined = last.into_iter().flat_map(|step| &step.declined);
        let steps = known.steps.iter().map(|step| SaidStep {
            at: Time(step.at_ms),
            by: step.by.clone(),
            because: step.because.clone(),
            reason: step.reason.clone(),
            owners: step.owners.clone(),
        });
        Said {
            message: known.id.clone(),
            title: known.title.clone(),
            owners,
            declined: declined.map(|each| each.name.clone()).collect(),
            steps: steps.collect(),
        }
    }

    pub(crate) fn show(&self, out: &mut impl Write, look: &Look) -> io::Result<()> {
        let owners =
            if self.owners.is_empty() { "as the code says".to_owned() } else { self.owners.join(", ") };
        let id = styled(STRONG, brief(&self.message));
        writeln!(out, "{id}  {}  {}", styled(OWNER, &plain(&owners)), short(&self.title))?;
        if !self.declined.is_empty() {
            writeln!(out, "          not theirs: {}", plain(&self.declined.join(", ")))?;
        }
        self.show_steps(out, look)?;
        let undo = format!("undo: dice assign {} --undo", plain(&self.message));
        writeln!(out, "          {}", styled(FAINT, &undo))
    }

    pub(super) fn show_steps(&self, out: &mut impl Write, look: &Look) -> io::Result<()> {
        for step in &self.steps {
            let mut text = format!("{}: {}", plain(&step.by), short(&step.because));
            if let Some(owners) = &step.owners {
                text.push_str(&format!(" → {}", plain(&owners.join(", "))));
            }
            if let Some(reason) = &step.reason {
                text.push_str(&format!(" ({})", short(reason)));
            }
            writeln!(out, "          {}  {text}", look.moment(step.at))?;
        }
        Ok(())
    }
}
