//! The page behind a link to unsubscribe: a button, because programs follow links that people did not.

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;

use super::{Read, Trouble, html};
use crate::api::{Api, is_link};
use crate::form::{Anybody, Id};
use crate::problem::Problem;

pub(super) fn routes() -> Router<Arc<Api>> {
    Router::new().route("/unsubscribe/{token}", get(show))
}

/// Shows the button and changes nothing. The form goes to where the page came from, so that it needs no token.
async fn show(Read(Anybody): Read<Anybody>, Read(Id(token)): Read<Id>) -> Result<Response, Trouble> {
    if !is_link(&token) {
        return Err(Problem::new(StatusCode::NOT_FOUND, "there is no such link")
            .wanted("a link from a mail of this router")
            .found("another one")
            .next("open the link in the mail again")
            .into());
    }
    let text = "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">\
        <meta name=\"viewport\" content=\"width=device-width\"><title>Dice: no more mail</title>\n\
        <h1>No more of these mails?</h1>\n\
        <form method=\"post\"><input type=\"hidden\" name=\"List-Unsubscribe\" value=\"One-Click\">\
        <button>Stop them</button></form>\n</html>\n";
    Ok(html(StatusCode::OK, text.to_owned()))
}
