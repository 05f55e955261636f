//! Errors as answers.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::api::{ErrorBody, ErrorCode};
use crate::record::SignError;
use crate::registry::{PublishError, RegistryError, Unanswered};

/// An answer that is no success.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) ErrorBody);

impl Refusal {
    pub(super) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self(ErrorBody::new(code, message))
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.error.code.status());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, axum::Json(self.0)).into_response();
        let (name, value) = match status {
            StatusCode::UNAUTHORIZED => (header::WWW_AUTHENTICATE, "Bearer"),
            StatusCode::SERVICE_UNAVAILABLE => (header::RETRY_AFTER, "1"),
            _ => return response,
        };
        response.headers_mut().insert(name, HeaderValue::from_static(value));
        response
    }
}

impl From<RegistryError> for Refusal {
    fn from(error: RegistryError) -> Self {
        let code = match &error {
            RegistryError::Closed | RegistryError::Cancelled => ErrorCode::Stopping,
            RegistryError::Query(_) => ErrorCode::BadQuery,
            RegistryError::Unanswered(Unanswered::Busy) => ErrorCode::Busy,
            RegistryError::Unanswered(_) => ErrorCode::Unanswered,
            RegistryError::Conflict(_) => ErrorCode::Conflict,
            RegistryError::Config(_) | RegistryError::Store(_) | RegistryError::OtherKey { .. } => {
                ErrorCode::Internal
            }
        };
        Self::new(code, error.to_string())
    }
}

impl From<PublishError> for Refusal {
    fn from(error: PublishError) -> Self {
        let code = match &error {
            PublishError::Closed => ErrorCode::Stopping,
            PublishError::NoKey => ErrorCode::Internal,
            PublishError::Sign(SignError::TooLarge { .. }) => ErrorCode::TooLarge,
            PublishError::Sign(SignError::NotOwn { .. }) => ErrorCode::NotOwn,
            PublishError::Sign(_) => ErrorCode::BadManifest,
            PublishError::AlreadyPublished(_) => ErrorCode::AlreadyPublished,
            PublishError::NotPublished(_) => ErrorCode::NotPublished,
            PublishError::AlreadyYanked(_) => ErrorCode::AlreadyYanked,
            PublishError::ListUnknown { .. } => ErrorCode::Unanswered,
            PublishError::Busy { .. } => ErrorCode::Busy,
            PublishError::Store(_) => ErrorCode::Storage,
        };
        Self::new(code, error.to_string())
    }
}
