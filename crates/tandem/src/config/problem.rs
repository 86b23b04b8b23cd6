//! What is wrong with a configuration, and where?

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use super::reader::shortened;

/// A place in the file, counted from one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Place {
    /// The line.
    pub(crate) line: usize,
    /// The character in the line.
    pub(crate) column: usize,
}

/// One thing that is wrong, or that is worth a look.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Problem {
    /// The file, where it is another one than the configuration: a list of prices.
    pub(crate) file: Option<String>,
    /// Where in the file; `None` for what came from the environment or the command line.
    pub(crate) place: Option<Place>,
    /// The setting, `route[1].smpp.port`; empty for what concerns the whole file.
    pub(crate) path: String,
    /// What is wrong and what is allowed, in words.
    pub(crate) what: String,
}

impl Problem {
    /// A problem that has no place in the file.
    pub(crate) fn outside(path: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            file: None,
            place: None,
            path: path.into(),
            what: what.into(),
        }
    }

    /// The problem as one line, as compilers write it: `FILE:LINE:COLUMN: path: what`. `file` is
    /// the configuration.
    pub(crate) fn line(&self, file: &str) -> String {
        let file = self.file.as_deref().unwrap_or(file);
        match self.place {
            Some(Place { line, column }) => format!("{file}:{line}:{column}: {self}"),
            None => self.to_string(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.what)
        } else {
            write!(f, "{}: {}", self.path, self.what)
        }
    }
}

/// Collects what is found while a file is read, so that all of it is told at once.
#[derive(Debug)]
pub(super) struct Report<'s> {
    source: &'s str,
    errors: RefCell<Vec<Problem>>,
    warnings: RefCell<Vec<Problem>>,
    /// Each environment variable that is not set, with whatever asks for it.
    not_set: RefCell<BTreeMap<String, Vec<(Place, String)>>>,
}

impl<'s> Report<'s> {
    pub(super) fn new(source: &'s str) -> Self {
        Self {
            source,
            errors: RefCell::default(),
            warnings: RefCell::default(),
            not_set: RefCell::default(),
        }
    }

    /// Notes that a setting asks for an environment variable that is not set. However many ask for
    /// it, one error tells.
    pub(super) fn not_set(&self, variable: &str, span: &Range<usize>, path: &str) {
        let asks = (self.place(span.start), path.to_owned());
        let mut not_set = self.not_set.borrow_mut();
        not_set.entry(variable.to_owned()).or_default().push(asks);
    }

    /// Adds an error at these bytes of the source.
    pub(super) fn error(&self, span: &Range<usize>, path: &str, what: impl Into<String>) {
        self.errors
            .borrow_mut()
            .push(self.problem(span, path, what.into()));
    }

    /// Adds a warning at these bytes of the source.
    pub(super) fn warn(&self, span: &Range<usize>, path: &str, what: impl Into<String>) {
        self.warnings
            .borrow_mut()
            .push(self.problem(span, path, what.into()));
    }

    /// Adds an error that has no place in the file.
    pub(super) fn error_outside(&self, path: &str, what: impl Into<String>) {
        self.errors.borrow_mut().push(Problem::outside(path, what));
    }

    /// Adds a warning that has no place in the file.
    pub(super) fn warn_outside(&self, path: &str, what: impl Into<String>) {
        let mut warnings = self.warnings.borrow_mut();
        warnings.push(Problem::outside(path, what));
    }

    /// Takes over what was found in another file that this one names. Where several settings name
    /// it, each mistake is told once.
    pub(super) fn adopt(&self, other: Report<'_>, file: &str) {
        let (errors, warnings) = other.into_parts();
        let add = |all: &RefCell<Vec<Problem>>, more: Vec<Problem>| {
            let mut all = all.borrow_mut();
            for mut problem in more {
                problem.file = Some(file.to_owned());
                if !all.contains(&problem) {
                    all.push(problem);
                }
            }
        };
        add(&self.errors, errors);
        add(&self.warnings, warnings);
    }

    /// Errors and warnings, each in the order of the file; those of other files come last.
    pub(super) fn into_parts(self) -> (Vec<Problem>, Vec<Problem>) {
        let not_set = self.not_set.into_inner();
        let told = not_set
            .into_iter()
            .filter_map(|(variable, asked)| unset(&variable, asked));
        self.errors.borrow_mut().extend(told);
        let sorted = |mut problems: Vec<Problem>| {
            problems.sort_by(|a, b| (&a.file, a.place, &a.path).cmp(&(&b.file, b.place, &b.path)));
            problems
        };
        (
            sorted(self.errors.into_inner()),
            sorted(self.warnings.into_inner()),
        )
    }

    fn problem(&self, span: &Range<usize>, path: &str, what: String) -> Problem {
        Problem {
            file: None,
            place: Some(self.place(span.start)),
            path: path.to_owned(),
            what,
        }
    }

    fn place(&self, offset: usize) -> Place {
        let before = self.source.get(..offset).unwrap_or(self.source);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Place {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

/// The error about an environment variable that is not set, at the first setting that asks for it.
fn unset(variable: &str, mut asked: Vec<(Place, String)>) -> Option<Problem> {
    asked.sort();
    let mut asked = asked.into_iter();
    let (place, path) = asked.next()?;
    let others: Vec<String> = asked.map(|(_, path)| path).collect();
    let also = if others.is_empty() {
        String::new()
    } else {
        format!("; also asked for by {}", others.join(", "))
    };
    let variable = shortened(variable);
    Some(Problem {
        file: None,
        place: Some(place),
        path,
        what: format!("the environment variable {variable} is not set{also}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_lines_and_characters_from_one() {
        let report = Report::new("a\nțară = 1\n");
        for (offset, want) in [(0, (1, 1)), (2, (2, 1)), (8, (2, 5)), (999, (3, 1))] {
            let Place { line, column } = report.place(offset);
            assert_eq!((line, column), want, "offset {offset}");
        }
    }

    #[test]
    fn problems_come_in_the_order_of_the_file() {
        let report = Report::new("a\nb\n");
        report.error(&(2..3), "b", "second");
        report.error(&(0..1), "a", "first");
        report.error_outside("TANDEM_LISTEN", "before both");
        let (errors, warnings) = report.into_parts();
        let lines: Vec<_> = errors.iter().map(|it| it.line("f.toml")).collect();
        assert_eq!(
            lines,
            [
                "TANDEM_LISTEN: before both",
                "f.toml:1:1: a: first",
                "f.toml:2:1: b: second"
            ]
        );
        assert!(warnings.is_empty());
    }
}
