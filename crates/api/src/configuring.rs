//! How is something changed that is configured? One change at a time, and each to its end.

use std::sync::Arc;

use axum::response::Response;

use crate::ApiState;
use crate::error::ApiError;

/// Makes a change of senders or numbers while there is no other, and to its end though its caller goes
/// away: else it would be half done, or kept and not taken into use.
pub(crate) async fn alone(
    api: &Arc<ApiState>,
    change: impl Future<Output = Result<Response, ApiError>> + Send + 'static,
) -> Result<Response, ApiError> {
    let engine = api.engine.clone();
    let task = tokio::spawn(async move {
        let _alone = engine.configuring().await;
        change.await
    });
    task.await
        .unwrap_or_else(|_| Err(ApiError::internal("a change of what is configured broke")))
}
