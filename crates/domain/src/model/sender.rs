//! Senders: who a message is from.

use std::sync::Arc;

use crate::ids::{ProjectKey, RouteKey, SenderKey};
use crate::model::consent::KeywordPolicy;
use crate::model::content::TemplateUse;
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
    pub default_template: Option<TemplateUse>,
    /// Seconds without `delivered` that count as failure, where the message does not say (R-FALL-5).
    pub fallback_after: Option<Millis>,
    /// Which words opt out, in again, and ask for help, and what they are answered (R-IN-2).
    pub keywords: KeywordPolicy,
    /// When it was first configured.
    pub created_at: Timestamp,
}
