//! What was configured by the API.

use super::state::State;
use crate::store::Outcome;
use crate::store::senders::{ConfiguredByApi, NumberRecord, SenderChange, SenderSettings};
use crate::store::webhooks::{WebhookChange, WebhookSetting};
use domain::ids::ProjectKey;

impl State {
    pub(super) fn change_sender(&mut self, change: &SenderChange) -> Outcome {
        let existed = match change {
            SenderChange::Put(sender) => {
                self.api_senders.insert(sender.key, sender.clone());
                true
            }
            SenderChange::Set(settings) => return self.set_sender(settings),
            SenderChange::Delete(key) => {
                self.default_senders.retain(|_, default| default != key);
                self.publishing.forget(*key);
                self.api_senders.remove(key).is_some()
            }
            SenderChange::PutNumber(number) => {
                let key = (number.project, number.number.clone());
                self.numbers.insert(key, number.clone());
                true
            }
            SenderChange::DeleteNumber(project, number) => {
                self.numbers.remove(&(*project, number.clone())).is_some()
            }
        };
        if existed {
            Outcome::Done
        } else {
            Outcome::Missing
        }
    }

    fn set_sender(&mut self, settings: &SenderSettings) -> Outcome {
        // First what may find nothing to change.
        let outcome = match &settings.webhook {
            None => Outcome::Done,
            Some(WebhookSetting::Clear) => {
                self.publishing.forget(settings.sender);
                Outcome::Done
            }
            Some(setting) => self.publishing.change(&WebhookChange {
                project: settings.project,
                sender: settings.sender,
                at: settings.at,
                setting: setting.clone(),
            }),
        };
        if let Outcome::Missing = outcome {
            return outcome;
        }
        if let Some(record) = &settings.record {
            self.api_senders.insert(record.key, record.clone());
        }
        if settings.make_default {
            self.default_senders
                .insert(settings.project, settings.sender);
        }
        outcome
    }

    pub(super) fn configured_by_api(&self) -> ConfiguredByApi {
        ConfiguredByApi {
            senders: self.api_senders.values().cloned().collect(),
            defaults: self
                .default_senders
                .iter()
                .map(|it| (*it.0, *it.1))
                .collect(),
        }
    }

    pub(super) fn list_numbers(&self, project: ProjectKey) -> Vec<NumberRecord> {
        let numbers = self.numbers.values().filter(|it| it.project == project);
        numbers.cloned().collect()
    }
}
