//! R-IN-2: who opted out gets nothing but the answer to their keyword.

use super::End;
use super::copies::is_answer;
use crate::chronicle::Chronicle;
use crate::script::person;
use crate::stage::Heard;

pub(super) fn check(end: &End<'_>, chronicle: &mut Chronicle) {
    let heard = end.stage.heard.lock();
    let said = |word: &str, who: u32| -> Vec<Heard> {
        let theirs = heard.iter().filter(|(no, _)| {
            let writing = &end.stage.script.writings[**no];
            writing.from == who && writing.text == word
        });
        theirs.map(|it| *it.1).collect()
    };
    let mut broken = Vec::new();
    for who in 0..20 {
        let (stops, starts) = (said("STOP", who), said("START", who));
        for stop in &stops {
            // What was said at the same time counts neither way.
            let is_muddled = |it: &&Heard| it.kept > stop.brought && it.brought < stop.kept;
            if starts.iter().any(|it| is_muddled(&it)) {
                continue;
            }
            let later = starts.iter().map(|it| it.brought);
            let until = later.filter(|it| *it > stop.kept).min();
            let during = stop.kept..until.unwrap_or(usize::MAX);
            for handed in &chronicle.handed {
                let id = handed.key.message;
                let is_theirs = handed.to == person(who) && !is_answer(end, id);
                if is_theirs && during.contains(&handed.seq) {
                    broken.push((id, "R-IN-2: its recipient had opted out".to_owned()));
                }
            }
        }
        let keywords = stops.len() + starts.len() + said("HELP", who).len();
        let answers = end
            .outbound
            .iter()
            .filter(|(id, it)| it.message.to == person(who) && is_answer(end, **id));
        let answers: Vec<_> = answers.map(|it| *it.0).collect();
        if answers.len() > keywords {
            let words = format!("R-IN-2: {} answers to {keywords} keywords", answers.len());
            broken.push((answers[0], words));
        }
    }
    drop(heard);
    for (id, words) in broken {
        chronicle.violated(Some(id), words);
    }
}
