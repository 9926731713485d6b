//! `/api/v2/alerts/groups`: alerts as they are grouped for notifications.

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::query::Query;
use super::request::TakesJson;
use super::{Api, alerts, dto, json};

/// `GET`: groups with at least one alert that passes the filters.
pub(super) async fn list(State(api): State<Api>, _: TakesJson, RawQuery(query): RawQuery) -> Response {
    let filter = match Query::new(query.as_deref()).alert_filter(api.state.options.mode) {
        Ok(filter) => filter,
        Err(refused) => return refused,
    };
    match api.state.handle.view(move |view| view.groups(&filter)).await {
        Ok(rows) => {
            let big = rows.iter().map(|group| group.alerts.len()).sum::<usize>() >= alerts::MANY;
            json::response_aside(StatusCode::OK, big, dto::Groups(rows)).await
        }
        Err(stopped) => stopped.into_response(),
    }
}
