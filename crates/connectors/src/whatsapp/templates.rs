//! Gives templates to Meta for approval, and lists them.

use domain::model::template::{TemplateDefinition, TemplateStatus};
use ports::provider::{ProviderError, ProviderTemplate, SubmittedTemplate};
use serde_json::Value;
use url::form_urlencoded;

use super::protocol::CloudApi;
use super::{components, notice, service, tree};
use crate::web::client::Transport;
use crate::web::protocol::{Body, Method, Request};

/// Templates on one page of the list.
const PAGE: usize = 100;
/// Pages that are asked for; an account has at most 6,000 templates.
const PAGES_MAX: usize = 100;
/// What we want to know of each.
const FIELDS: &str = "id,name,status,category,language,components";

/// Gives a template to Meta.
pub(super) async fn submit(
    api: &CloudApi,
    transport: &dyn Transport,
    definition: &TemplateDefinition,
) -> Result<SubmittedTemplate, ProviderError> {
    let url = url(api)?;
    let body = components::write(definition).map_err(|why| ProviderError::Refused {
        code: "template".into(),
        text: why,
    })?;
    let request = Request {
        method: Method::Post,
        url,
        headers: vec![api.config.authorization()],
        body: Body::Json(body.to_string()),
    };
    let answer = service::ask(transport, request).await?;
    let Some(id) = tree::id(&answer, "id") else {
        return Err(ProviderError::Unreachable("its answer has no id".into()));
    };
    let status = tree::text(&answer, "status").and_then(notice::status);
    let category = tree::text(&answer, "category").and_then(notice::category);
    Ok(SubmittedTemplate {
        provider_id: id.into(),
        status: status.unwrap_or(TemplateStatus::Pending),
        category: category.unwrap_or(definition.category),
    })
}

/// All templates of the account, page by page.
pub(super) async fn list(
    api: &CloudApi,
    transport: &dyn Transport,
) -> Result<Vec<ProviderTemplate>, ProviderError> {
    let url = url(api)?;
    let mut found = Vec::new();
    let mut after: Option<String> = None;
    for _ in 0..PAGES_MAX {
        let request = api.get(format!("{url}?{}", query(after.as_deref())));
        let page = service::ask(transport, request).await?;
        found.extend(tree::list(&page, "data").iter().filter_map(template));
        match next(&page) {
            // Where Meta gave the same place twice, there would be no end.
            Some(cursor) if after.as_ref() != Some(&cursor) => after = Some(cursor),
            Some(_) | None => break,
        }
    }
    Ok(found)
}

/// What is asked of the list: the page that begins `after` this cursor.
fn query(after: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("fields", FIELDS);
    query.append_pair("limit", &PAGE.to_string());
    if let Some(after) = after {
        query.append_pair("after", after);
    }
    query.finish()
}

/// Where the next page begins. `next` is a URL with our token in it: that it is there says that there
/// is one, and the cursor says where.
fn next(page: &Value) -> Option<String> {
    let paging = page.get("paging")?;
    tree::text(paging, "next")?;
    tree::text(paging.get("cursors")?, "after").map(str::to_owned)
}

/// A status that nobody documented is not one in which a template can be sent.
fn template(listed: &Value) -> Option<ProviderTemplate> {
    let status = tree::text(listed, "status").and_then(notice::status);
    Some(ProviderTemplate {
        provider_id: tree::id(listed, "id")?.into(),
        status: status.unwrap_or(TemplateStatus::Disabled),
        definition: components::read(listed)?,
    })
}

fn url(api: &CloudApi) -> Result<String, ProviderError> {
    match &api.config.waba_id {
        Some(account) => Ok(format!("{}/{account}/message_templates", api.config.base())),
        None => Err(ProviderError::NotConfigured(
            "the route has no waba_id, the id of the business account that templates belong to"
                .into(),
        )),
    }
}
