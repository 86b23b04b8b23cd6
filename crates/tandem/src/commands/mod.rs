//! What does each command do? One file a command.

mod alerts;
mod audit;
mod check;
mod demo;
mod explain;
mod keys;
mod messages;
mod money;
mod phones;
mod route;
mod routes;
mod send;
pub(crate) mod serve;
mod tail;
mod users;

use std::process::ExitCode;

use anyhow::Result;

use crate::cli::Command;
use crate::config::Rejected;
use crate::output;

/// Runs a command to its end.
pub(crate) async fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Serve(args) => Box::pin(serve::run(args)).await,
        Command::Demo(args) => Box::pin(demo::run(args)).await,
        Command::Check(args) => Ok(check::run(&args)),
        Command::Send(args) => send::run(args).await,
        Command::Messages(args) => messages::run(args).await,
        Command::Routes(args) => routes::run(args).await,
        Command::Route(args) => route::run(args).await,
        Command::Alerts(args) => alerts::run(args).await,
        Command::Audit(args) => audit::run(args).await,
        Command::Phones(args) => phones::run(args).await,
        Command::Quotas(args) => money::quotas(args).await,
        Command::Balance(args) => money::balance(args).await,
        Command::Costs(args) => money::costs(args).await,
        Command::Explain(args) => explain::run(args).await,
        Command::Tail(args) => tail::run(args).await,
        Command::Keys(args) => keys::run(args).await,
        Command::Users(args) => users::run(args).await,
        Command::Openapi => {
            output::raw(&api::openapi_json());
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Prints everything that is wrong with a configuration.
fn tell_rejected(file: &str, rejected: &Rejected) -> ExitCode {
    for error in &rejected.errors {
        output::note(format_args!("error: {}", error.line(file)));
    }
    let count = rejected.errors.len();
    let errors = if count == 1 { "error" } else { "errors" };
    output::note(format_args!(
        "{file}: {count} {errors}; settings are described in docs/reference/configuration.md"
    ));
    ExitCode::FAILURE
}
