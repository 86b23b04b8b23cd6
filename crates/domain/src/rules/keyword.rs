//! R-IN-2: STOP-type keywords (per language; the whole trimmed body) opt the contact out for the
//! sender on all channels, with one confirmation; START reverses it; HELP answers.
//!
//! A message is a keyword when all of it is one, whatever its case, accents, width, spacing and the
//! punctuation or emoji around it. A word inside a sentence is none. What a keyword changes is
//! answered once: a STOP that changes nothing gets no second confirmation, and START or "yes" from
//! a person who is not opted out is an ordinary message. HELP is answered every time, but nobody gets
//! more than a few answers an hour.

use unicode_normalization::UnicodeNormalization;

use crate::model::consent::{ConsentChange, ConsentScope, KeywordPolicy};
use crate::model::sender::Sender;

pub use crate::rules::keyword_words::Language;
use crate::rules::keyword_words::{USUAL, usual_reply};
use crate::time::Millis;

/// So many keywords of a person are answered within [`ANSWERS_WITHIN`]: enough for any person, few for
/// a machine that takes our answers for questions. What they change holds all the same.
pub const ANSWERS_MAX: u32 = 5;
/// How long answers are counted together.
pub const ANSWERS_WITHIN: Millis = Millis::hours(1);

/// Longest message that is looked at, in bytes: no keyword is longer.
const LONGEST: usize = 128;

/// What a keyword asks for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Keyword {
    /// No more messages.
    Stop,
    /// Messages again.
    Start,
    /// Messages again, where the person is opted out; else it is any "yes" of a conversation.
    Yes,
    /// Who is this?
    Help,
}

/// A keyword that was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Said {
    /// What it asks for.
    pub keyword: Keyword,
    /// The language of the word, for the answer.
    pub language: Language,
}

/// The keyword that a message consists of, if it is one.
pub fn keyword(text: &str, policy: &KeywordPolicy) -> Option<Said> {
    if !policy.enabled || text.len() > LONGEST {
        return None;
    }
    let said = fold(text);
    if said.is_empty() {
        return None;
    }
    let own = [
        (Keyword::Stop, &policy.stop),
        (Keyword::Start, &policy.start),
        (Keyword::Help, &policy.help),
    ];
    let own = own.into_iter().flat_map(|(keyword, words)| {
        let language = Language::En;
        let said = Said { keyword, language };
        words.iter().map(move |word| (said, &**word))
    });
    let usual = USUAL.iter().filter(|_| policy.usual_words);
    let usual = usual.flat_map(|(keyword, language, words)| {
        let said = Said {
            keyword: *keyword,
            language: *language,
        };
        words.iter().map(move |word| (said, *word))
    });
    own.chain(usual)
        .find(|(_, word)| fold(word) == said)
        .map(|it| it.0)
}

/// A text as keywords are compared: compatibility forms made plain, without accents, in lower case,
/// without anything but letters and digits at either end, every run of spaces one.
fn fold(text: &str) -> String {
    let is_accent = |it: &char| ('\u{300}'..='\u{36f}').contains(it);
    let plain = |text: &str| text.nfkd().filter(|it| !is_accent(it)).collect::<String>();
    // Once more after lower case, which makes "i" with a dot of the Turkish capital.
    let folded = plain(&plain(text).to_lowercase())
        .replace('ı', "i")
        .replace('ß', "ss");
    let words: Vec<_> = folded
        .trim_matches(|it: char| !it.is_alphanumeric())
        .split_whitespace()
        .collect();
    words.join(" ")
}

impl Keyword {
    /// What it changes. `wording` is the message as the person wrote it.
    pub fn change(self, wording: &str) -> Option<ConsentChange> {
        let opted_out = match self {
            Self::Stop => true,
            Self::Start | Self::Yes => false,
            Self::Help => return None,
        };
        Some(ConsentChange {
            opted_out,
            scope: ConsentScope::Everything,
            only_if_out: self == Self::Yes,
            wording: wording.trim().into(),
        })
    }

    /// Whether it is answered: a change once, when it changed something.
    pub const fn is_answered(self, changed: bool) -> bool {
        match self {
            Self::Stop | Self::Start | Self::Yes => changed,
            Self::Help => true,
        }
    }
}

/// What the sender answers: its own text or the usual one, its name and address filled in where the
/// text says `{sender}` and `{address}`. `None` where the operator wants no answer.
pub fn reply(said: Said, sender: &Sender) -> Option<Box<str>> {
    let policy = &sender.keywords;
    let own = match said.keyword {
        Keyword::Stop => &policy.stop_reply,
        Keyword::Start | Keyword::Yes => &policy.start_reply,
        Keyword::Help => &policy.help_reply,
    };
    let text = match own.as_deref() {
        Some(own) => own,
        None => usual_reply(said.keyword, said.language),
    };
    let contact = match &*sender.address {
        "" => &*sender.name,
        address => address,
    };
    let text = text.replace("{sender}", &sender.name);
    let text = text.replace("{address}", contact);
    (!text.trim().is_empty()).then(|| text.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{ProjectKey, SenderKey};
    use crate::model::sender::Origin;
    use crate::text::{Encoding, measure};
    use crate::time::Timestamp;

    fn said(text: &str) -> Option<Keyword> {
        keyword(text, &KeywordPolicy::default()).map(|it| it.keyword)
    }

    fn sender(keywords: KeywordPolicy) -> Sender {
        Sender {
            key: SenderKey(1),
            id: "support".into(),
            project: ProjectKey(1),
            name: "Acme support".into(),
            address: "+40700000001".into(),
            is_default: true,
            routes: Vec::new(),
            default_template: None,
            fallback_after: None,
            keywords,
            origin: Origin::File,
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
        }
    }

    #[test]
    fn every_usual_word_is_found_in_every_dress() {
        for (keyword, _, words) in USUAL {
            for word in *words {
                let dresses = [
                    (*word).to_owned(),
                    word.to_uppercase(),
                    word.to_lowercase(),
                    format!("  {word}\r\n"),
                    format!("\u{201e}{word}\u{201c}"),
                    format!("\"{word}!!!\""),
                    format!("{word}. \u{1f64f}"),
                    format!("/{word}"),
                    word.replace(' ', "   "),
                    word.nfd().collect(),
                    word.nfc().collect(),
                ];
                for text in dresses {
                    assert_eq!(said(&text), Some(*keyword), "{text:?}");
                }
            }
        }
    }

    #[test]
    fn no_usual_word_means_two_things() {
        let mut meanings = std::collections::BTreeMap::new();
        for (keyword, _, words) in USUAL {
            for word in *words {
                let meaning = *meanings.entry(fold(word)).or_insert(*keyword);
                assert_eq!(meaning, *keyword, "{word}");
            }
        }
    }

    #[test]
    fn accents_width_and_case_do_not_matter() {
        for (text, want) in [
            ("arre\u{302}t", Some(Keyword::Stop)),
            ("ARRÊT", Some(Keyword::Stop)),
            ("\u{ff33}\u{ff34}\u{ff2f}\u{ff30}", Some(Keyword::Stop)),
            ("İPTAL", Some(Keyword::Stop)),
            ("ıptal", Some(Keyword::Stop)),
            ("Dezabonare", Some(Keyword::Stop)),
            ("стоп", Some(Keyword::Stop)),
            ("STOP\u{a0}ALL", Some(Keyword::Stop)),
            ("start", Some(Keyword::Start)),
            ("Sí", Some(Keyword::Yes)),
            ("Ajutor?", Some(Keyword::Help)),
        ] {
            assert_eq!(said(text), want, "{text:?}");
        }
    }

    #[test]
    fn a_word_inside_a_sentence_is_no_keyword() {
        for text in [
            "",
            "   ",
            "!!!",
            "please stop",
            "stop texting me",
            "Stop. I changed my mind",
            "bus stop",
            "s t o p",
            "stopp the presses",
            "don't stop",
            "yes please",
            "help me",
            "ST0P",
            &"stop ".repeat(40),
        ] {
            assert_eq!(said(text), None, "{text:?}");
        }
    }

    #[test]
    fn an_operator_adds_words_replaces_the_usual_ones_or_turns_all_off() {
        let own = KeywordPolicy {
            stop: vec!["Gata cu mesajele".into()],
            start: vec!["din nou".into()],
            help: vec!["cine e".into()],
            ..KeywordPolicy::default()
        };
        let only_own = KeywordPolicy {
            usual_words: false,
            ..own.clone()
        };
        let off = KeywordPolicy {
            enabled: false,
            ..own.clone()
        };
        for (text, with_usual, alone) in [
            (
                "gata  cu MESAJELE!",
                Some(Keyword::Stop),
                Some(Keyword::Stop),
            ),
            ("Din nou", Some(Keyword::Start), Some(Keyword::Start)),
            ("cine e?", Some(Keyword::Help), Some(Keyword::Help)),
            ("STOP", Some(Keyword::Stop), None),
            ("YES", Some(Keyword::Yes), None),
        ] {
            let found = |policy| keyword(text, policy).map(|it| it.keyword);
            assert_eq!(found(&own), with_usual, "{text}");
            assert_eq!(found(&only_own), alone, "{text}");
            assert_eq!(found(&off), None, "{text}");
        }
    }

    #[test]
    fn a_change_is_answered_once_and_help_always() {
        for (keyword, opted_out, answered) in [
            (Keyword::Stop, Some(true), [false, true]),
            (Keyword::Start, Some(false), [false, true]),
            (Keyword::Yes, Some(false), [false, true]),
            (Keyword::Help, None, [true, true]),
        ] {
            let change = keyword.change(" Stop ");
            assert_eq!(change.as_ref().map(|it| it.opted_out), opted_out);
            assert!(change.is_none_or(|it| &*it.wording == "Stop"));
            let answers = [false, true].map(|changed| keyword.is_answered(changed));
            assert_eq!(answers, answered, "{keyword:?}");
        }
    }

    #[test]
    fn the_answer_is_in_the_language_of_the_word() {
        for (word, language) in [
            ("STOP", Language::En),
            ("abmelden", Language::De),
            ("désabonner", Language::Fr),
            ("baja", Language::Es),
            ("disiscrivi", Language::It),
            ("sair", Language::Pt),
            ("afmelden", Language::Nl),
            ("wypisz", Language::Pl),
            ("dezabonare", Language::Ro),
        ] {
            let said = keyword(word, &KeywordPolicy::default()).unwrap();
            assert_eq!(said.language, language, "{word}");
            let text = reply(said, &sender(KeywordPolicy::default())).unwrap();
            assert!(text.contains("Acme support"), "{text}");
            assert!(text.contains("START"), "{text}");
        }
    }

    #[test]
    fn every_usual_answer_names_the_sender_and_costs_one_segment() {
        let sender = sender(KeywordPolicy::default());
        for language in Language::ALL {
            for keyword in [Keyword::Stop, Keyword::Start, Keyword::Yes, Keyword::Help] {
                let text = reply(Said { keyword, language }, &sender).unwrap();
                assert!(
                    text.contains("Acme support") && !text.contains('{'),
                    "{text}"
                );
                let segments = measure(&text);
                assert_eq!(
                    (segments.encoding, segments.count),
                    (Encoding::Gsm7, 1),
                    "{text}"
                );
            }
        }
    }

    #[test]
    fn an_operators_answer_replaces_the_usual_one_and_an_empty_one_answers_nothing() {
        let own = sender(KeywordPolicy {
            stop_reply: Some("Bye from {sender}".into()),
            help_reply: Some("".into()),
            ..KeywordPolicy::default()
        });
        let said = |keyword| Said {
            keyword,
            language: Language::Ro,
        };
        assert_eq!(
            reply(said(Keyword::Stop), &own).as_deref(),
            Some("Bye from Acme support")
        );
        assert_eq!(reply(said(Keyword::Help), &own), None);
    }
}
