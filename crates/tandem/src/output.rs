//! What do commands print, and where? Answers go to stdout, everything else to stderr.
//!
//! Written without `println!`, which would panic when the reader of a pipe has gone.

use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

use serde_json::Value;

/// One line of the answer.
pub(crate) fn line(text: impl Display) {
    // Safe because: a closed stdout has no reader that could miss it.
    drop(writeln!(std::io::stdout().lock(), "{text}"));
}

/// Text that is the answer as it stands.
pub(crate) fn raw(text: &str) {
    let mut stdout = std::io::stdout().lock();
    // Safe because: a closed stdout has no reader that could miss it.
    drop(
        stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush()),
    );
}

/// One line about what the command does.
pub(crate) fn note(text: impl Display) {
    // Safe because: there is nobody left to tell that stderr is closed.
    drop(writeln!(std::io::stderr().lock(), "{text}"));
}

/// Says why the command failed.
pub(crate) fn failure(error: &anyhow::Error) -> ExitCode {
    note(format_args!("error: {error:#}"));
    ExitCode::FAILURE
}

/// The items of a list.
pub(crate) fn items(answer: &Value) -> &[Value] {
    answer["items"].as_array().map_or(&[], Vec::as_slice)
}

/// Says that a list goes on where it does.
pub(crate) fn note_more(answer: &Value) {
    if answer["nextCursor"].is_string() {
        note("there are more; --limit shows them");
    }
}

/// Rows with their columns under each other; the last column is as long as it likes.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    let cell = |row: &[String], column: usize| row.get(column).cloned().unwrap_or_default();
    let width = |column: usize| {
        let widest = rows
            .iter()
            .map(|row| cell(row, column).chars().count())
            .max();
        widest.unwrap_or(0).max(head[column].chars().count())
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let laid_out = |row: &[String]| {
        let cells: Vec<String> = widths
            .iter()
            .enumerate()
            .map(|(at, width)| format!("{:<width$}", cell(row, at)))
            .collect();
        cells.join("  ").trim_end().to_owned()
    };
    let head: Vec<String> = head.iter().map(|it| (*it).to_owned()).collect();
    std::iter::once(laid_out(&head))
        .chain(rows.iter().map(|row| laid_out(row)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_under_each_other() {
        let rows = [
            vec!["gw".to_owned(), "up".to_owned()],
            vec!["țară".to_owned(), String::new()],
        ];
        assert_eq!(
            table(&["ROUTE", "STATE"], &rows),
            ["ROUTE  STATE", "gw     up", "țară"]
        );
    }
}
