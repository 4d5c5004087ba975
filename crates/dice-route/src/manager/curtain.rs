//! What is hidden, as digests ask for it.

use dice_catalog::Owner;

use super::{Alerts, Overrides, Screen, Subject, episodes};
use crate::digest::{DigestRow, Hiding};
use crate::{Cause, Config, Destination};

/// What is hidden, as digests ask for it.
pub(super) struct Curtain<'a> {
    pub(super) screen: Screen<'a>,
    pub(super) overrides: &'a Overrides,
    pub(super) alerts: &'a Alerts,
    pub(super) config: &'a Config,
}

impl Hiding for Curtain<'_> {
    fn hidden(&self, reader: &Destination, row: &DigestRow) -> Option<String> {
        let (alert, message) = self.alerts.get(&row.alert)?;
        let owners = || alert.owners.iter().map(|each| &each.owner);
        let roster = self.overrides.roster();
        let is_reader = |owner: &&Owner| roster.is_called(reader, &owner.name);
        let owner = owners().find(is_reader).or_else(|| owners().next())?;
        let labels = episodes::labels_of_alert(alert, message, owner, self.config);
        let subject = Subject {
            message: Some(alert.message),
            was: &message.was,
            alert: Some(&alert.id),
            ..Subject::default()
        };
        if self.overrides.has_declined(alert.message, reader) {
            return Some("not yours".to_owned());
        }
        let (cause, _) = self.screen.hides(&subject, &labels, reader)?;
        let word = match cause {
            Cause::Inhibited => "inhibited",
            Cause::Snoozed => "snoozed",
            _ => "silenced",
        };
        Some(word.to_owned())
    }

    fn notes(&self, reader: &Destination) -> Vec<String> {
        self.screen.snoozes.muted(reader).into_iter().collect()
    }
}
