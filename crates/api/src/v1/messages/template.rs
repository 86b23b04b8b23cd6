//! The template that a message names: found, and filled with the message's values (R-WIN-3).

use std::collections::BTreeMap;

use domain::ids::ProjectKey;
use domain::model::content::TemplateUse;
use domain::model::template::TemplateValues;
use domain::rules::template::{FillError, fill};
use engine::Engine;

use super::content::TemplateIn;
use crate::error::{ApiError, Problems};

/// The template, filled; notes each value that is wrong or missing.
pub(super) fn read(
    input: &TemplateIn<'_>,
    engine: &Engine,
    project: ProjectKey,
    problems: &mut Problems,
) -> Result<Option<TemplateUse>, ApiError> {
    let found = input.id.parse().ok();
    let template = found.and_then(|it| engine.template(project, it));
    let template = template.ok_or_else(|| {
        let words = "is not the id of a template of this project";
        ApiError::not_found("template").with_field(&["content", "templateId"], words)
    })?;
    let values = TemplateValues {
        body: texts(input.variables),
        header: texts(input.header_variables),
        buttons: buttons(input.button_variables, problems),
    };
    match fill(template.id, &template.text, &values) {
        Ok(filled) => Ok(Some(filled)),
        Err(error) => {
            name(&error, problems);
            Ok(None)
        }
    }
}

fn texts(values: Option<&BTreeMap<String, String>>) -> BTreeMap<Box<str>, Box<str>> {
    let boxed = |(name, value): (&String, &String)| (name.as_str().into(), value.as_str().into());
    values.into_iter().flatten().map(boxed).collect()
}

fn buttons(
    values: Option<&BTreeMap<String, String>>,
    problems: &mut Problems,
) -> BTreeMap<u8, Box<str>> {
    let mut read = BTreeMap::new();
    for (place, value) in values.into_iter().flatten() {
        match place.parse() {
            Ok(index) => {
                read.insert(index, value.as_str().into());
            }
            Err(_) => problems.add(
                &["content", "templateButtonVariables", place],
                "is not the place of a button, 0 for the first",
            ),
        }
    }
    read
}

fn name(error: &FillError, problems: &mut Problems) {
    let (field, name) = match error {
        FillError::Missing(name) => ("templateVariables", name.to_string()),
        FillError::MissingInHeader(name) => ("templateHeaderVariables", name.to_string()),
        FillError::MissingMedium(_) => ("templateHeaderVariables", "mediaUrl".to_owned()),
        FillError::MissingForButton(place) => ("templateButtonVariables", place.to_string()),
    };
    let words = format!("is needed: {error}");
    problems.add(&["content", field, &name], words);
}
