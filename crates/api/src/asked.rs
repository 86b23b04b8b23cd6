//! How does a handler begin? One that takes a body, with who asks and a body that is not opened yet: what
//! the path names is looked for first, so that a wrong id is 404 whatever the body says. One that lists,
//! with who asks and the parameters of the list.

use std::marker::PhantomData;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use crate::ApiState;
use crate::auth::{Caller, Scopes};
use crate::body::{self, ReadBody};
use crate::error::{ApiError, FieldError};
use crate::page::{Params, Query};

/// A request with a body.
pub(crate) struct Asked<T> {
    pub(crate) api: Arc<ApiState>,
    pub(crate) caller: Caller,
    pub(crate) body: Unopened<T>,
}

impl<T> Asked<T> {
    /// The same, for callers that may do this.
    pub(crate) fn by(self, scope: Scopes) -> Result<Self, ApiError> {
        self.caller.may(scope)?;
        Ok(self)
    }
}

impl<T> FromRequest<Arc<ApiState>> for Asked<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, api: &Arc<ApiState>) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let caller = Caller::from_request_parts(&mut parts, api).await?;
        let read = Bytes::from_request(Request::from_parts(parts, body), api).await;
        Ok(Self {
            api: Arc::clone(api),
            caller,
            body: Unopened {
                read,
                limit: api.limits.body_bytes,
                holds: PhantomData,
            },
        })
    }
}

/// A request for a list.
pub(crate) struct AskedList {
    api: Arc<ApiState>,
    caller: Caller,
    query: Query,
}

impl AskedList {
    /// Who asks, and the parameters that say what of the list, for callers that may see it.
    pub(crate) fn by(self, scope: Scopes) -> Result<(Arc<ApiState>, Caller, Params), ApiError> {
        self.caller.may(scope)?;
        Ok((self.api, self.caller, Params::new(self.query)?))
    }
}

impl FromRequestParts<Arc<ApiState>> for AskedList {
    type Rejection = ApiError;

    async fn from_request_parts(
        parts: &mut Parts,
        api: &Arc<ApiState>,
    ) -> Result<Self, Self::Rejection> {
        let caller = Caller::from_request_parts(parts, api).await?;
        let Ok(query) = Query::from_request_parts(parts, api).await;
        Ok(Self {
            api: Arc::clone(api),
            caller,
            query,
        })
    }
}

/// A body that should hold this, as far as it could be read.
pub(crate) struct Unopened<T> {
    read: ReadBody,
    limit: usize,
    holds: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Unopened<T> {
    /// What it holds, and the fields in it that nobody knows.
    pub(crate) fn open(self) -> Result<(T, Vec<FieldError>), ApiError> {
        let bytes = body::bytes(self.read, self.limit)?;
        let mut unknown = Vec::new();
        let input = body::parse(&bytes, &mut unknown)?;
        Ok((input, unknown))
    }
}

impl<T: DeserializeOwned + Default> Unopened<T> {
    /// The same, where the body may be left out; white space alone says nothing either.
    pub(crate) fn open_if_any(self) -> Result<(T, Vec<FieldError>), ApiError> {
        match &self.read {
            Ok(bytes) if bytes.trim_ascii().is_empty() => Ok((T::default(), Vec::new())),
            Ok(_) | Err(_) => self.open(),
        }
    }
}
