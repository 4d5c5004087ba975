//! `dice slack`.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Result;
use dice_catalog::OwnerKind;
use dice_config::Loaded;
use dice_deliver::slack::{Finding, Wanted, manifest};
use dice_route::config::{Config, Policy, Route, Target};
use dice_route::dispatch::{CourierKind, accounts};
use serde_json::json;

use crate::commands::Output;
use crate::router::{delivery, plan};
use crate::screen::{STRONG, URGENT, plain, styled};
use crate::{Failure, Outcome, clock, settings};

/// Set Slack up, and find out what is wrong with it.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    /// Look at the token, its scopes, channels, people and the app token; say what would fail. Changes nothing.
    Doctor {
        /// The configuration.
        #[arg(long, value_name = "FILE", default_value = "router.toml")]
        config: PathBuf,
        /// For a person or for a program.
        #[arg(long, value_enum, default_value_t = Output::Text, value_name = "FORMAT")]
        format: Output,
    },
    /// Print the manifest of the app that has to be made in Slack.
    Manifest {
        /// What the app and its bot are called.
        #[arg(long, value_name = "NAME", default_value = "Dice")]
        name: String,
        /// Where Dice listens, `https://…/slack/actions`, when what people press is to be sent there [default:
        /// over a connection that Dice opens].
        #[arg(long, value_name = "URL")]
        request_url: Option<String>,
    },
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome> {
        match &self.what {
            What::Doctor { config, format } => {
                let loaded = plan::read_config(config)?;
                let catalogs = loaded.catalogs.iter().map(|path| plan::beside(config, path)).collect();
                examine(&loaded, catalogs, *format)
            }
            What::Manifest { name, request_url } => {
                let mut out = anstream::AutoStream::auto(io::stdout()).lock();
                serde_json::to_writer_pretty(&mut out, &manifest(name, request_url.as_deref()))?;
                writeln!(out)?;
                Ok(Outcome::Done)
            }
        }
    }
}

/// Looks at every workspace of the configuration; the answer is no where something would fail.
fn examine(loaded: &Loaded, catalogs: Vec<PathBuf>, format: Output) -> Result<Outcome> {
    let config = &loaded.router;
    let mut workspaces = accounts(config);
    workspaces.retain(|_, receiver| CourierKind::named(&receiver.courier) == CourierKind::Slack);
    if workspaces.is_empty() {
        return Err(Failure::new(
            "wanted a Slack workspace in the configuration, found none",
            "write [slack] with token_env into it; `dice slack manifest` prints the app to make",
        )
        .into());
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut is_well = true;
    let mut out = anstream::AutoStream::auto(io::stdout()).lock();
    for (account, receiver) in &workspaces {
        let wanted = if account == dice_route::dispatch::SLACK {
            wanted(config, &owners(&catalogs)?)
        } else {
            Wanted {
                channels: receiver.settings.get("channel").cloned().into_iter().collect(),
                people: vec![],
            }
        };
        let findings = match delivery::workspace(account, receiver) {
            Ok(workspace) => {
                workspace.slack.know(config);
                let now_ms = clock::now().as_millisecond();
                let mut findings = runtime.block_on(workspace.slack.doctor(&wanted, now_ms));
                if workspace.seal.is_none() {
                    findings.push(Finding {
                        what: "buttons".to_owned(),
                        is_ok: true,
                        found: "none: there is no way back, as no app_token_env is set".to_owned(),
                        next: String::new(),
                    });
                }
                findings
            }
            Err(error) => vec![Finding {
                what: "secrets".to_owned(),
                is_ok: false,
                found: format!("{error:#}"),
                next: "export the variable where Dice runs".to_owned(),
            }],
        };
        is_well &= findings.iter().all(|finding| finding.is_ok);
        for finding in &findings {
            match format {
                Output::Json => {
                    let Finding { what, is_ok, found, next } = finding;
                    let object = json!({
                        "account": account, "what": what, "ok": is_ok, "found": found,
                        "next": Some(next).filter(|next| !next.is_empty()),
                    });
                    writeln!(out, "{object}")?;
                }
                Output::Text => show(&mut out, finding)?,
            }
        }
    }
    Ok(if is_well { Outcome::Done } else { Outcome::No })
}

fn show(out: &mut impl Write, finding: &Finding) -> io::Result<()> {
    let word = if finding.is_ok { styled(STRONG, "ok  ") } else { styled(URGENT, "fail") };
    writeln!(out, "{word}  {}: {}", plain(&finding.what), plain(&finding.found))?;
    if !finding.next.is_empty() {
        writeln!(out, "      {}", plain(&finding.next))?;
    }
    Ok(())
}

/// The channels that catalogs name as owners.
fn owners(catalogs: &[PathBuf]) -> Result<BTreeSet<String>> {
    let mut channels = BTreeSet::new();
    for file in catalogs {
        for entry in settings::read_catalog(file)?.entries {
            let owners = entry.owners.iter().filter(|owner| owner.kind == OwnerKind::Channel);
            channels.extend(owners.map(|owner| owner.name.clone()));
        }
    }
    Ok(channels)
}

/// Every channel and person that a notice may go to.
fn wanted(config: &Config, owners: &BTreeSet<String>) -> Wanted {
    let mut names: BTreeSet<&str> = owners.iter().map(String::as_str).collect();
    names.extend(config.teams.values().filter_map(|team| team.channel.as_deref()));
    names.extend(config.dispatch.fallback.iter().map(String::as_str));
    names.extend(config.ownership.triage.as_deref());
    names.extend(config.people.keys().map(String::as_str));
    let steps = config.policies.values().flat_map(|Policy { steps, .. }| steps).flat_map(|step| &step.to);
    names.extend(steps.filter_map(|target| match target {
        Target::To(name) => Some(name.as_str()),
        _ => None,
    }));
    let mut routes: Vec<&Route> = config.routes.iter().collect();
    while let Some(route) = routes.pop() {
        names.extend(route.to.iter().map(String::as_str));
        routes.extend(&route.routes);
    }
    let own = config
        .receivers
        .values()
        .filter(|receiver| receiver.courier == "slack" && !receiver.settings.contains_key("token_env"));
    names.extend(own.filter_map(|receiver| receiver.settings.get("channel").map(String::as_str)));
    let is_person = |name: &&str| name.contains('@') && !(name.starts_with('@') && name.contains('/'));
    Wanted {
        channels: names.iter().filter(|name| name.starts_with('#')).map(|name| (*name).to_owned()).collect(),
        people: names.iter().filter(|name| is_person(name)).map(|name| (*name).to_owned()).collect(),
    }
}
