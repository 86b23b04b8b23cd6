//! R-PHONE-2, R-PHONE-4, R-QUOTA-3: direct messages whose routes are out wait for people, whoever takes
//! one first has it, and the router leaves it alone meanwhile.

use domain::ids::{MessageId, UserId};
use domain::model::attempt::AttemptState;
use domain::model::channel::Channel;
use domain::model::consent::{ConsentChange, ConsentScope, ConsentSource};
use domain::model::message::Status;
use domain::model::money::Micros;
use domain::model::progress::Waiting;
use domain::model::quota::{Period, Quota, QuotaUnit, Quotas};
use domain::model::route::{Destinations, Price, Route, RouteClass};
use domain::rules::person::{CLAIM, PersonRefusal};
use domain::time::{Millis, Timestamp};
use engine::people::{Act, PersonError};
use engine::request::SendRequest;
use ports::store::consent::{Consent, ConsentSubject, Towards};
use ports::store::{Queries, Registered, Store};

use crate::world::{
    PROJECT, SENDER, SMS, SMS2, World, bulk_to, person, sms, sms2, text_to, whatsapp,
};

const ANA: UserId = UserId::from_key(1);
const DAN: UserId = UserId::from_key(2);
const BY_ANA: Act<'_> = Act::Sent { name: "ana" };

async fn world_without_routes() -> World {
    let world = World::running([sms(), sms2()]).await;
    world.provider(SMS).link(false);
    world.provider(SMS2).link(false);
    world
}

/// This person wants nothing more.
async fn opts_out(world: &World, no: u32) {
    let consent = Consent {
        project: PROJECT,
        who: ConsentSubject::Address(person(no)),
        towards: Towards::Senders(vec![SENDER]),
        change: ConsentChange {
            opted_out: true,
            scope: ConsentScope::Everything,
            only_if_out: false,
            wording: "STOP".into(),
        },
        source: ConsentSource::Api,
        channel: None,
        at: world.now(),
    };
    world.engine().change_consent(consent).await.unwrap();
}

async fn offered(world: &World) -> Vec<(MessageId, Option<UserId>)> {
    let offered = world.engine().offered(PROJECT).await.unwrap();
    offered
        .iter()
        .map(|it| (it.message.id, it.claim.map(|it| it.person)))
        .collect()
}

async fn acts(world: &World, id: MessageId, who: UserId, act: Act<'_>) -> Result<(), PersonError> {
    let done = world.engine().person(PROJECT, id, who, act).await;
    done.map(|_| ())
}

fn refusal(result: Result<(), PersonError>) -> PersonRefusal {
    match result {
        Err(PersonError::Refused(refusal)) => refusal,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_route_that_does_not_serve_the_number_keeps_nothing_from_people() {
    let elsewhere = Route {
        destinations: Destinations {
            allow: vec!["+49".into()],
            deny: Vec::new(),
        },
        ..sms2()
    };
    let world = World::running([sms(), elsewhere]).await;
    world.provider(SMS).link(false);
    world.pass(Millis::seconds(2)).await;
    let id = world.send(text_to(1, "hello")).await;
    world.pass(Millis::seconds(2)).await;
    assert_eq!(offered(&world).await, [(id, None)]);
}

#[tokio::test(start_paused = true)]
async fn a_sender_with_team_phones_alone_waits_for_people_while_none_of_them_is_there() {
    let phones = Route {
        class: Some(RouteClass::Phone),
        ..sms()
    };
    let world = World::running([phones]).await;
    world.provider(SMS).link(false);
    world.pass(Millis::seconds(2)).await;
    let id = world.send(text_to(1, "hello")).await;
    world.pass(Millis::seconds(2)).await;
    assert_eq!(offered(&world).await, [(id, None)]);
    world.provider(SMS).link(true);
    world.pass(Millis::seconds(5)).await;
    assert_eq!(offered(&world).await, []);
    assert_eq!(world.status(id).await, Status::Delivered);
}

#[tokio::test(start_paused = true)]
async fn what_no_route_can_take_is_offered_within_two_seconds_and_told() {
    let world = world_without_routes().await;
    let mut told = world.engine().watch_offers();
    told.mark_unchanged();
    let direct = world.send(text_to(1, "hello")).await;
    let bulk = world.send(bulk_to(2, "sale")).await;
    world.pass(Millis::seconds(2)).await;
    assert_eq!(
        offered(&world).await,
        [(direct, None)],
        "bulk never: {bulk}"
    );
    assert!(told.has_changed().unwrap());
    assert_eq!(told.borrow_and_update()[&PROJECT], [direct]);
    world.provider(SMS2).link(true);
    world.pass(Millis::seconds(5)).await;
    assert_eq!(offered(&world).await, []);
    assert_eq!(world.status(direct).await, Status::Delivered);
}

#[tokio::test(start_paused = true)]
async fn a_route_without_quota_is_out_like_one_that_is_down() {
    let quotas = Quotas::new([Quota {
        per: Period::Hour,
        unit: QuotaUnit::Messages,
        limit: 1,
    }]);
    let gateway = Route {
        class: Some(RouteClass::Gateway),
        quotas,
        ..sms()
    };
    let world = World::running([gateway]).await;
    world.send(text_to(1, "hello")).await;
    let second = world.send(text_to(2, "hello")).await;
    world.pass(Millis::seconds(2)).await;
    assert_eq!(offered(&world).await, [(second, None)]);
}

#[tokio::test(start_paused = true)]
async fn a_route_whose_money_is_less_than_a_message_costs_now_is_out_whatever_it_cost_once() {
    let mut gateway = Route {
        class: Some(RouteClass::Gateway),
        quotas: Quotas::new([Quota {
            per: Period::Day,
            unit: QuotaUnit::Spend,
            limit: 99_999,
        }]),
        ..sms()
    };
    let now = gateway.prices[0].clone();
    assert_eq!(now.amount, Micros(50_000));
    gateway.prices.push(Price {
        amount: Micros(1),
        valid_until: Some(Timestamp::from_millis(1)),
        ..now
    });
    let world = World::running([gateway]).await;
    world.send(text_to(1, "hello")).await;
    let second = world.send(text_to(2, "hello")).await;
    world.pass(Millis::seconds(2)).await;
    assert_eq!(offered(&world).await, [(second, None)]);
}

#[tokio::test(start_paused = true)]
async fn whoever_takes_it_first_has_it_and_the_router_leaves_it_alone() {
    let world = world_without_routes().await;
    let id = world.send(text_to(1, "hello")).await;
    world.pass(Millis::seconds(1)).await;
    acts(&world, id, ANA, Act::Take).await.unwrap();
    assert_eq!(offered(&world).await, [(id, Some(ANA))]);
    let taken = refusal(acts(&world, id, DAN, Act::Take).await);
    assert!(
        matches!(taken, PersonRefusal::Taken(it) if it.person == ANA),
        "{taken:?}"
    );
    assert_eq!(
        refusal(acts(&world, id, DAN, Act::GiveBack).await),
        PersonRefusal::NotTheirs
    );
    assert_eq!(
        refusal(acts(&world, id, DAN, Act::Sent { name: "dan" }).await),
        PersonRefusal::NotTheirs
    );
    world.provider(SMS).link(true);
    world.pass(Millis::minutes(5)).await;
    assert_eq!(world.log().len(), 0, "it is in a person's hands");
    assert_eq!(world.status(id).await, Status::Queued);
}

#[tokio::test(start_paused = true)]
async fn what_a_person_sent_is_sent_by_their_phone_and_costs_nothing() {
    let mut world = world_without_routes().await;
    for name in ["route1", "route2"] {
        let route = Registered::Route(PROJECT, name.into());
        world.disk.register(route, world.now()).await.unwrap();
    }
    let id = world.send(text_to(1, "hello")).await;
    world.pass(Millis::seconds(1)).await;
    acts(&world, id, ANA, Act::Take).await.unwrap();
    acts(&world, id, ANA, BY_ANA).await.unwrap();
    let progress = world.progress(id).await;
    assert_eq!(progress.status, Status::Sent);
    assert!(progress.is_ended(), "no receipt will come");
    let [attempt] = &progress.attempts[..] else {
        panic!("{progress:?}")
    };
    assert_eq!(
        (attempt.channel, attempt.state),
        (Channel::Sms, AttemptState::Sent)
    );
    assert_eq!(attempt.settled_cost.map(|it| it.0), Some(0));
    let name = |world: &World| {
        let topology = world.engine().topology();
        topology.route(attempt.route).map(|it| it.id.to_string())
    };
    assert_eq!(name(&world).as_deref(), Some("phone:ana"));
    assert_eq!(offered(&world).await, []);
    assert_eq!(
        world.disk.meters().await.unwrap(),
        [],
        "it counts against no quota"
    );
    assert_eq!(world.contact(1).await.sms.metrics.success_count, 1);
    world.restart().await;
    assert_eq!(
        name(&world).as_deref(),
        Some("phone:ana"),
        "also after a restart"
    );
    world.provider(SMS).link(true);
    world.pass(Millis::minutes(30)).await;
    assert_eq!(world.log().len(), 0, "it is not sent again");
}

#[tokio::test(start_paused = true)]
async fn what_is_given_back_waits_again_and_goes_by_the_route_that_is_up() {
    let world = world_without_routes().await;
    let id = world.send(text_to(1, "hello")).await;
    world.pass(Millis::seconds(1)).await;
    acts(&world, id, ANA, Act::Take).await.unwrap();
    acts(&world, id, ANA, Act::GiveBack).await.unwrap();
    assert_eq!(offered(&world).await, [(id, None)]);
    acts(&world, id, DAN, Act::Take).await.unwrap();
    world.provider(SMS2).link(true);
    world.pass(Millis::seconds(5)).await;
    acts(&world, id, DAN, Act::GiveBack).await.unwrap();
    world.pass(Millis::seconds(5)).await;
    assert_eq!(world.journey(id)[0].0, SMS2);
    assert_eq!(
        refusal(acts(&world, id, ANA, Act::Take).await),
        PersonRefusal::NotWaiting
    );
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_lapses_goes_back_by_itself_also_after_a_restart() {
    let mut world = world_without_routes().await;
    let id = world.send(text_to(1, "hello")).await;
    world.pass(Millis::seconds(1)).await;
    acts(&world, id, ANA, Act::Take).await.unwrap();
    world.pass(Millis::minutes(9)).await;
    // Taking it again keeps it for longer.
    acts(&world, id, ANA, Act::Take).await.unwrap();
    world.restart().await;
    world.provider(SMS).link(true);
    world.pass(Millis::new(CLAIM.get() - 1_000)).await;
    assert!(world.log().is_empty());
    world.pass(Millis::seconds(10)).await;
    assert_eq!(world.journey(id).len(), 1);
    assert_eq!(world.status(id).await, Status::Delivered);
}

#[tokio::test(start_paused = true)]
async fn a_claim_ends_with_the_messages_validity() {
    let world = world_without_routes().await;
    let short = SendRequest {
        validity: Some(Millis::minutes(2)),
        ..text_to(1, "hello")
    };
    let id = world.send(short).await;
    world.pass(Millis::seconds(1)).await;
    acts(&world, id, ANA, Act::Take).await.unwrap();
    world.pass(Millis::minutes(3)).await;
    assert_eq!(world.status(id).await, Status::Failed);
    assert_eq!(
        world.progress(id).await.failure.unwrap().code.as_ref(),
        "expired"
    );
    assert_eq!(
        refusal(acts(&world, id, ANA, Act::Take).await),
        PersonRefusal::NotWaiting
    );
    assert_eq!(
        refusal(acts(&world, id, ANA, BY_ANA).await),
        PersonRefusal::NotTheirs,
        "what has failed stays so until a receipt says otherwise (R-LIFE-1)"
    );
}

#[tokio::test(start_paused = true)]
async fn an_agent_may_send_a_reply_from_their_own_phone_though_routes_are_up() {
    let world = World::running([sms(), whatsapp()]).await;
    let by_hand = SendRequest {
        explicit: Some(Channel::Sms),
        by_person: Some(ANA),
        ..text_to(1, "hello")
    };
    let id = world.send(by_hand).await;
    world.pass(Millis::minutes(1)).await;
    assert!(world.log().is_empty());
    assert_eq!(offered(&world).await, [(id, Some(ANA))]);
    assert!(matches!(
        world.progress(id).await.waiting,
        Waiting::Person(_)
    ));
    acts(&world, id, ANA, Act::GiveBack).await.unwrap();
    world.pass(Millis::seconds(5)).await;
    assert_eq!(world.journey(id)[0].0, SMS, "given back, it goes by itself");
}

#[tokio::test(start_paused = true)]
async fn what_one_has_is_listed_however_many_wait_before_it() {
    let world = world_without_routes().await;
    for no in 1..=205 {
        world.send(text_to(no, "hello")).await;
    }
    let newest = world.send(text_to(206, "hello")).await;
    world.pass(Millis::seconds(2)).await;
    acts(&world, newest, ANA, Act::Take).await.unwrap();
    let listed = |who| world.engine().offered_to(PROJECT, who);
    let hers = listed(ANA).await.unwrap();
    let ids: Vec<_> = hers.offered.iter().map(|it| it.message.id).collect();
    assert_eq!((ids.len(), ids.last()), (200, Some(&newest)));
    assert!(hers.more);
    assert!(ids.is_sorted());
    let his = listed(DAN).await.unwrap();
    assert!(his.offered.iter().all(|it| it.message.id != newest));
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_is_believed_after_the_claim_ended_where_nothing_took_it_since() {
    let world = world_without_routes().await;
    let id = world.send(text_to(1, "hello")).await;
    world.pass(Millis::seconds(1)).await;
    acts(&world, id, ANA, Act::Take).await.unwrap();
    world.pass(Millis::minutes(12)).await;
    assert_eq!(offered(&world).await, [(id, None)], "back in its lane");
    acts(&world, id, ANA, BY_ANA).await.unwrap();
    assert_eq!(world.status(id).await, Status::Sent);
    world.provider(SMS).link(true);
    world.pass(Millis::minutes(30)).await;
    assert!(world.log().is_empty(), "nobody sends it again");
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_is_too_late_where_somebody_or_a_route_took_it_since() {
    let world = world_without_routes().await;
    let his = world.send(text_to(1, "hello")).await;
    let routed = world.send(text_to(2, "hello")).await;
    world.pass(Millis::seconds(1)).await;
    acts(&world, his, ANA, Act::Take).await.unwrap();
    acts(&world, routed, ANA, Act::Take).await.unwrap();
    world.pass(Millis::minutes(12)).await;
    acts(&world, his, DAN, Act::Take).await.unwrap();
    world.provider(SMS).link(true);
    world.pass(Millis::seconds(5)).await;
    for id in [his, routed] {
        let refused = refusal(acts(&world, id, ANA, BY_ANA).await);
        assert_eq!(refused, PersonRefusal::NotTheirs);
    }
    assert_eq!(world.journey(routed).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_person_ends_when_its_recipient_opts_out() {
    let world = world_without_routes().await;
    let waits = world.send(text_to(1, "hello")).await;
    let taken = world.send(text_to(1, "again")).await;
    let other = world.send(text_to(2, "hello")).await;
    world.pass(Millis::seconds(1)).await;
    acts(&world, taken, ANA, Act::Take).await.unwrap();
    opts_out(&world, 1).await;
    world.pass(Millis::seconds(2)).await;
    assert_eq!(offered(&world).await, [(other, None)]);
    for id in [waits, taken] {
        let progress = world.progress(id).await;
        assert_eq!(progress.status, Status::Failed);
        assert_eq!(
            progress.failure.unwrap().code.as_ref(),
            "recipient_opted_out"
        );
    }
    assert_eq!(world.status(other).await, Status::Queued);
    let late = acts(&world, waits, ANA, Act::Take).await;
    assert!(late.is_err(), "{late:?}");
    assert_eq!(
        refusal(acts(&world, taken, ANA, BY_ANA).await),
        PersonRefusal::NotTheirs
    );
}

#[tokio::test(start_paused = true)]
async fn a_test_is_nobodys_to_send_and_waits_for_its_simulator() {
    let simulated = Route {
        simulator: true,
        ..sms2()
    };
    let world = World::running([sms(), simulated]).await;
    world.provider(SMS).link(false);
    world.provider(SMS2).link(false);
    let mut told = world.engine().watch_offers();
    told.mark_unchanged();
    let test = SendRequest {
        test: true,
        ..text_to(1, "hello")
    };
    let id = world.send(test).await;
    world.pass(Millis::seconds(3)).await;
    assert_eq!(offered(&world).await, []);
    assert!(!told.has_changed().unwrap(), "no phone rings");
    for act in [Act::Take, BY_ANA] {
        let refused = refusal(acts(&world, id, ANA, act).await);
        assert_eq!(refused, PersonRefusal::NotWaiting, "{act:?}");
    }
    let live = world.send(text_to(2, "hello")).await;
    world.pass(Millis::seconds(3)).await;
    assert_eq!(offered(&world).await, [(live, None)]);
    world.provider(SMS2).link(true);
    world.pass(Millis::seconds(5)).await;
    assert_eq!(world.journey(id)[0].0, SMS2);
    assert_eq!(world.status(id).await, Status::Delivered);
}
