//! How much a list may cost, whatever it looks for.

use ports::conformance::store::kit::{PROJECT, ask, at, commit, phone, sent_at_once};
use ports::store::conversations::ConversationFilter;
use ports::store::{Op, Queries, Store};
use store::{Options, SqliteStore};

#[test]
fn a_search_for_few_among_many_goes_on_from_page_to_page() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("t.db"), Options::default()).unwrap();
    for no in 0..5_010 {
        let accept = Box::new(sent_at_once(phone(no), at(i64::from(no))));
        store.commit(Op::Accept(accept), Box::new(|_| ()));
    }
    // Waits for all of them.
    commit(
        &store,
        Op::Accept(Box::new(sent_at_once(phone(1), at(6_000)))),
    );
    let mut filter = ConversationFilter {
        project: PROJECT,
        sender: None,
        channel: None,
        search: Some(phone(5).as_str().into()),
        unread: false,
        before: None,
        limit: 3,
    };
    let page = ask(store.conversations(filter.clone()));
    assert_eq!(page.conversations, []);
    assert!(page.next.is_some());
    filter.before = page.next;
    let page = ask(store.conversations(filter));
    assert_eq!(page.conversations.len(), 1);
    assert_eq!(page.next, None);
}
