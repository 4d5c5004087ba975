//! What stands at the door: where Dice listens, for what, and who may come in; one line on standard error.

use std::net::SocketAddr;

use dice_config::ServerSettings;

use crate::screen::plain;

/// Says where the API and the pages are, which sources take lines there, and how keys are shown.
pub(super) fn of_api(address: SocketAddr, server: &ServerSettings, sources: &[String]) {
    put(&api(address, server, sources));
}

/// Says where lines of one source may be posted.
pub(super) fn of_lines(address: SocketAddr, source: &str, token_env: Option<&str>) {
    put(&lines(address, source, token_env));
}

/// Who wants to hear of errors only (`DICE_LOG=error`) does not hear of it.
fn put(text: &str) {
    if tracing::enabled!(tracing::Level::WARN) {
        anstream::eprintln!("{}", plain(text));
    }
}

fn api(address: SocketAddr, server: &ServerSettings, sources: &[String]) -> String {
    let lines = match sources {
        [] => String::new(),
        sources => format!(", lines of {} at /v1/lines", sources.join(", ")),
    };
    let keys: Vec<String> =
        server.keys.iter().map(|key| format!("{} ({})", key.name, key.scopes.join(" "))).collect();
    let keys = match keys.as_slice() {
        [] => "no keys: whoever is on this machine may do everything".to_owned(),
        keys => format!(
            "keys: {}; a browser logs in with one, a program sends the header Authorization: Bearer TOKEN",
            keys.join(", ")
        ),
    };
    format!("listening on http://{address}: pages at /, the API at /api/v1/openapi.json{lines}; {keys}")
}

fn lines(address: SocketAddr, source: &str, token_env: Option<&str>) -> String {
    let token = match token_env {
        None => "no token: programs of this machine may send them".to_owned(),
        Some(name) => format!("with the header Authorization: Bearer TOKEN, the one in ${name}"),
    };
    format!("listening on http://{address}: lines of {source} at /v1/lines, {token}")
}

#[cfg(test)]
mod tests {
    use dice_config::{KeySettings, ServerSettings};

    use super::{api, lines};

    #[test]
    fn it_says_where_for_what_and_for_whom() {
        let address = "127.0.0.1:8600".parse().unwrap();
        let mut server = ServerSettings::at(address);
        assert_eq!(
            api(address, &server, &[]),
            "listening on http://127.0.0.1:8600: pages at /, the API at /api/v1/openapi.json; no keys: whoever is \
             on this machine may do everything"
        );
        server.keys = [("ci", "configure"), ("app", "lines:write")]
            .map(|(name, scope)| KeySettings {
                name: name.to_owned(),
                scopes: vec![scope.to_owned()],
                token_env: "X".to_owned(),
            })
            .into();
        assert_eq!(
            api(address, &server, &["push".to_owned()]),
            "listening on http://127.0.0.1:8600: pages at /, the API at /api/v1/openapi.json, lines of push at \
             /v1/lines; keys: ci (configure), app (lines:write); a browser logs in with one, a program sends the \
             header Authorization: Bearer TOKEN"
        );
        assert_eq!(
            lines(address, "push", Some("PUSH_TOKEN")),
            "listening on http://127.0.0.1:8600: lines of push at /v1/lines, with the header Authorization: \
             Bearer TOKEN, the one in $PUSH_TOKEN"
        );
    }
}
