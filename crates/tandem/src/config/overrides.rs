//! What may be set from the environment and the command line, over what the file says?

use super::model::{Config, Database};
use super::problem::Problem;
use super::{log_level, values};

/// One override and who gave it, for messages.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Given {
    by: &'static str,
    text: String,
}

/// Settings given outside the file. The command line goes before the environment.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Overrides {
    listen: Option<Given>,
    database: Option<Given>,
    public_url: Option<Given>,
    log: Option<Given>,
}

impl Overrides {
    /// The `TANDEM_…` variables; empty ones count as not set.
    pub(crate) fn from_environment(variable: &dyn Fn(&str) -> Option<String>) -> Self {
        let given = |by: &'static str| {
            let text = variable(by).filter(|it| !it.is_empty())?;
            Some(Given { by, text })
        };
        Self {
            listen: given("TANDEM_LISTEN"),
            database: given("TANDEM_DATABASE"),
            public_url: given("TANDEM_PUBLIC_URL"),
            log: given("TANDEM_LOG"),
        }
    }

    /// With `--listen`, where it is given.
    #[must_use]
    pub(crate) fn listen(mut self, text: Option<String>) -> Self {
        self.listen = text
            .map(|text| Given {
                by: "--listen",
                text,
            })
            .or(self.listen);
        self
    }

    /// With `--database`, where it is given.
    #[must_use]
    pub(crate) fn database(mut self, text: Option<String>) -> Self {
        self.database = text
            .map(|text| Given {
                by: "--database",
                text,
            })
            .or(self.database);
        self
    }

    /// Puts them over the configuration; answers what is wrong with them.
    pub(crate) fn apply(&self, config: &mut Config) -> Vec<Problem> {
        let mut problems = Vec::new();
        if let Some(listen) = read(self.listen.as_ref(), values::listen, &mut problems) {
            config.listen = listen;
        }
        if let Some(database) = self.read_database(&mut problems) {
            config.database = database;
        }
        if let Some(url) = read(self.public_url.as_ref(), values::public_url, &mut problems) {
            config.public_url = Some(url);
        }
        if let Some(level) = read(self.log.as_ref(), log_level, &mut problems) {
            config.log.level = level;
        }
        problems
    }

    fn read_database(&self, problems: &mut Vec<Problem>) -> Option<Database> {
        read(self.database.as_ref(), values::database, problems)
    }
}

fn read<T>(
    given: Option<&Given>,
    read: impl FnOnce(&str) -> Result<T, String>,
    problems: &mut Vec<Problem>,
) -> Option<T> {
    let Given { by, text } = given?;
    match read(text) {
        Ok(value) => Some(value),
        Err(what) => {
            problems.push(Problem::outside(
                *by,
                format!("is \"{}\"; {what}", super::reader::shortened(text)),
            ));
            None
        }
    }
}
