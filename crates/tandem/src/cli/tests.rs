//! What is documented can be typed, and what cannot be meant is refused.

use clap::CommandFactory;

use super::*;

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn what_is_documented_can_be_typed() {
    for line in [
        "tandem serve",
        "tandem serve --config f.toml --listen 127.0.0.1:1 --database sqlite:x.db",
        "tandem demo",
        "tandem demo --listen 127.0.0.1:0 --key k --no-traffic",
        "tandem check f.toml",
        "tandem send --to +40712345678 --text hi",
        "tandem send --to +40712345678 --text hi --channel sms --sender s --category otp --traffic-class direct --at 2026-01-01T00:00:00Z --idempotency-key k --wait --json",
        "tandem messages --status failed --to +40712345678 --channel sms --limit 5 --json",
        "tandem routes --url http://127.0.0.1:9 --key k",
        "tandem route drain gw --reason maintenance --until 2030-01-01T00:00:00Z --json",
        "tandem route auto gw",
        "tandem alerts --all",
        "tandem alerts --acknowledge alert_1",
        "tandem alerts --silence 2030-01-01T00:00:00Z --kind route_down --subject route:gw --reason known",
        "tandem alerts --silence 2h --reason maintenance",
        "tandem alerts --silences --utc",
        "tandem alerts --unsilence sil_1",
        "tandem route disable gw --reason broken --until 3d",
        "tandem costs --class bulk --channel sms --route gw --sender s --country RO --campaign spring",
        "tandem audit --subject route:gw --action route.controlled --actor app --limit 5",
        "tandem phones --json",
        "tandem phones --key k pair --route phones --name desk",
        "tandem quotas --json",
        "tandem balance",
        "tandem balance --deposit -12.50 --note refund --json",
        "tandem costs --from 2026-11-01 --until 2026-12-01 --by day,country",
        "tandem explain msg_1",
        "tandem tail --every 1000",
        "tandem keys create --name app --scope send --scope manage --test --project main",
        "tandem keys list --database sqlite:x.db",
        "tandem keys --config f.toml revoke key_1 --json",
        "tandem users add --email a@b.example --role owner --name Ana --config f.toml",
        "tandem users list --json",
        "tandem users disable a@b.example",
        "tandem users enable a@b.example",
        "tandem users reset a@b.example --url https://msg.example.com",
        "tandem openapi",
    ] {
        let parsed = Cli::try_parse_from(line.split(' '));
        assert!(parsed.is_ok(), "{line}: {parsed:?}");
    }
}

#[test]
fn what_cannot_be_meant_is_refused() {
    for line in [
        "tandem",
        "tandem serve extra",
        "tandem check",
        "tandem send --to +40712345678",
        "tandem messages --limit 0",
        "tandem tail --every 1",
        "tandem route stop gw",
        "tandem route drain gw",
        "tandem route drain",
        "tandem alerts --kind route_down",
        "tandem alerts --silence 2h",
        "tandem alerts --silence soon --reason x",
        "tandem alerts --unsilence sil_1 --all",
        "tandem route drain gw --reason x --until 2030-01-01",
        "tandem audit --limit 0",
        "tandem balance --note x",
        "tandem keys create",
        "tandem keys create --name a --scope all",
        "tandem keys revoke",
        "tandem users add --email a@b.example",
        "tandem users add --email a@b.example --role boss",
    ] {
        assert!(Cli::try_parse_from(line.split(' ')).is_err(), "{line}");
    }
}

#[test]
fn debug_output_of_arguments_shows_no_key() {
    let cli = Cli::try_parse_from(["tandem", "demo", "--key", "zv_test_very_secret"]).unwrap();
    assert!(!format!("{cli:?}").contains("very_secret"));
}
