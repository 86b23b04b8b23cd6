//! Does the finished program answer as its documents say? Exit codes, streams, files.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn tandem(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tandem"));
    command.args(arguments).current_dir(folder).env_clear();
    for name in ["TANDEM_KEY", "GW_PW", "BULK_PW"] {
        command.env(name, "zv_live_0123456789abcdef");
    }
    command.output().expect("cargo built the program")
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/tandem.toml")
}

#[test]
fn check_says_what_a_good_file_sets_up_and_ends_with_0() {
    let folder = tempfile::tempdir().unwrap();
    let output = tandem(folder.path(), &["check", example().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(
        stdout(&output).contains("route gw: sms by smpp"),
        "{}",
        stdout(&output)
    );
    assert_eq!(stderr(&output), "");
}

#[test]
fn check_tells_every_error_on_stderr_and_ends_with_1() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("f.toml"),
        "lisen = 1\n[[project]]\nid = \"\"\n",
    )
    .unwrap();
    let output = tandem(folder.path(), &["check", "f.toml"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(stdout(&output), "");
    let lines: Vec<String> = stderr(&output).lines().map(str::to_owned).collect();
    assert_eq!(
        lines[0],
        "error: f.toml:1:1: lisen: is not a known setting; did you mean `listen`?"
    );
    assert!(
        lines[1].starts_with("error: f.toml:3:6: project[0].id: is \"\""),
        "{lines:?}"
    );
    assert!(lines[2].starts_with("f.toml: 2 errors"), "{lines:?}");
}

#[test]
fn what_is_not_understood_ends_with_2() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(tandem(folder.path(), &["sned"]).status.code(), Some(2));
}

#[test]
fn openapi_prints_a_document_of_version_3_1() {
    let folder = tempfile::tempdir().unwrap();
    let output = tandem(folder.path(), &["openapi"]);
    let document: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
}

#[test]
fn a_client_command_says_how_to_reach_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let output = tandem(folder.path(), &["routes"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        stderr(&output).contains("give one with --key or TANDEM_API_KEY"),
        "{}",
        stderr(&output)
    );
    let output = tandem(
        folder.path(),
        &["routes", "--key", "k", "--url", "http://127.0.0.1:1"],
    );
    assert!(
        stderr(&output).contains("start one with `tandem serve`"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn keys_make_no_database_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let create = ["keys", "create", "--name", "app"];
    let output = tandem(folder.path(), &create);
    assert_eq!(output.status.code(), Some(1));
    let told = stderr(&output);
    for part in ["there is no database", "tandem-data/tandem.db", "--create"] {
        assert!(told.contains(part), "{told}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    let output = tandem(folder.path(), &[&create[..], &["--create"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let output = tandem(folder.path(), &["keys", "list"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
}

#[test]
fn users_make_no_database_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let add = ["users", "add", "--email", "a@b.example", "--role", "owner"];
    for arguments in [&add[..], &["users", "list"]] {
        let output = tandem(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains("there is no database at"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
    let output = tandem(folder.path(), &[&add[..], &["--create"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let output = tandem(folder.path(), &["users", "list"]);
    assert!(stdout(&output).contains("a@b.example"));
}

#[test]
fn a_key_without_a_name_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["", " "] {
        let create = ["keys", "create", "--name", name, "--create"];
        let output = tandem(folder.path(), &create);
        assert_eq!(output.status.code(), Some(1));
        assert!(stderr(&output).contains("--name is empty"));
    }
}

#[test]
fn keys_are_made_listed_and_revoked_in_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let keys = |arguments: &[&str]| {
        let fixed = ["keys", "--database", "sqlite:t.db", "--json"];
        let output = tandem(folder.path(), &[&fixed, arguments].concat());
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        stdout(&output)
    };
    let json = |text: String| serde_json::from_str::<serde_json::Value>(&text).unwrap();
    let made = json(keys(&[
        "create", "--name", "app", "--scope", "read", "--create",
    ]));
    let secret = made["key"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("zv_live_"));
    assert_eq!(made["scopes"], serde_json::json!(["read"]));

    keys(&["revoke", made["id"].as_str().unwrap()]);
    let listed = keys(&["list"]);
    assert!(!listed.contains(&secret), "a key is shown once");
    let listed = json(listed);
    assert_eq!(
        (&listed[0]["id"], listed.as_array().unwrap().len()),
        (&made["id"], 1)
    );
    assert!(listed[0]["revokedAt"].is_string());
    let database = std::fs::read(folder.path().join("t.db")).unwrap();
    assert!(
        !database
            .windows(secret.len())
            .any(|it| it == secret.as_bytes()),
        "only its hash is kept"
    );
}
