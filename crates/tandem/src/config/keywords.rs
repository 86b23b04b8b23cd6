//! How is `[sender.keywords]` read? (R-IN-2)

use domain::model::consent::KeywordPolicy;

use super::reader::{Field, Table};

/// Longest keyword, in characters: a longer text is no message of one word.
const KEYWORD_CHARS: usize = 60;
/// Longest answer, in characters: four text messages.
const REPLY_CHARS: usize = 600;

/// Reads the words and answers of a sender.
pub(super) fn read(field: Field<'_>) -> Option<KeywordPolicy> {
    let mut table = field.table()?;
    let usual = KeywordPolicy::default();
    let policy = KeywordPolicy {
        enabled: table.or("enabled", usual.enabled, Field::flag),
        usual_words: table.or("usual_words", usual.usual_words, Field::flag),
        stop: words(&mut table, "stop"),
        start: words(&mut table, "start"),
        help: words(&mut table, "help"),
        stop_reply: reply(&mut table, "stop_reply"),
        start_reply: reply(&mut table, "start_reply"),
        help_reply: reply(&mut table, "help_reply"),
    };
    table.finish();
    Some(policy)
}

fn words(table: &mut Table<'_>, key: &'static str) -> Vec<Box<str>> {
    let fields = table.get(key).and_then(Field::list).unwrap_or_default();
    let word = |field: Field<'_>| {
        field.parse("a keyword of 1 to 60 characters", |text| {
            let is_word = text.chars().any(char::is_alphanumeric);
            (is_word && text.chars().count() <= KEYWORD_CHARS).then(|| text.into())
        })
    };
    fields.into_iter().filter_map(word).collect()
}

fn reply(table: &mut Table<'_>, key: &'static str) -> Option<Box<str>> {
    table.get(key)?.parse(
        "a text of at most 600 characters; \"{sender}\" and \"{address}\" are filled in, \"\" answers nothing",
        |text| (text.chars().count() <= REPLY_CHARS).then(|| text.into()),
    )
}
