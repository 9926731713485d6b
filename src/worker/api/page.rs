//! `/`: the page, its files under `assets/`, and what else browsers and bookmarks ask for.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use ui::Asset;

use super::{Api, plain, refusal};

/// A file is asked for again, and answered "as before" while its tag is.
const REVALIDATE: &str = "no-cache";

/// All paths with what serves them.
pub(super) fn paths() -> Vec<(&'static str, MethodRouter<Api>)> {
    let read = |methods| plain("GET, OPTIONS", methods);
    vec![
        ("/", read(get(index))),
        ("/assets/{name}", read(get(asset))),
        ("/favicon.ico", read(get(favicon))),
        ("/ui", read(get(moved))),
        ("/ui/", read(get(moved))),
    ]
}

/// The document. All links in it are relative, so that any prefix before ours works.
async fn index(headers: HeaderMap) -> Response {
    let Some(index) = ui::asset("index.html") else { return refusal::not_found() };
    let mut response = file(index, &headers);
    let strict = [
        (header::CONTENT_SECURITY_POLICY, ui::CONTENT_SECURITY_POLICY),
        (header::REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    for (name, value) in strict {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn asset(Path(name): Path<String>, headers: HeaderMap) -> Response {
    match ui::asset(&name).filter(|asset| asset.name != "index.html") {
        Some(asset) => file(asset, &headers),
        None => refusal::not_found(),
    }
}

async fn favicon(headers: HeaderMap) -> Response {
    ui::asset("favicon.svg").map_or_else(refusal::not_found, |icon| file(icon, &headers))
}

/// Where a later version of the reference has its page; browsers keep what is after `#`.
async fn moved(State(api): State<Api>) -> Response {
    refusal::redirect(StatusCode::FOUND, &Method::GET, &format!("{}/", api.prefix))
}

fn file(asset: &'static Asset, headers: &HeaderMap) -> Response {
    let known = headers.get_all(header::IF_NONE_MATCH).iter().any(|tag| tag.as_bytes() == asset.tag.as_bytes());
    let takes = |coding: &str| super::gzip::takes(headers, coding);
    let (body, coding) = match () {
        () if takes("br") => (asset.brotli, Some("br")),
        () if takes("gzip") => (asset.gzip, Some("gzip")),
        () => (asset.raw, None),
    };
    let mut response = match known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => body.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(header::ETAG, HeaderValue::from_static(asset.tag));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(REVALIDATE));
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if !known {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.media_type));
        if let Some(coding) = coding {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
    }
    response
}
