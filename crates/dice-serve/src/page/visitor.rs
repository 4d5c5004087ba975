//! Whoever looks at a page.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::header::LOCATION;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};

use super::lobby::Said;
use super::words::Words;
use super::{Trouble, html};
use crate::Scope;
use crate::api::Api;
use crate::form::peer;
use crate::gate::{Barred, Caller, Identity, is_foreign, session};
use crate::problem::Problem;

/// Somebody who may look.
#[derive(Debug)]
pub(crate) struct Visitor {
    pub(super) caller: Caller,
    /// Whether they may do what the buttons do.
    pub(super) may_act: bool,
    /// Whether they have a session that they can end.
    pub(super) has_session: bool,
    /// What their forms show.
    pub(super) seal: String,
    /// Names the forms of this page.
    pub(super) press: String,
    /// Where they are.
    pub(super) back: String,
    /// What they just did.
    pub(super) said: Option<Said>,
    pub(super) now_ms: i64,
}

impl FromRequestParts<Arc<Api>> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, api: &Arc<Api>) -> Result<Visitor, Response> {
        let headers = &parts.headers;
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        if parts.method == Method::GET && is_foreign(headers) {
            return Err(step());
        }
        let (identity, session) = match api.gate.identify(headers) {
            Identity::Nobody => (api.lobby.identify(api, headers), session(headers)),
            identity => (identity, None),
        };
        let who = match &identity {
            Identity::Known { name, .. } => format!("token {name}"),
            _ => peer(parts),
        };
        api.allow(&who).map_err(|problem| Trouble(problem).into_response())?;
        let caller = match api.gate.admit(&identity, headers, Scope::Read) {
            Ok(caller) => caller,
            Err(Barred::NoToken) if parts.method == Method::GET => {
                return Err(go(&format!("/login?next={}", path.escaped())));
            }
            Err(barred) => return Err(Trouble(Problem::from(barred)).into_response()),
        };
        let seal = api.lobby.seal(&caller.actor, session);
        let (back, said) = match path.rsplit_once(['?', '&']) {
            Some((back, last)) => match last.strip_prefix("said=") {
                Some(name) => (back.to_owned(), api.lobby.said(&seal, name)),
                None => (path.to_owned(), None),
            },
            None => (path.to_owned(), None),
        };
        Ok(Visitor {
            may_act: api.gate.admit(&identity, headers, Scope::Act).is_ok(),
            has_session: session.is_some(),
            press: api.lobby.press(),
            now_ms: api.desk.now_ms(),
            caller,
            seal,
            back,
            said,
        })
    }
}

/// Goes on to a path of our own.
pub(super) fn go(path: &str) -> Response {
    let mut response = Response::new(axum::body::Body::empty());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let path = HeaderValue::from_str(path).unwrap_or(HeaderValue::from_static("/"));
    response.headers_mut().insert(LOCATION, path);
    response
}

/// A path of our own to go back to, or the first page.
pub(super) fn own_path(path: &str) -> &str {
    let is_own = path.starts_with('/')
        && !path.starts_with("//")
        && path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_own { path } else { "/" }
}

/// A page that asks for itself again. A browser that follows a link of another site shows no session, and where
/// there are no tokens it is not answered; when our own page sends it, it does and is.
fn step() -> Response {
    let text = "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\
        <meta name=\"viewport\" content=\"width=device-width\"><meta http-equiv=\"refresh\" content=\"0\">\
        <title>Dice</title>\n<p><a href=\"\">Go on</a></p>\n</html>\n";
    html(StatusCode::OK, text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::own_path;

    #[test]
    fn only_our_own_pages_are_gone_back_to() {
        assert_eq!(own_path("/episodes?all=true"), "/episodes?all=true");
        for path in ["", "//evil.example", "/\\evil.example", "https://evil.example", "/a\r\nb", "x"] {
            assert_eq!(own_path(path), "/", "{path}");
        }
    }
}
