//! Replies as mail servers give them.

use super::*;

fn reply(moment: Moment, code: u16, text: &str) -> Fault {
    Fault {
        moment,
        trouble: Trouble::Reply(code, text.into()),
    }
}

fn class(fault: &Fault, is_for_good: bool) -> Class {
    match fault.verdict() {
        Verdict::Ended(SubmitOutcome::NotAccepted(it)) if !is_for_good => it.class,
        Verdict::Ended(SubmitOutcome::Rejected(it)) if is_for_good => it.class,
        other @ (Verdict::Ended(_) | Verdict::Later(_)) => panic!("{fault:?}: {other:?}"),
    }
}

#[test]
fn each_reply_has_the_meaning_of_its_moment() {
    use Moment::{Data, From, To, Written};
    for (moment, code, text, want) in [
        (From, 421, "4.3.2 closing", NotTaken(Class::RouteFault)),
        (From, 451, "4.3.0 try later", NotTaken(Class::RouteFault)),
        (
            From,
            530,
            "5.7.0 log in first",
            NotTaken(Class::AccountFault),
        ),
        (
            From,
            550,
            "5.7.1 not your address",
            NotTaken(Class::SenderFault),
        ),
        (
            From,
            553,
            "5.1.8 no such sender",
            NotTaken(Class::SenderFault),
        ),
        (To, 450, "4.2.0 greylisted", Later),
        (To, 451, "4.7.1 greylisted", Later),
        (To, 451, "4.3.0 no resources", NotTaken(Class::RouteFault)),
        (To, 452, "4.2.2 mailbox full", Later),
        (To, 452, "4.3.1 disk full", NotTaken(Class::RouteFault)),
        (
            To,
            550,
            "5.1.1 no such user",
            ForGood(Class::RecipientInvalid),
        ),
        (To, 550, "no such user", ForGood(Class::RecipientInvalid)),
        (
            To,
            550,
            "5.7.1 refused by policy",
            ForGood(Class::Undeliverable),
        ),
        (To, 551, "user not local", ForGood(Class::RecipientInvalid)),
        (To, 552, "5.2.2 mailbox full", ForGood(Class::Undeliverable)),
        (
            To,
            553,
            "bad mailbox name",
            ForGood(Class::RecipientInvalid),
        ),
        (
            To,
            554,
            "5.7.1 relay access denied",
            ForGood(Class::Undeliverable),
        ),
        (
            To,
            535,
            "5.7.8 not logged in",
            NotTaken(Class::AccountFault),
        ),
        (Data, 451, "4.7.1 greylisted", Later),
        (
            Data,
            554,
            "no valid recipients",
            ForGood(Class::ContentBlocked),
        ),
        (
            Written,
            421,
            "4.3.2 shutting down",
            NotTaken(Class::RouteFault),
        ),
        (Written, 450, "4.7.1 greylisted", Later),
        (
            Written,
            550,
            "5.7.1 looks like spam",
            ForGood(Class::ContentBlocked),
        ),
        (
            Written,
            550,
            "5.1.1 no such user",
            ForGood(Class::RecipientInvalid),
        ),
        (
            Written,
            552,
            "5.3.4 too large",
            ForGood(Class::Undeliverable),
        ),
        (
            Written,
            554,
            "5.7.1 blocked",
            ForGood(Class::ContentBlocked),
        ),
        (Written, 499, "never heard of", NotTaken(Class::RouteFault)),
        (To, 599, "never heard of", NotTaken(Class::RouteFault)),
    ] {
        let fault = reply(moment, code, text);
        match want {
            Later => assert!(matches!(fault.verdict(), Verdict::Later(_)), "{fault:?}"),
            NotTaken(it) => assert_eq!(class(&fault, false), it, "{fault:?}"),
            ForGood(it) => assert_eq!(class(&fault, true), it, "{fault:?}"),
        }
    }
}

#[test]
fn a_server_that_cannot_be_reached_or_refuses_us_is_the_routes_fault() {
    for (fault, want, is_login) in [
        (
            reply(Moment::Hello, 554, "no service"),
            Class::RouteFault,
            false,
        ),
        (reply(Moment::Hello, 421, "busy"), Class::RouteFault, false),
        (
            Fault::lost(Moment::Hello, "refused"),
            Class::RouteFault,
            false,
        ),
        (
            reply(Moment::Login, 454, "4.7.0 later"),
            Class::RouteFault,
            false,
        ),
        (
            reply(Moment::Login, 535, "5.7.8 bad"),
            Class::AccountFault,
            true,
        ),
        (
            reply(Moment::From, 530, "5.7.0 log in"),
            Class::AccountFault,
            true,
        ),
    ] {
        assert_eq!(class(&fault, false), want, "{fault:?}");
        assert!(fault.is_of_the_route(), "{fault:?}");
        assert_eq!(fault.is_refused_login(), is_login, "{fault:?}");
    }
    for fault in [
        reply(Moment::To, 550, "5.1.1 no such user"),
        reply(Moment::Written, 554, "5.7.1 spam"),
        reply(Moment::From, 421, "idle"),
        Fault::lost(Moment::To, "closed"),
    ] {
        assert!(!fault.is_of_the_route(), "{fault:?}");
    }
}

#[test]
fn a_connection_lost_after_the_message_was_written_leaves_its_fate_unknown() {
    for moment in [
        Moment::Hello,
        Moment::Login,
        Moment::From,
        Moment::To,
        Moment::Data,
    ] {
        let fault = Fault::lost(moment, "closed");
        assert_eq!(class(&fault, false), Class::RouteFault, "{moment:?}");
    }
    assert_eq!(
        Fault::lost(Moment::Written, "closed").verdict(),
        Verdict::Ended(SubmitOutcome::Unknown {
            references: Vec::new()
        })
    );
}

#[test]
fn no_row_hides_another() {
    for (at, row) in REPLIES.iter().enumerate() {
        let hidden = REPLIES[..at].iter().any(|it| {
            it.1 == row.1
                && row.2.starts_with(it.2)
                && row.0.iter().all(|moment| it.0.contains(moment))
        });
        assert!(!hidden, "{row:?}");
    }
}
