//! `/`: a plain page with links, until there is a real one.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::Api;

/// Says what this is and where things are. Links are relative, so that any prefix before ours works.
pub(super) async fn show(State(api): State<Api>) -> Response {
    let version = escape(&api.state.options.version.version);
    let url = escape(&api.state.options.external_url);
    let page = format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Alertmanager</title>\n\
         <h1>Alertmanager</h1>\n\
         <p>alertmanager-operator's worker, version {version}, known to others as {url}.\n\
         There is no web page for alerts and silences yet; amtool and Grafana work with the API.</p>\n\
         <ul>\n\
         <li><a href=\"api/v2/alerts\">Alerts</a>, <a href=\"api/v2/alerts/groups\">in groups</a></li>\n\
         <li><a href=\"api/v2/silences\">Silences</a></li>\n\
         <li><a href=\"api/v2/receivers\">Receivers</a></li>\n\
         <li><a href=\"api/v2/status\">Status</a>, <a href=\"-/ready\">readiness</a>, \
         <a href=\"-/config\">config hash</a></li>\n\
         <li><a href=\"metrics\">Metrics</a></li>\n\
         </ul>\n</html>\n"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-cache, no-store, must-revalidate"),
    ];
    (headers, page).into_response()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
