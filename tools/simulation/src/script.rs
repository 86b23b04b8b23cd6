//! What do people ask for in this run? Messages of every kind, answers, keywords, and what befalls the
//! process and its links; all of it drawn from the seed before anything runs.

use domain::model::address::Address;
use domain::model::channel::Channel;
use domain::model::message::{Category, TrafficClass};
use domain::phone::PhoneNumber;
use domain::time::Millis;

use crate::agenda::{Agenda, Event};
use crate::dice::Dice;
use crate::people::PersonsWork;
use crate::scenery::Scenery;

/// A message that a caller asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) to: u32,
    pub(crate) text: String,
    pub(crate) explicit: Option<Channel>,
    pub(crate) class: Option<TrafficClass>,
    pub(crate) category: Category,
    /// How many milliseconds after it is asked for.
    pub(crate) scheduled_in: Option<i64>,
    pub(crate) validity: Option<Millis>,
    pub(crate) fallback: Option<bool>,
    pub(crate) fallback_after: Option<Millis>,
    /// Whether it has a key by which a repeat is known.
    pub(crate) has_key: bool,
    /// Whether the same is asked twice at once.
    pub(crate) twice: bool,
    /// Whether it answers the person's last message, where there is one.
    pub(crate) replies: bool,
    /// Whether somebody of the team sends it from their own phone.
    pub(crate) by_person: Option<i64>,
}

/// A message that a person writes to us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Writing {
    pub(crate) from: u32,
    pub(crate) channel: Channel,
    pub(crate) text: &'static str,
}

/// All that is asked for.
#[derive(Debug, Default)]
pub(crate) struct Script {
    pub(crate) asks: Vec<Ask>,
    pub(crate) writings: Vec<Writing>,
}

/// A person's number; some live elsewhere.
pub(crate) fn person(no: u32) -> Address {
    let country = if no.is_multiple_of(4) {
        "+447700900"
    } else {
        "+40722000"
    };
    Address::Phone(PhoneNumber::parse(&format!("{country}{no:03}")).unwrap())
}

/// The script of a seed, and when what happens in it.
pub(crate) fn write(seed: u64, scenery: &Scenery) -> (Script, Agenda) {
    let mut dice = Dice::new(seed, 2);
    let mut writer = Writer {
        script: Script::default(),
        agenda: Agenda::default(),
        people: u32::try_from(dice.between(3, 15)).unwrap(),
        dice,
        scenery,
    };
    let length = writer.dice.between(3, 15) * 60_000;
    writer.act(0, length);
    if scenery.weather.long_pauses {
        let pause = writer.dice.between(1, 50) * 3_600_000;
        writer.act(length + pause, length + pause + length / 2);
    }
    (writer.script, writer.agenda)
}

struct Writer<'a> {
    script: Script,
    agenda: Agenda,
    people: u32,
    dice: Dice,
    scenery: &'a Scenery,
}

impl Writer<'_> {
    fn note(&mut self, at: i64, event: Event) {
        self.agenda
            .note(self.scenery.begins.plus(Millis::new(at)), event);
    }

    fn someone(&mut self) -> u32 {
        u32::try_from(self.dice.below(self.people.into())).unwrap()
    }

    /// What happens between two times.
    fn act(&mut self, from: i64, until: i64) {
        for no in 0..self.people {
            if self.dice.chance(50) {
                let at = self.dice.between(from, from.midpoint(until));
                self.writes(at, no, Channel::WhatsApp, "hello");
            }
        }
        for _ in 0..self.dice.between(20, 60) {
            let at = self.dice.between(from, until);
            let to = self.someone();
            let count = if self.dice.chance(15) { 4 } else { 1 };
            for _ in 0..count {
                self.asks(at, to);
            }
        }
        for _ in 0..self.dice.between(0, 2) {
            self.campaign(from, until);
        }
        for _ in 0..self.dice.between(0, 8) {
            let at = self.dice.between(from, until);
            let no = self.someone();
            let channel = self
                .dice
                .pick(&[Channel::Sms, Channel::Sms, Channel::WhatsApp]);
            let text = self
                .dice
                .pick(&["STOP", "STOP", "START", "HELP", "a question", "another"]);
            self.writes(at, no, channel, text);
        }
        for _ in 0..self.dice.between(0, 12) {
            let at = self.dice.between(from, until);
            let who = self.dice.between(1, 3);
            self.note(at, Event::Team(PersonsWork::Looks(who)));
        }
        self.trouble(from, until);
    }

    fn writes(&mut self, at: i64, from: u32, channel: Channel, text: &'static str) {
        self.script.writings.push(Writing {
            from,
            channel,
            text,
        });
        let no = self.script.writings.len() - 1;
        self.note(at, Event::Write(no));
        if self.dice.chance(10) {
            // The provider brings it again.
            let again = at + self.dice.between(0, 60_000);
            self.note(again, Event::Write(no));
        }
    }

    fn text(&mut self) -> String {
        let no = self.script.asks.len();
        let long = self.dice.pick(&[0, 0, 0, 200, 330]);
        let letter = if self.dice.chance(10) { "ж" } else { "x" };
        format!("t{no} {}", letter.repeat(long))
    }

    fn asks(&mut self, at: i64, to: u32) {
        let dice = &mut self.dice;
        let category = dice.pick(&[
            Category::Transactional,
            Category::Transactional,
            Category::Transactional,
            Category::Otp,
            Category::Promotional,
        ]);
        let class = dice.pick(&[
            None,
            None,
            Some(TrafficClass::Direct),
            Some(TrafficClass::Bulk),
        ]);
        let explicit = dice.pick(&[
            None,
            None,
            None,
            Some(Channel::Sms),
            Some(Channel::WhatsApp),
        ]);
        let scheduled_in = dice
            .chance(10)
            .then(|| dice.pick(&[1_000, 60_000, 600_000, 7_200_000]));
        let validity = dice
            .chance(15)
            .then(|| Millis::seconds(dice.pick(&[30, 60, 600])));
        let fallback_after = dice
            .chance(10)
            .then(|| Millis::seconds(dice.between(10, 90)));
        let fallback = dice.pick(&[None, None, None, Some(true), Some(false)]);
        let by_person = dice.chance(3).then(|| dice.between(1, 3));
        let has_key = dice.chance(30);
        let twice = has_key && dice.chance(40);
        let replies = dice.chance(20);
        let text = self.text();
        self.script.asks.push(Ask {
            to,
            text,
            explicit,
            class,
            category,
            scheduled_in: scheduled_in.filter(|_| by_person.is_none()),
            validity,
            fallback,
            fallback_after,
            has_key,
            twice,
            replies: replies && by_person.is_none(),
            by_person,
        });
        let no = self.script.asks.len() - 1;
        self.note(at, Event::Send(no));
        if has_key && self.dice.chance(30) {
            let again = at + self.dice.pick(&[0, 100, 60_000]);
            self.note(again, Event::Send(no));
        }
    }

    /// Many messages at once.
    fn campaign(&mut self, from: i64, until: i64) {
        let at = self.dice.between(from, until);
        for _ in 0..self.dice.between(10, 40) {
            let to = self.someone();
            let text = self.text();
            self.script.asks.push(Ask {
                to,
                text,
                explicit: None,
                class: Some(TrafficClass::Bulk),
                category: Category::Transactional,
                scheduled_in: None,
                validity: None,
                fallback: None,
                fallback_after: None,
                has_key: false,
                twice: false,
                replies: false,
                by_person: None,
            });
            let no = self.script.asks.len() - 1;
            let late = self.dice.between(0, 500);
            self.note(at + late, Event::Send(no));
        }
    }

    /// What befalls links, routes, the disk and the process.
    fn trouble(&mut self, from: i64, until: i64) {
        let weather = self.scenery.weather;
        let keys: Vec<_> = self.scenery.routes.iter().map(|it| it.key).collect();
        if self.dice.chance(60) {
            for _ in 0..self.dice.between(1, 5) {
                let at = self.dice.between(from, until);
                let route = self.dice.pick(&keys);
                let span = self.dice.pick(&[50, 1_500, 20_000, 200_000]);
                self.note(at, Event::Link(route, false));
                self.note(at + span, Event::Link(route, true));
            }
        }
        if self.dice.chance(40) {
            for _ in 0..self.dice.between(1, 3) {
                let at = self.dice.between(from, until);
                let route = self.dice.pick(&keys);
                let mode = u8::try_from(self.dice.below(3)).unwrap();
                let span = self.dice.pick(&[5_000, 60_000, 400_000]);
                let until = self.dice.chance(50).then_some(at + span);
                self.note(at, Event::Control(route, Some((mode, until))));
                if until.is_none() {
                    self.note(at + span, Event::Control(route, None));
                }
            }
        }
        if weather.crashes {
            for _ in 0..self.dice.between(1, 4) {
                let at = self.dice.between(from, until);
                let down = self.dice.pick(&[0, 300, 10_000, 90_000, 3_000_000]);
                let event = if self.dice.chance(75) {
                    Event::Crash(down)
                } else {
                    Event::Stop(down)
                };
                self.note(at, event);
            }
        }
        if weather.full_disk {
            let at = self.dice.between(from, until);
            self.note(at, Event::Full(true));
            let span = self.dice.pick(&[100, 2_000, 10_000]);
            self.note(at + span, Event::Full(false));
        }
    }
}
