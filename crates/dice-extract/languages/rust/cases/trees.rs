//! Calls inside the arguments of other macros, and files that the grammar does not take.

use tokio::select;

async fn serve(mut stop: Stop) {
    tokio::select! {
        result = accept() => {
            if let Err(e) = result {
                log!(log::Level::Error, "accept failed: {e}");
            }
        }
        _ = stop.recv() => info!("stopping"),
    }
    cfg_if::cfg_if! {
        if #[cfg(unix)] {
            fn signal() {
                warn!("unix only");
            }
        } else {
            fn signal() {
                warn!("elsewhere");
            }
        }
    }
    lazy_static! {
        static ref POOL: Pool = Pool::new().expect("a pool of threads");
    }
    assert_ui(str![[r#"
        error!("in a string")
    "#]]);
    error!("{}", run().expect("inner"));
    let c = '"'; info!("after a quote"); let d: &'static str = "//"; info!("after slashes");
    /* /* nested */ info!("commented out") */
    debug!("on one line {}", 1); debug!("and another"); // #oncall @ann
    trace!("owned by mail"); // owner: dev@example.org
    trace!(
        "long"
    ); /* #late */
}

fn unclosed() {
    info!("still found"
