//! `/api/v2/alerts/groups`: alerts as they are grouped for notifications.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::query::Query;
use super::refusal::Refusal;
use super::request::TakesJson;
use super::{Api, alerts, dto, json};

/// `GET`: groups with at least one alert that passes the filters.
pub(super) async fn list(State(api): State<Api>, _: TakesJson, RawQuery(query): RawQuery) -> Result<Response, Refusal> {
    let filter = Query::new(query.as_deref()).alert_filter(api.state.options.mode)?;
    let rows = api.state.handle.view(move |view| view.groups(&filter)).await?;
    let big = rows.iter().map(|group| group.alerts.len()).sum::<usize>() >= alerts::MANY;
    Ok(json::response_aside(StatusCode::OK, big, dto::Groups(rows)).await)
}
