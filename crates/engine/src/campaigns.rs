//! The short names of campaigns: made by the store when a name is first seen, and remembered here.

use std::collections::HashMap;

use domain::ids::{CampaignKey, ProjectKey};
use domain::model::message::Campaign;
use parking_lot::RwLock;
use ports::store::{Registered, Unavailable};

use crate::Inner;

/// Names that are remembered; beyond that, they are asked for anew.
const REMEMBERED: usize = 10_000;

/// Names that were seen.
#[derive(Debug, Default)]
pub(crate) struct Campaigns(RwLock<HashMap<(ProjectKey, Box<str>), CampaignKey>>);

/// The campaign of this name.
pub(crate) async fn named(
    inner: &Inner,
    project: ProjectKey,
    name: Box<str>,
) -> Result<Campaign, Unavailable> {
    let place = (project, name);
    if let Some(key) = inner.campaigns.0.read().get(&place) {
        let (key, name) = (*key, place.1);
        return Ok(Campaign { key, name });
    }
    let registered = Registered::Campaign(project, place.1.clone());
    let (key, _) = inner.store.register(registered, inner.now()).await?;
    let (key, name) = (CampaignKey(key), place.1.clone());
    let mut known = inner.campaigns.0.write();
    if known.len() >= REMEMBERED {
        known.clear();
    }
    known.insert(place, key);
    Ok(Campaign { key, name })
}
