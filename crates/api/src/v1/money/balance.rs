//! `/v1/balance`: how much is there to spend, and how much was spent? Tandem takes no money itself: a
//! deposit notes what was paid to the providers, so that the balance says what is left of it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use domain::model::ledger::Account;
use domain::model::money::Micros;
use engine::topology::RouteStanding;
use ports::store::books::Deposit;
use ports::store::{Op, Outcome};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::amount::{self, Cents, Exact};
use crate::asked::Asked;
use crate::auth::{Caller, Scopes};
use crate::error::{ApiError, ErrorOut, FieldError, Problems};
use crate::v1::idempotency::{self, Fields};
use crate::v1::messages::output::CurrencyCode;
use crate::{ApiState, json};

/// Most that a balance may be, or less than nothing, in millionths: far from where sums end.
const MOST_FUNDS: i64 = 1_000_000_000_000_000;
/// Most characters of a note.
const MAX_NOTE: usize = 200;

/// What there is to spend. The first five fields are those of Zavu's clients, in hundredths of the
/// currency.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Balance)]
struct BalanceOut<'a> {
    /// What is left of the deposits, in cents; less than nothing where more was spent.
    #[schema(value_type = f64)]
    balance: Cents,
    /// The currency.
    #[schema(value_type = String, example = "EUR")]
    currency: CurrencyCode,
    /// Always false: there are no sub-accounts.
    is_sub_account: bool,
    /// Always `null`: an empty balance stops nothing; quotas do.
    credit_limit: Option<f64>,
    /// What the routes have charged, in cents.
    #[schema(value_type = f64)]
    total_spent: Cents,
    /// The same exactly, in units of the currency.
    exact: ExactOut,
    /// What each route has charged, the id of the route first; those that charged nothing are left out.
    routes: Vec<ChargedOut<'a>>,
    /// Fields of the request that nobody knows.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(required = false)]
    warnings: &'a [FieldError],
}

/// Amounts as decimal text.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ExactBalance)]
struct ExactOut {
    /// What is left of the deposits.
    #[schema(value_type = String, example = "12.345")]
    balance: Exact,
    /// What was paid in, less what was taken out.
    #[schema(value_type = String, example = "100.00")]
    deposited: Exact,
    /// What the routes have charged.
    #[schema(value_type = String, example = "87.655")]
    total_spent: Exact,
}

/// What one route has charged.
#[derive(Serialize, ToSchema)]
#[schema(as = RouteCharges)]
struct ChargedOut<'a> {
    /// The route, also where it is not configured any more; `null` where its name is lost.
    #[schema(required = true)]
    route: Option<&'a str>,
    /// How it stands now: `active`, `switched_off` in the configuration, or `removed` from it.
    standing: &'static str,
    /// How much.
    #[schema(value_type = String, example = "87.655")]
    charged: Exact,
}

const fn standing(of: RouteStanding) -> &'static str {
    match of {
        RouteStanding::Active => "active",
        RouteStanding::SwitchedOff => "switched_off",
        RouteStanding::Removed => "removed",
    }
}

/// Shows what is left of the deposits and what was spent.
#[utoipa::path(
    get,
    path = "/v1/balance",
    operation_id = "getBalance",
    tag = "money",
    responses((status = 200, description = "The balance", body = BalanceOut<'_>)),
)]
pub(crate) async fn show(
    State(api): State<Arc<ApiState>>,
    caller: Caller,
) -> Result<Response, ApiError> {
    caller.may(Scopes::READ)?;
    answer(&api, &caller, StatusCode::OK, &[]).await
}

async fn answer(
    api: &ApiState,
    caller: &Caller,
    status: StatusCode,
    warnings: &[FieldError],
) -> Result<Response, ApiError> {
    let balances = api.engine.store().balances(caller.project()).await?;
    let topology = api.engine.topology();
    let (mut funds, mut deposits, mut spent) = (Micros::ZERO, Micros::ZERO, Micros::ZERO);
    let mut routes = Vec::new();
    for (account, amount) in balances {
        match account {
            Account::Funds => funds = amount,
            Account::Deposits => deposits = amount,
            Account::Charges(key) => {
                spent = spent.plus(amount);
                routes.push(ChargedOut {
                    route: topology.route_name(key),
                    standing: standing(topology.standing_of_route(key)),
                    charged: Exact(amount),
                });
            }
        }
    }
    routes.sort_by_key(|it| it.route);
    let answer = BalanceOut {
        balance: Cents(funds),
        currency: CurrencyCode(api.currency(caller.project())),
        is_sub_account: false,
        credit_limit: None,
        total_spent: Cents(spent),
        exact: ExactOut {
            balance: Exact(funds),
            // What the deposits account lost.
            deposited: Exact(Micros(deposits.0.saturating_neg())),
            total_spent: Exact(spent),
        },
        routes,
        warnings,
    };
    Ok(json::response(status, &answer))
}

/// A payment.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CreateDeposit)]
pub(crate) struct DepositIn {
    /// Units of the project's currency as decimal text, with at most six decimals: `"12.50"`;
    /// negative takes out.
    #[schema(example = "100.00")]
    amount: Option<String>,
    /// What it was for.
    #[schema(max_length = 200)]
    note: Option<String>,
    /// Makes a repeat within 24 h the same deposit (R-LIFE-3). The header `Idempotency-Key` does the
    /// same. These keys are apart from those of messages.
    #[schema(max_length = 255)]
    idempotency_key: Option<String>,
}

/// Notes that money was paid in, or taken out. With a key, a repeat notes nothing and is answered as the
/// first request, with the balance as it is by then.
#[utoipa::path(
    post,
    path = "/v1/balance/deposits",
    operation_id = "createDeposit",
    tag = "money",
    params(
        ("Idempotency-Key" = Option<String>, Header, description = "The same as `idempotencyKey` in the body; if both are given they must be equal"),
    ),
    request_body(content = DepositIn, content_type = "application/json"),
    responses(
        (status = 201, description = "It stands in the ledger; the balance with it. Also the answer to a repeat, with the header `Idempotent-Replayed: true`", body = BalanceOut<'_>),
        (status = 400, description = "A field is wrong", body = ErrorOut<'_>),
        (status = 409, description = "The idempotency key was used for another deposit", body = ErrorOut<'_>),
    ),
)]
pub(crate) async fn deposit(
    headers: HeaderMap,
    asked: Asked<DepositIn>,
) -> Result<Response, ApiError> {
    let Asked { api, caller, body } = asked.by(Scopes::MANAGE)?;
    let (input, warnings) = body.open()?;
    let mut problems = Problems::default();
    let amount = input
        .amount
        .as_deref()
        .and_then(amount::parse)
        .filter(|it| *it != Micros::ZERO);
    if amount.is_none() {
        problems.add(
            &["amount"],
            "must be decimal text other than zero, at most 1000000000 units with at most 6 decimals, such as \"12.50\"",
        );
    }
    let note = input.note.as_deref().filter(|it| !it.is_empty());
    if note.is_some_and(|it| it.chars().count() > MAX_NOTE || it.chars().any(char::is_control)) {
        problems.add(
            &["note"],
            "must be at most 200 characters, none of them a control character",
        );
    }
    let header_key = idempotency::of_header(headers.get("idempotency-key"), &mut problems);
    let body_key = input.idempotency_key.as_deref();
    let key = idempotency::key(body_key, header_key, &mut problems);
    problems.finish()?;
    let Some(amount) = amount else {
        return Err(ApiError::internal("a deposit without an amount was taken"));
    };
    let balances = api.engine.store().balances(caller.project()).await?;
    let funds = balances.iter().find(|it| it.0 == Account::Funds);
    let funds = funds.map_or(0, |it| it.1.0);
    if !(-MOST_FUNDS..=MOST_FUNDS).contains(&funds.saturating_add(amount.0)) {
        return Err(ApiError::field(
            &["amount"],
            "would make the balance more than 1000000000 units, or less than as many owed",
        ));
    }
    let deposit = Deposit {
        project: caller.project(),
        amount,
        note: note.map(Into::into),
        at: api.engine.now(),
        idempotency: key.map(|key| {
            let mut fields = Fields::with_capacity(2);
            fields.add_number("amount", Some(amount.0));
            fields.add("note", note.map(str::as_bytes));
            fields.under(key)
        }),
    };
    let outcome = caller.engine(&api).apply(Op::Deposit(deposit)).await?;
    let Outcome::AlreadyDeposited { differs } = outcome else {
        return answer(&api, &caller, StatusCode::CREATED, &warnings).await;
    };
    if let Some(field) = differs {
        return Err(idempotency::differs(
            idempotency::repeated("deposit"),
            &field,
        ));
    }
    let mut response = answer(&api, &caller, StatusCode::CREATED, &warnings).await?;
    let replayed = HeaderValue::from_static("true");
    response
        .headers_mut()
        .insert(idempotency::REPLAYED, replayed);
    Ok(response)
}
