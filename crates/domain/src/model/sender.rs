//! Senders: who a message is from.

use std::sync::Arc;

use crate::ids::{ProjectKey, RouteKey, SenderKey};
use crate::model::template::TemplateRef;
use crate::time::{Millis, Timestamp};

/// Who a message is from. Its channels follow from its routes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sender {
    /// The store's name for it.
    pub key: SenderKey,
    /// The operator's name for it; the public id.
    pub id: Arc<str>,
    /// Whose it is.
    pub project: ProjectKey,
    /// What people call it.
    pub name: Arc<str>,
    /// The address recipients see on phone-addressed channels; empty for one-way senders.
    pub address: Arc<str>,
    /// Whether it is the project's default.
    pub is_default: bool,
    /// Its routes, in its own order of preference (the last tie-break of R-CHAN-3).
    pub routes: Vec<RouteKey>,
    /// Template used on WhatsApp when the window is closed and the message has none (R-WIN-2).
    pub default_template: Option<TemplateRef>,
    /// Seconds without `delivered` that count as failure, where the message does not say (R-FALL-5).
    pub fallback_after: Option<Millis>,
    /// When it was first configured.
    pub created_at: Timestamp,
}
