//! `GET /v1/balance/ledger`: which amounts moved, where from and where to (R-COST-1)?

use axum::response::Response;
use domain::ids::MessageId;
use domain::model::ledger::{Account, Movement};
use engine::topology::Topology;
use ports::store::books::{LedgerEntry, LedgerFilter};
use serde::Serialize;
use utoipa::ToSchema;

use super::amount::Exact;
use crate::asked::AskedList;
use crate::auth::Scopes;
use crate::error::{ApiError, ErrorOut};
use crate::json::{Iso, Shown};
use crate::page::{Cursor, Page, PageIn, page};
use crate::schema;

/// A place in the ledger.
#[derive(Clone, Copy)]
struct Place(i64);

impl Cursor for Place {
    fn to_cursor(&self) -> String {
        format!("l{:x}", self.0)
    }

    fn from_cursor(text: &str) -> Option<Self> {
        let place = i64::from_str_radix(text.strip_prefix('l')?, 16).ok()?;
        (place > 0).then_some(Self(place))
    }
}

/// One line of the ledger: what one account gains, the other loses.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = LedgerEntry)]
struct EntryOut<'a> {
    /// Its number; ascending in time.
    id: i64,
    /// When.
    #[schema(schema_with = schema::time)]
    at: Iso,
    /// Why: `charge` or `deposit`.
    kind: &'static str,
    /// How much, in units of the currency; negative for a correction.
    #[schema(value_type = String, example = "0.035")]
    amount: Exact,
    /// The account that gains: `funds`, `deposits` or `charges`.
    to: &'static str,
    /// The account that loses: `funds`, `deposits` or `charges`.
    from: &'static str,
    /// The route that charged it; absent for a deposit.
    #[serde(skip_serializing_if = "Option::is_none")]
    route: Option<&'a str>,
    /// The message that was charged.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    message_id: Option<Shown<MessageId>>,
    /// The attempt that was charged: 1 for the first channel, 2 for the fallback.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u8>,
    /// What a deposit was for.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'a str>,
}

const fn account(account: Account) -> &'static str {
    match account {
        Account::Funds => "funds",
        Account::Deposits => "deposits",
        Account::Charges(_) => "charges",
    }
}

impl<'a> EntryOut<'a> {
    fn of(entry: &'a LedgerEntry, topology: &'a Topology) -> Self {
        let posting = &entry.posting;
        let (kind, charged) = match posting.movement {
            Movement::Charge { message, attempt } => ("charge", Some((message, attempt))),
            Movement::Deposit => ("deposit", None),
        };
        let route = match posting.to {
            Account::Charges(key) => topology.route_name(key),
            Account::Funds | Account::Deposits => None,
        };
        Self {
            id: entry.seq,
            at: Iso(posting.at),
            kind,
            amount: Exact(posting.amount),
            to: account(posting.to),
            from: account(posting.from),
            route,
            message_id: charged.map(|it| Shown(it.0)),
            attempt: charged.map(|it| it.1),
            note: entry.note.as_deref(),
        }
    }
}

/// Lists the ledger, newest first.
#[utoipa::path(
    get,
    path = "/v1/balance/ledger",
    operation_id = "listLedger",
    tag = "money",
    params(PageIn),
    responses(
        (status = 200, description = "One page", body = Page<EntryOut<'_>>),
        (status = 400, description = "A parameter is wrong", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn list(asked: AskedList) -> Result<Response, ApiError> {
    let (api, caller, mut params) = asked.by(Scopes::READ)?;
    let limit = params.limit();
    let before: Option<Place> = params.cursor();
    params.done()?;
    let filter = LedgerFilter {
        project: caller.project(),
        before: before.map(|it| it.0),
        limit: limit + 1,
    };
    let mut entries = api.engine.store().ledger(filter).await?;
    let topology = api.engine.topology();
    let show = |it| EntryOut::of(it, &topology);
    Ok(page(&mut entries, limit, |it| Place(it.seq), show))
}
