//! What does Meta tell of a template? (reference: protocols 1.2, 1.7)

use domain::model::content::PriceCategory;
use domain::model::template::TemplateStatus;
use ports::provider::TemplateUpdate;
use serde_json::Value;

use super::tree;

/// The update that a change of this field is; `None` for all other fields.
pub(super) fn read(field: &str, value: &Value) -> Option<TemplateUpdate> {
    let mut update = TemplateUpdate {
        provider_id: tree::id(value, "message_template_id")?.into_boxed_str(),
        name: tree::text(value, "message_template_name")
            .unwrap_or_default()
            .into(),
        language: tree::text(value, "message_template_language")
            .unwrap_or_default()
            .into(),
        status: None,
        category: None,
        reason: None,
    };
    match field {
        "message_template_status_update" => {
            update.status = tree::text(value, "event").and_then(status);
            update.category = tree::text(value, "message_template_category").and_then(category);
            update.reason = reason(value);
        }
        "template_category_update" => {
            update.category = tree::text(value, "new_category").and_then(category);
            let next = tree::text(value, "correct_category");
            update.reason = next.map(|it| format!("Meta will make it {it} within a day").into());
        }
        "message_template_quality_update" => {
            let old = tree::text(value, "previous_quality_score").unwrap_or("UNKNOWN");
            let new = tree::text(value, "new_quality_score")?;
            update.reason = Some(format!("quality {old} to {new}").into());
        }
        _ => return None,
    }
    Some(update)
}

/// Why, in as many words as Meta has. A reason of `NONE` is none.
fn reason(value: &Value) -> Option<Box<str>> {
    let within = |object: &str, key: &str| value.get(object).and_then(|it| tree::text(it, key));
    let words = [
        tree::text(value, "reason").filter(|it| *it != "NONE"),
        within("rejection_info", "reason"),
        within("rejection_info", "recommendation"),
        within("other_info", "title"),
        within("other_info", "description"),
    ];
    let words: Vec<&str> = words.into_iter().flatten().collect();
    (!words.is_empty()).then(|| words.join(": ").into())
}

/// Where a template stands, by Meta's word in its list or in an event; `None` for words that change
/// nothing (`LOCKED` forbids edits only) or that nobody documented.
///
/// A flagged template can still be sent. What is gone, going or put away cannot.
pub(super) fn status(word: &str) -> Option<TemplateStatus> {
    match word {
        "APPROVED" | "REINSTATED" | "FLAGGED" | "UNARCHIVED" => Some(TemplateStatus::Approved),
        "PENDING" | "IN_APPEAL" => Some(TemplateStatus::Pending),
        "REJECTED" => Some(TemplateStatus::Rejected),
        "PAUSED" => Some(TemplateStatus::Paused),
        "DISABLED" | "DELETED" | "PENDING_DELETION" | "ARCHIVED" | "LIMIT_EXCEEDED" => {
            Some(TemplateStatus::Disabled)
        }
        _ => None,
    }
}

/// A template's category by Meta's word, in either case.
pub(super) fn category(word: &str) -> Option<PriceCategory> {
    match word.to_ascii_uppercase().as_str() {
        "MARKETING" => Some(PriceCategory::Marketing),
        "UTILITY" => Some(PriceCategory::Utility),
        "AUTHENTICATION" => Some(PriceCategory::Authentication),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn template(extra: &Value) -> Value {
        let mut value = json!({
            "message_template_id": 1_689_556_908_129_832_u64,
            "message_template_name": "order_update",
            "message_template_language": "en_US",
        });
        for (key, it) in extra.as_object().unwrap() {
            value[key] = it.clone();
        }
        value
    }

    #[test]
    fn a_status_event_names_template_status_and_reason() {
        let value = template(&json!({"event": "REJECTED", "reason": "INVALID_FORMAT",
            "message_template_category": "UTILITY",
            "rejection_info": {"reason": "Variables at the end", "recommendation": "Add words"}}));
        let want = TemplateUpdate {
            provider_id: "1689556908129832".into(),
            name: "order_update".into(),
            language: "en_US".into(),
            status: Some(TemplateStatus::Rejected),
            category: Some(PriceCategory::Utility),
            reason: Some("INVALID_FORMAT: Variables at the end: Add words".into()),
        };
        assert_eq!(read("message_template_status_update", &value), Some(want));
    }

    #[test]
    fn every_documented_word_has_its_status() {
        for (word, want) in [
            ("APPROVED", Some(TemplateStatus::Approved)),
            ("REINSTATED", Some(TemplateStatus::Approved)),
            ("FLAGGED", Some(TemplateStatus::Approved)),
            ("UNARCHIVED", Some(TemplateStatus::Approved)),
            ("PENDING", Some(TemplateStatus::Pending)),
            ("IN_APPEAL", Some(TemplateStatus::Pending)),
            ("REJECTED", Some(TemplateStatus::Rejected)),
            ("PAUSED", Some(TemplateStatus::Paused)),
            ("DISABLED", Some(TemplateStatus::Disabled)),
            ("DELETED", Some(TemplateStatus::Disabled)),
            ("PENDING_DELETION", Some(TemplateStatus::Disabled)),
            ("ARCHIVED", Some(TemplateStatus::Disabled)),
            ("LIMIT_EXCEEDED", Some(TemplateStatus::Disabled)),
            ("LOCKED", None),
            ("SOMETHING_NEW", None),
        ] {
            assert_eq!(status(word), want, "{word}");
        }
    }

    #[test]
    fn a_category_that_meta_changed_is_told_and_one_that_it_will_change_is_announced() {
        let changed = json!({"previous_category": "UTILITY", "new_category": "MARKETING"});
        let update = read("template_category_update", &template(&changed)).unwrap();
        assert_eq!(update.category, Some(PriceCategory::Marketing));
        assert_eq!((update.status, update.reason), (None, None));

        let announced = json!({"correct_category": "MARKETING", "new_category": "UTILITY"});
        let update = read("template_category_update", &template(&announced)).unwrap();
        assert_eq!(update.category, Some(PriceCategory::Utility));
        assert_eq!(
            update.reason.as_deref(),
            Some("Meta will make it MARKETING within a day")
        );
    }

    #[test]
    fn a_change_of_quality_is_a_reason_without_a_status() {
        let value = json!({"previous_quality_score": "GREEN", "new_quality_score": "RED"});
        let update = read("message_template_quality_update", &template(&value)).unwrap();
        assert_eq!(update.reason.as_deref(), Some("quality GREEN to RED"));
        assert_eq!((update.status, update.category), (None, None));
    }

    #[test]
    fn other_fields_and_templates_without_an_id_are_nothing() {
        assert_eq!(read("account_update", &template(&json!({}))), None);
        assert_eq!(
            read(
                "message_template_status_update",
                &json!({"event": "APPROVED"})
            ),
            None
        );
    }
}
