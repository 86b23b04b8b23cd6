//! The usual keywords and their answers, by language: the data of R-IN-2.
//!
//! Sources: 47 CFR 64.1200(a)(10) (stop, quit, end, revoke, opt out, cancel, unsubscribe: always an
//! opt-out in the United States since 2025-04-11); the published default lists of Twilio, Telnyx,
//! AWS and Braze; the words of other languages as operators there use them (reference: protocols
//! 7.1, read 2026-11). A short word that is an everyday word of another language here, such as the
//! Turkish "red", is left to operators.

use crate::rules::keyword::Keyword::{self, Help, Start, Stop, Yes};

/// A language that has keywords.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Language {
    /// English; also what a word of several languages is answered in.
    En,
    /// German.
    De,
    /// French.
    Fr,
    /// Spanish.
    Es,
    /// Italian.
    It,
    /// Portuguese.
    Pt,
    /// Dutch.
    Nl,
    /// Polish.
    Pl,
    /// Romanian.
    Ro,
    /// Swedish, Norwegian and Danish.
    Sv,
    /// Turkish.
    Tr,
    /// Any other with words; answered in English.
    Other,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 12] = [
        Self::En,
        Self::De,
        Self::Fr,
        Self::Es,
        Self::It,
        Self::Pt,
        Self::Nl,
        Self::Pl,
        Self::Ro,
        Self::Sv,
        Self::Tr,
        Self::Other,
    ];
}

/// The usual words. A word of several languages stands in the first of them.
pub(super) const USUAL: &[(Keyword, Language, &[&str])] = &[
    (
        Stop,
        Language::En,
        &[
            "stop",
            "stopall",
            "stop all",
            "unsubscribe",
            "cancel",
            "end",
            "quit",
            "revoke",
            "optout",
            "opt out",
            "opt-out",
            "remove",
        ],
    ),
    (
        Stop,
        Language::De,
        &["stopp", "abmelden", "abbestellen", "abmeldung"],
    ),
    (
        Stop,
        Language::Fr,
        &[
            "arrêt",
            "arrêter",
            "désabonner",
            "désinscrire",
            "désinscription",
        ],
    ),
    (
        Stop,
        Language::Es,
        &["parar", "alto", "baja", "cancelar", "detener", "no más"],
    ),
    (Stop, Language::Pt, &["pare", "sair", "descadastrar"]),
    (
        Stop,
        Language::It,
        &["ferma", "basta", "annulla", "disiscrivi", "disiscrivimi"],
    ),
    (Stop, Language::Nl, &["afmelden", "uitschrijven", "stoppen"]),
    (Stop, Language::Pl, &["wypisz", "wypisz mnie", "rezygnuję"]),
    (
        Stop,
        Language::Ro,
        &["dezabonare", "dezabonează", "dezabonează-mă", "opriți"],
    ),
    (
        Stop,
        Language::Sv,
        &["avsluta", "afmeld", "avregistrera", "avslutt"],
    ),
    (Stop, Language::Tr, &["dur", "iptal"]),
    (
        Stop,
        Language::Other,
        &[
            "стоп",
            "отписка",
            "отписаться",
            "إيقاف",
            "الغاء",
            "הסר",
            "रोकें",
        ],
    ),
    (Start, Language::En, &["start", "unstop"]),
    (Yes, Language::En, &["yes"]),
    (Yes, Language::De, &["ja"]),
    (Yes, Language::Fr, &["oui"]),
    (Yes, Language::Es, &["sí"]),
    (Yes, Language::Pt, &["sim"]),
    (Yes, Language::Pl, &["tak"]),
    (Yes, Language::Ro, &["da"]),
    (Yes, Language::Tr, &["evet"]),
    (Yes, Language::Other, &["да", "نعم", "כן", "हाँ"]),
    (Help, Language::En, &["help", "info"]),
    (Help, Language::De, &["hilfe"]),
    (Help, Language::Fr, &["aide"]),
    (Help, Language::Es, &["ayuda"]),
    (Help, Language::Pt, &["ajuda"]),
    (Help, Language::It, &["aiuto"]),
    (Help, Language::Pl, &["pomoc"]),
    (Help, Language::Ro, &["ajutor"]),
    (Help, Language::Sv, &["hjälp", "hjelp", "hjælp"]),
    (Help, Language::Tr, &["yardım"]),
    (Help, Language::Other, &["помощь", "مساعدة", "עזרה", "मदद"]),
];

/// The usual answer. Written so that it fits one text message in the alphabet of the network, which
/// is why some accents are missing.
pub(super) const fn usual_reply(keyword: Keyword, language: Language) -> &'static str {
    match keyword {
        Stop => stop_reply(language),
        Start | Yes => start_reply(language),
        Help => help_reply(language),
    }
}

const fn stop_reply(language: Language) -> &'static str {
    match language {
        Language::En | Language::Other => {
            "You will get no more messages from {sender}. Reply START to get them again."
        }
        Language::De => {
            "Sie erhalten keine Nachrichten mehr von {sender}. Mit START melden Sie sich wieder an."
        }
        Language::Fr => {
            "Vous ne recevrez plus de messages de {sender}. Envoyez START pour les recevoir à nouveau."
        }
        Language::Es => {
            "Ya no va a recibir mensajes de {sender}. Responda START para volver a recibirlos."
        }
        Language::It => {
            "Non riceverai altri messaggi da {sender}. Rispondi START per riceverli di nuovo."
        }
        Language::Pt => {
            "Deixa de receber mensagens de {sender}. Responda START para voltar a receber."
        }
        Language::Nl => {
            "U ontvangt geen berichten meer van {sender}. Antwoord START om ze weer te ontvangen."
        }
        Language::Pl => {
            "Nie otrzymasz wiecej wiadomosci od {sender}. Odpisz START, aby znow je otrzymywac."
        }
        Language::Ro => {
            "Nu vei mai primi mesaje de la {sender}. Raspunde START ca sa le primesti din nou."
        }
        Language::Sv => {
            "Du får inga fler meddelanden från {sender}. Svara START för att få dem igen."
        }
        Language::Tr => "Size artik {sender} mesaj göndermeyecek. Yeniden almak icin START yazin.",
    }
}

const fn start_reply(language: Language) -> &'static str {
    match language {
        Language::En | Language::Other => {
            "You get messages from {sender} again. Reply STOP to get no more."
        }
        Language::De => {
            "Sie erhalten wieder Nachrichten von {sender}. Mit STOP melden Sie sich ab."
        }
        Language::Fr => {
            "Vous recevez à nouveau les messages de {sender}. Envoyez STOP pour ne plus en recevoir."
        }
        Language::Es => "Vuelve a recibir mensajes de {sender}. Responda STOP para no recibir mas.",
        Language::It => {
            "Riceverai di nuovo i messaggi di {sender}. Rispondi STOP per non riceverne più."
        }
        Language::Pt => {
            "Volta a receber mensagens de {sender}. Responda STOP para deixar de receber."
        }
        Language::Nl => {
            "U ontvangt weer berichten van {sender}. Antwoord STOP om geen berichten meer te krijgen."
        }
        Language::Pl => "Znow otrzymujesz wiadomosci od {sender}. Odpisz STOP, aby zrezygnowac.",
        Language::Ro => {
            "Primesti din nou mesaje de la {sender}. Raspunde STOP ca sa nu mai primesti."
        }
        Language::Sv => "Du får åter meddelanden från {sender}. Svara STOP för att slippa dem.",
        Language::Tr => "{sender} mesajlarini yeniden aliyorsunuz. Çikmak icin STOP yazin.",
    }
}

const fn help_reply(language: Language) -> &'static str {
    match language {
        Language::En | Language::Other => {
            "{sender}, {address}. Reply STOP to get no more messages, START to get them again."
        }
        Language::De => "{sender}, {address}. Mit STOP melden Sie sich ab, mit START wieder an.",
        Language::Fr => {
            "{sender}, {address}. Envoyez STOP pour ne plus recevoir de messages, START pour en recevoir."
        }
        Language::Es => {
            "{sender}, {address}. Responda STOP para no recibir mensajes, START para recibirlos."
        }
        Language::It => {
            "{sender}, {address}. Rispondi STOP per non ricevere messaggi, START per riceverli."
        }
        Language::Pt => {
            "{sender}, {address}. Responda STOP para deixar de receber, START para voltar a receber."
        }
        Language::Nl => {
            "{sender}, {address}. Antwoord STOP om geen berichten te krijgen, START om ze te krijgen."
        }
        Language::Pl => {
            "{sender}, {address}. Odpisz STOP, aby zrezygnowac, START, aby znow otrzymywac."
        }
        Language::Ro => {
            "{sender}, {address}. Raspunde STOP ca sa nu mai primesti mesaje, START ca sa primesti."
        }
        Language::Sv => {
            "{sender}, {address}. Svara STOP för att slippa meddelanden, START för att få dem."
        }
        Language::Tr => "{sender}, {address}. Çikmak icin STOP, yeniden almak icin START yazin.",
    }
}
