//! What happens in the demo: sample contacts, and a trickle of messages that shows every kind of
//! decision. It is a client like any other and speaks to the server by its API.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{Client, ClientError};
use crate::config::Secret;

/// Time between two scenes.
const PACE: Duration = Duration::from_millis(1_500);

/// The sample contacts. The last digits of a number choose what its simulator does
/// (`docs/reference/simulator.md`).
const CONTACTS: [(&str, &str); 8] = [
    ("+40722000101", "Ana Popescu"),
    ("+40722000102", "Mihai Ionescu"),
    ("+491512000103", "Greta Neumann"),
    ("+33612000104", "Luc Moreau"),
    ("+40722000003", "Radu (number gone)"),
    ("+40722000012", "Ioana (falls back to SMS)"),
    ("+40722000011", "Dan (not on WhatsApp)"),
    ("+40722000009", "Vlad (slow phone)"),
];

/// One thing that happens.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Scene {
    /// A person writes to us.
    Inbound {
        who: usize,
        channel: &'static str,
        text: &'static str,
    },
    /// We write to a person.
    Outbound {
        who: usize,
        text: &'static str,
        kind: Kind,
    },
}

/// How we write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// Let the router choose.
    Auto,
    /// By SMS, whatever the statistics say.
    Sms,
    /// A one-time code.
    Code,
    /// A promotion: bulk.
    Promotion,
    /// From the sender that has no WhatsApp.
    Alert,
}

/// The scenes, played over and over.
const SCENES: [Scene; 14] = [
    Scene::Outbound {
        who: 0,
        text: "Your parcel arrives today between 14:00 and 16:00.",
        kind: Kind::Auto,
    },
    Scene::Inbound {
        who: 0,
        channel: "whatsapp",
        text: "Can you come after 17:00?",
    },
    Scene::Outbound {
        who: 0,
        text: "Yes, we will be there at 17:30.",
        kind: Kind::Auto,
    },
    Scene::Outbound {
        who: 1,
        text: "739201 is your code. It is valid for ten minutes.",
        kind: Kind::Code,
    },
    Scene::Outbound {
        who: 2,
        text: "Weekend sale: 20 % off everything. Reply STOP to opt out.",
        kind: Kind::Promotion,
    },
    Scene::Outbound {
        who: 3,
        text: "Weekend sale: 20 % off everything. Reply STOP to opt out.",
        kind: Kind::Promotion,
    },
    Scene::Inbound {
        who: 5,
        channel: "whatsapp",
        text: "Where is my order?",
    },
    Scene::Outbound {
        who: 5,
        text: "It left the warehouse this morning.",
        kind: Kind::Auto,
    },
    Scene::Outbound {
        who: 4,
        text: "Please call us about your appointment.",
        kind: Kind::Sms,
    },
    Scene::Inbound {
        who: 3,
        channel: "sms",
        text: "What are your opening hours?",
    },
    Scene::Outbound {
        who: 3,
        text: "Monday to Friday, 9 to 18.",
        kind: Kind::Auto,
    },
    Scene::Outbound {
        who: 6,
        text: "Your invoice is ready.",
        kind: Kind::Auto,
    },
    Scene::Outbound {
        who: 7,
        text: "Your table for two is reserved for 20:00.",
        kind: Kind::Auto,
    },
    Scene::Outbound {
        who: 1,
        text: "Disk usage on web-2 is at 91 %.",
        kind: Kind::Alert,
    },
];

/// Makes the contacts and plays the scenes until the server is gone.
pub(crate) async fn play(url: String, key: Secret) {
    if let Err(error) = act(&url, &key).await {
        tracing::debug!(%error, "the demo's traffic has ended");
    }
}

async fn act(url: &str, key: &Secret) -> Result<(), ClientError> {
    let client = Client::with(url, key)?;
    for (number, name) in CONTACTS {
        tolerate(
            client
                .post(&["contacts"], &contact(number, name), None)
                .await,
        )?;
    }
    for scene in SCENES.iter().cycle() {
        let (path, body, sender) = request(scene);
        tolerate(client.post(path, &body, sender).await)?;
        tokio::time::sleep(PACE).await;
    }
    Ok(())
}

/// A refusal is part of the play; a server that does not answer ends it.
fn tolerate(answer: Result<Value, ClientError>) -> Result<(), ClientError> {
    match answer {
        Ok(_) => Ok(()),
        Err(ClientError::Refused(why)) => {
            tracing::warn!(why, "the server refused a message of the demo");
            Ok(())
        }
        Err(error) => Err(error),
    }
}

fn contact(number: &str, name: &str) -> Value {
    let channel = |channel: &str| json!({"channel": channel, "identifier": number});
    json!({"displayName": name, "channels": [channel("sms"), channel("whatsapp")]})
}

/// The request that a scene makes: path, body, sender.
fn request(scene: &Scene) -> (&'static [&'static str], Value, Option<&'static str>) {
    match *scene {
        Scene::Inbound { who, channel, text } => (
            &["simulator", "inbound"],
            json!({"from": CONTACTS[who].0, "channel": channel, "text": text}),
            None,
        ),
        Scene::Outbound { who, text, kind } => {
            let mut body = json!({"to": CONTACTS[who].0, "text": text});
            match kind {
                Kind::Auto | Kind::Alert => {}
                Kind::Sms => body["channel"] = json!("sms"),
                Kind::Code => body["category"] = json!("otp"),
                Kind::Promotion => body["category"] = json!("promotional"),
            }
            (
                &["messages"],
                body,
                (kind == Kind::Alert).then_some("alerts"),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scene_is_about_a_sample_contact_with_a_possible_number() {
        for (number, name) in CONTACTS {
            assert!(domain::phone::PhoneNumber::parse(number).is_ok(), "{name}");
        }
        for scene in &SCENES {
            let (_, body, _) = request(scene);
            let person = body["to"].as_str().or(body["from"].as_str()).unwrap();
            assert!(
                CONTACTS.iter().any(|(number, _)| *number == person),
                "{scene:?}"
            );
        }
    }

    #[test]
    fn a_person_who_wrote_is_answered_next() {
        for pair in SCENES.windows(2) {
            if let [Scene::Inbound { who, .. }, next] = pair {
                assert!(
                    matches!(next, Scene::Outbound { who: answered, kind: Kind::Auto, .. } if answered == who)
                );
            }
        }
    }
}
