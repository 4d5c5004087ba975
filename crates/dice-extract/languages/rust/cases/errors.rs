//! Texts of errors, and spans.

#[derive(Debug, Error)]
enum Failure {
    #[error("no disk {name:?} at {0}")]
    NoDisk(u8),
    #[error("code {}", .code.len())]
    Code,
    #[error(transparent)]
    Other(#[from] io::Error),
    #[display(fmt = "shown {}", _0)]
    Shown(u8),
}

fn fails(path: &Path) -> anyhow::Result<()> {
    bail!("cannot open {}", path.display());
    ensure!(path == "abc", "expected abc, got {path:?}");
    return Err(anyhow!("odd: {}", 1).context("while opening"));
    read(path).with_context(|| format!("reading {}", path.display()))?;
    read(path).with_context(|| "plain")?;
    read(path).context(variable)?;
    bail!(Failure::Other);
    anyhow!(e)
}

#[instrument(skip(self, body), fields(size = body.len(), peer), err)]
async fn handle(&self, id: Id, body: &[u8]) {
    let _span = info_span!("request", %id, method = ?m).entered();
    span!(Level::DEBUG, "inner");
}

#[tracing::instrument(name = "named", level = "debug", target = "t", skip_all, ret)]
fn traced(a: u8) {}

#[instrument]
#[inline]
pub(crate) fn plain((a, b): (u8, u8), mut c: u8, _: u8) {}
