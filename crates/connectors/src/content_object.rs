//! The API's `content` object, which a message of another kind than text carries as JSON: read by
//! connectors that send it, written by those that hear of it.

use domain::model::content::Content;
use serde::{Deserialize, Serialize};

/// The `content` object, all of its fields optional (reference: zavu-api 3.2).
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ContentObject {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) media_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) media_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mime_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) filename: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) latitude: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) longitude: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) location_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) location_address: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) contacts: Vec<Card>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) buttons: Vec<Button>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) list_button: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) sections: Vec<Section>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cta_display_text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cta_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cta_header_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cta_header_text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cta_header_media_url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) footer_text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) emoji: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) react_to_message_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) referral: Option<serde_json::Value>,
}

/// A contact card.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Card {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) phones: Vec<String>,
}

/// A button that answers.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Button {
    pub(crate) id: String,
    pub(crate) title: String,
}

/// A section of a list.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Section {
    #[serde(default)]
    pub(crate) title: String,
    pub(crate) rows: Vec<Row>,
}

/// A row of a list.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
}

impl ContentObject {
    /// The object of a message; the empty one where it has none. `None`: it is not one.
    pub(crate) fn of(content: &Content) -> Option<Self> {
        match content.extra.as_deref() {
            None => Some(Self::default()),
            Some(text) => serde_json::from_str(text).ok(),
        }
    }

    /// The JSON text as a message keeps it; `None` for the empty object.
    pub(crate) fn to_extra(&self) -> Option<Box<str>> {
        if *self == Self::default() {
            return None;
        }
        serde_json::to_string(self).ok().map(String::into_boxed_str)
    }
}
