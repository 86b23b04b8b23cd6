//! Files: opened again, copied in mid-flight, shared by two owners.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use domain::ids::{MessageId, SenderKey};
use domain::model::channel::Channel;
use domain::model::message::Status;
use domain::model::money::Micros;
use domain::model::receipt::ReceiptState;
use domain::model::webhook::WebhookSecret;
use ports::conformance::store::kit::*;
use ports::store::books::{Deposit, LedgerFilter};
use ports::store::messages::IdempotencyKey;
use ports::store::operations::{PlanStep, Start};
use ports::store::webhooks::{WebhookChange, WebhookSetting};
use ports::store::{Epoch, Op, Outcome, Queries, Registered, Store};
use store::{OpenError, Options, SecretKey, SqliteStore};

fn open(path: &Path) -> SqliteStore {
    SqliteStore::open(path, Options::default()).expect("the database opens")
}

#[test]
fn everything_is_still_there_after_the_file_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/down/a.db");
    let (id, contact, lane_id, registered);
    {
        let store = open(&path);
        (id, contact) = accept(&store, sent_at_once(phone(1), at(0)));
        (lane_id, _) = accept(&store, waiting(phone(2), at(1)));
        receive(&store, written(phone(1), Channel::WhatsApp, "in", at(2)));
        change(
            &store,
            Op::Submitted(Box::new(submitted(id, taken("a"), at(3)))),
        );
        change(&store, op(receipt("a", ReceiptState::Delivered, at(4))));
        registered = ask(store.register(Registered::Route(PROJECT, "gw".into()), at(5)));
        assert_eq!(ask(store.raise_epoch()), Epoch(1));
    }
    let store = open(&path);
    assert_eq!(progress(&store, id).status, Status::Delivered);
    assert_lane(&store, lane(SMS), &[lane_id]);
    let facts = facts(&store, phone(1));
    assert_eq!(
        (facts.id, facts.sms.metrics.success_count),
        (Some(contact), 1)
    );
    assert!(facts.thread.whatsapp_window_from.is_some());
    assert_eq!(
        ask(store.register(Registered::Route(PROJECT, "gw".into()), at(99))),
        registered
    );
    assert_eq!(ask(store.raise_epoch()), Epoch(2));
    // Ids go on ascending, also when the clock was set back.
    let (next, _) = accept(&store, sent_at_once(phone(3), at(-1_000_000)));
    assert!(next > lane_id);
}

#[cfg(unix)]
#[test]
fn what_is_made_is_for_its_owner_alone_and_what_was_there_stays_as_it_was() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let mode = |path: &str| {
        let metadata = std::fs::metadata(folder.path().join(path)).unwrap();
        metadata.permissions().mode() & 0o777
    };
    let store = open(&folder.path().join("deep/down/a.db"));
    accept(&store, sent_at_once(phone(1), at(0)));
    for made in ["deep", "deep/down"] {
        assert_eq!(mode(made), 0o700, "{made}");
    }
    for made in ["a.db", "a.db-wal", "a.db-shm", "a.db.key"] {
        assert_eq!(mode(&format!("deep/down/{made}")), 0o600, "{made}");
    }
    drop(store);
    let shared = std::fs::Permissions::from_mode(0o640);
    std::fs::set_permissions(folder.path().join("deep/down/a.db"), shared).unwrap();
    drop(open(&folder.path().join("deep/down/a.db")));
    assert_eq!(mode("deep/down/a.db"), 0o640);
}

#[test]
fn closing_commits_what_is_queued_and_calls_its_completions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let store = open(&path);
    let called = Arc::new(AtomicUsize::new(0));
    for nth in 0..2_000 {
        let called = Arc::clone(&called);
        let accept = Box::new(waiting(phone(nth % 50), at(0)));
        let done = move |_| {
            called.fetch_add(1, Ordering::SeqCst);
        };
        store.commit(Op::Accept(accept), Box::new(done));
    }
    store.close();
    assert_eq!(called.load(Ordering::SeqCst), 2_000);
    assert_eq!(ask(open(&path).lanes()), [(lane(SMS), 2_000)]);
}

#[test]
fn the_last_handle_may_be_dropped_in_a_completion() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let store = Arc::new(open(&path));
    let (sender, done) = mpsc::channel();
    let held = Arc::clone(&store);
    let accept = Op::Accept(Box::new(waiting(phone(1), at(0))));
    store.commit(
        accept,
        Box::new(move |_| {
            drop(held);
            sender.send(()).ok();
        }),
    );
    drop(store);
    done.recv_timeout(std::time::Duration::from_mins(1))
        .unwrap();
}

/// What is acknowledged is in the files at that moment: a copy of them, as a killed process would
/// leave them, opens and has it.
#[test]
fn what_was_acknowledged_is_in_the_files_of_a_killed_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let store = open(&path);
    let mut acknowledged: Vec<MessageId> = Vec::new();
    for round in 0..5_u32 {
        for nth in 0..40 {
            let (id, _) = accept(&store, sent_at_once(phone(round * 100 + nth), at(0)));
            acknowledged.push(id);
        }
        // The process goes on writing while the files are copied.
        for nth in 0..200 {
            let accept = Box::new(waiting(phone(nth), at(1)));
            store.commit(Op::Accept(accept), Box::new(drop));
        }
        let copy = folder.path().join(format!("copy-{round}.db"));
        // The log first: what is in it is never only in the main file until it is full, which
        // so little never makes it.
        for suffix in ["-wal", ""] {
            std::fs::copy(with_suffix(&path, suffix), with_suffix(&copy, suffix)).unwrap();
        }
        let after = open(&copy);
        for id in &acknowledged {
            assert!(
                ask(after.outbound(*id)).is_some(),
                "{id} is lost in round {round}"
            );
        }
        accept(&after, sent_at_once(phone(9_999), at(2)));
    }
}

#[test]
fn the_key_of_a_deposit_is_as_durable_as_its_line_in_the_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("a.db"), folder.path().join("copy.db"));
    let store = open(&path);
    let deposit = || {
        Op::Deposit(Deposit {
            project: PROJECT,
            amount: Micros(5),
            note: None,
            at: at(1),
            idempotency: Some(IdempotencyKey {
                key: "a".into(),
                fields: vec![("amount", 5)],
            }),
        })
    };
    assert!(matches!(commit(&store, deposit()), Outcome::Done));
    // As a killed process would leave it.
    for suffix in ["-wal", ""] {
        std::fs::copy(with_suffix(&path, suffix), with_suffix(&copy, suffix)).unwrap();
    }
    let after = open(&copy);
    let repeat = commit(&after, deposit());
    assert!(matches!(
        repeat,
        Outcome::AlreadyDeposited { differs: None }
    ));
    let ledger = LedgerFilter {
        project: PROJECT,
        before: None,
        limit: 9,
    };
    assert_eq!(ask(after.ledger(ledger)).len(), 1);
}

fn with_suffix(path: &Path, suffix: &str) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

#[test]
fn of_two_processes_on_one_file_the_older_is_fenced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let older = open(&path);
    let old_epoch = ask(older.raise_epoch());
    let (id, _) = accept(&older, sent_at_once(phone(1), at(0)));
    let newer = open(&path);
    let new_epoch = ask(newer.raise_epoch());
    assert!(new_epoch > old_epoch);
    let start = |epoch| {
        Op::Start(Start {
            message: id,
            attempt: 1,
            epoch,
        })
    };
    assert!(matches!(commit(&older, start(old_epoch)), Outcome::Fenced));
    let version = progress(&newer, id).version;
    let mut late = submitted(id, taken("a"), at(1));
    late.epoch = old_epoch;
    assert!(matches!(
        commit(&older, Op::Submitted(Box::new(late))),
        Outcome::Fenced
    ));
    assert_eq!(progress(&newer, id).version, version);
    assert!(matches!(
        commit(&newer, start(new_epoch)),
        Outcome::Changed(_)
    ));
    // Ids stay unique and ascending across both.
    let ids: Vec<_> = [&older, &newer, &older, &newer]
        .iter()
        .zip(1..)
        .map(|(store, last)| accept(*store, waiting(phone(last), at(0))).0)
        .collect();
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    let wait = PlanStep::Wait(lane(WHATSAPP));
    let stale = plan(id, version, wait, at(2));
    assert!(matches!(commit(&older, stale), Outcome::Fenced));
}

#[test]
fn the_writer_syncs_every_commit() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("a.db"));
    assert_eq!(ask(store.health()).synchronous, Some(2));
}

#[test]
fn a_file_that_is_no_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    std::fs::write(
        &path,
        "this is a text of more than a hundred bytes ".repeat(9),
    )
    .unwrap();
    let refused = SqliteStore::open(&path, Options::default());
    assert!(
        matches!(refused, Err(OpenError::Database(_))),
        "{refused:?}"
    );
}

#[test]
fn an_operation_that_cannot_be_kept_does_not_sink_its_neighbours() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("a.db"));
    let key = ports::store::operations::ApiKeyRecord {
        id: domain::ids::ApiKeyId::from_key(1),
        project: PROJECT,
        name: "app".into(),
        hash: [1; 32],
        scopes: 1,
        test: false,
        created_at: at(0),
        revoked_at: None,
    };
    let create = || {
        Op::Key(Box::new(ports::store::operations::KeyChange::Create(
            key.clone(),
        )))
    };
    let (sender, results) = mpsc::channel();
    let queue = |op| {
        let sender = sender.clone();
        store.commit(
            op,
            Box::new(move |it| {
                sender.send(it.is_ok()).ok();
            }),
        );
    };
    // The second of the same key breaks a uniqueness that no caller can break by accident.
    queue(create());
    queue(Op::Accept(Box::new(waiting(phone(1), at(0)))));
    queue(create());
    queue(Op::Accept(Box::new(waiting(phone(2), at(0)))));
    let wait = std::time::Duration::from_mins(1);
    let results: Vec<bool> = (0..4)
        .map(|_| results.recv_timeout(wait).unwrap())
        .collect();
    assert_eq!(results, [true, true, false, true]);
    assert_eq!(ask(store.lanes()), [(lane(SMS), 2)]);
}

#[test]
fn an_opted_out_contact_is_refused_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let store = open(&path);
    accept(&store, waiting(phone(1), at(0)));
    let file = rusqlite::Connection::open(&path).unwrap();
    file.execute("UPDATE thread SET opted_out = 1", []).unwrap();
    let refused = commit(&store, Op::Accept(Box::new(waiting(phone(1), at(5)))));
    assert!(matches!(refused, Outcome::OptedOut));
    assert_eq!(ask(store.lanes()), [(lane(SMS), 1)]);
    let thread = facts(&store, phone(1)).thread;
    assert_eq!(
        (thread.opted_out, thread.last_outbound_at),
        (true, Some(at(0)))
    );
}

#[test]
fn a_secret_does_not_stand_in_the_file_and_is_there_when_it_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.db");
    let secret = "whsec_0123456789abcdef";
    let made = {
        let store = open(&path);
        let change = WebhookChange {
            project: PROJECT,
            sender: SENDER,
            at: at(0),
            setting: WebhookSetting::Set {
                url: Some("https://example.com/hook".into()),
                events: None,
                active: None,
                signature: None,
                secret: WebhookSecret::new(secret),
            },
        };
        let outcome = commit(&store, Op::Webhook(Box::new(change)));
        assert!(matches!(outcome, Outcome::Webhook(_)), "{outcome:?}");
        ask(store.webhook(SENDER)).unwrap()
    };
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let shows = |what: &str| bytes.windows(what.len()).any(|it| it == what.as_bytes());
        assert!(!shows(secret) && !shows("whsec_"));
    }
    assert_eq!(made.secret.expose(), secret);
    assert_eq!(ask(open(&path).webhook(SENDER)), Some(made));
    // With another key nothing is told.
    let other = Options {
        secret_key: SecretKey::from_hex(&"0b".repeat(32)),
        ..Options::default()
    };
    let store = SqliteStore::open(&path, other).unwrap();
    assert!(try_to_ask(store.webhook(SENDER)).is_err());
    // And one that cannot be read keeps no other from being served.
    let other = SenderKey(2);
    let change = WebhookChange {
        project: PROJECT,
        sender: other,
        at: at(1),
        setting: WebhookSetting::Set {
            url: Some("https://example.com/other".into()),
            events: None,
            active: None,
            signature: None,
            secret: WebhookSecret::new(secret),
        },
    };
    commit(&store, Op::Webhook(Box::new(change)));
    let served: Vec<_> = ask(store.webhooks())
        .into_iter()
        .map(|it| it.sender)
        .collect();
    assert_eq!(served, [other]);
}
