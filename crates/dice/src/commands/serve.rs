//! `dice serve`.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Result;

use crate::commands::{Output, route};
use crate::router::run::{self, Wish};
use crate::{Failure, Outcome};

/// Route as a service: sources of router.toml, the API and the pages.
///
/// It is what `dice route --config` does, with the API where router.toml has no `[server]` as well.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// What is read and what is done with it: router.toml, with sources, rules, routes and people.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// The file that keeps what was read and decided [default: state of router.toml, else $DICE_STATE, else $XDG_STATE_HOME/dice/state.db].
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// The address of the API and the pages [default: listen of `[server]`, else 127.0.0.1:8600].
    #[arg(long, value_name = "IP:PORT")]
    listen: Option<String>,
    /// A catalog to match against, in place of those of router.toml; may be repeated.
    #[arg(long, value_name = "FILE")]
    catalog: Vec<PathBuf>,
    /// How notices are printed that no courier takes: for a person or for a program.
    #[arg(long, value_enum, default_value_t = Output::Text, value_name = "FORMAT")]
    format: Output,
}

impl Arguments {
    pub(crate) fn run(&self) -> Result<Outcome> {
        let listen = self.listen.as_deref().map(address).transpose()?;
        let wish = Wish {
            config: Some(self.config.clone()),
            state: self.state.clone(),
            files: Vec::new(),
            is_followed: false,
            catalog: self.catalog.clone(),
            format: None,
            zone: route::zone(None)?,
            year: None,
            afterwards_s: run::afterwards(run::AFTERWARDS)?,
        };
        run::serve(&wish, self.format, listen)
    }
}

fn address(text: &str) -> Result<SocketAddr> {
    text.parse().map_err(|_| {
        Failure::new(
            format!("wanted an address to listen on, found `{text}`"),
            "give one with its port, as in --listen 127.0.0.1:8600",
        )
        .into()
    })
}
