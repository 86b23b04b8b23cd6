//! Whether a description makes sense, with the settings that an operator gives: every mistake is
//! found when the configuration is read, none when a message is sent.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::model::money::Currency;
use serde_json::Value;
use url::Url;

use super::place::pointer;
use super::presets::Problem;
use super::provider::{Auth, Provider, Send};
use super::spec::{
    AuthSpec, Encoding, InboundSpec, MethodSpec, MmsSpec, OkSpec, PriceSpec, ProviderSpec,
    ReceiptSpec, ReplySpec, SendSpec, SignatureSpec,
};
use super::template::{Branch, FACTS, Fact, Node, Scope, Template};
use super::time;
use crate::web::protocol::Method;

/// Fields of the `signed` text of an HMAC.
const SIGNED: [&str; 4] = ["{body}", "{timestamp}", "{nonce}", "{url}"];
/// Octets of an Ed25519 public key.
const ED25519_KEY: usize = 32;
/// What is wrong with a form or choices for a setting that there is not.
const NOT_LISTED: &str = "is neither one of `needs` nor one of `defaults`";

impl ProviderSpec {
    /// Checks the description with these settings, secrets among them, and fills them in.
    pub fn check(&self, settings: &BTreeMap<String, String>) -> Result<Provider, Vec<Problem>> {
        let mut known = self.defaults.clone();
        // What is missing is reported once, not again wherever it is used.
        known.extend(self.needs.keys().map(|it| (it.clone(), String::new())));
        known.extend(settings.clone());
        let used = RefCell::default();
        let mut check = Check {
            problems: Vec::new(),
            scope: Scope::new(&known, &used),
        };
        check.settings(self, settings);
        let provider = Provider {
            name: self.name.clone(),
            base_url: check.base_url(&self.base_url),
            auth: check.auth(&self.auth),
            numbers: self.numbers,
            send: check.send(&self.send),
            receipts: self.receipts.clone(),
            inbound: self.inbound.clone(),
            signature: check.signature(&self.signature),
            probe: None,
        };
        let probe = check.probe(self, &provider);
        check.callbacks(self);
        check.unused(self, settings, &used.borrow());
        if check.problems.is_empty() {
            Ok(Provider { probe, ..provider })
        } else {
            Err(check.problems)
        }
    }
}

/// The fields of a request.
struct Fields<'a> {
    /// The table that they stand in.
    place: &'static str,
    encoding: Encoding,
    body: &'a toml::Table,
    optional: &'a [String],
}

struct Check<'a> {
    problems: Vec<Problem>,
    scope: Scope<'a>,
}

impl Check<'_> {
    fn problem(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.problems.push(Problem::new(path, message));
    }

    /// Whether a setting is missing and was reported: what is empty without it is no news.
    fn lacks_settings(&self) -> bool {
        self.problems
            .iter()
            .any(|it| it.path.starts_with("settings."))
    }

    fn settings(&mut self, spec: &ProviderSpec, settings: &BTreeMap<String, String>) {
        for (name, what) in &spec.needs {
            if settings.get(name).is_none_or(String::is_empty) {
                self.problem(format!("settings.{name}"), format!("is missing: {what}"));
            }
        }
        for (name, text) in settings {
            if text.is_empty() && !spec.needs.contains_key(name) {
                self.problem(format!("settings.{name}"), "must not be empty");
            }
        }
        self.forms(spec, settings);
        for name in settings.keys().chain(spec.defaults.keys()) {
            if FACTS.iter().any(|it| it.0 == name) {
                let message = "is a name that stands for something of the message";
                self.problem(format!("settings.{name}"), message);
            }
        }
    }

    /// Whether the settings look as the description says that they do. They may be secrets, so none
    /// is repeated.
    fn forms(&mut self, spec: &ProviderSpec, settings: &BTreeMap<String, String>) {
        let is_listed = |name| spec.needs.contains_key(name) || spec.defaults.contains_key(name);
        let given = |name| settings.get(name).filter(|it| !it.is_empty());
        for (name, form) in &spec.forms {
            if !is_listed(name) {
                self.problem(format!("forms.{name}"), NOT_LISTED);
            }
            if given(name).is_some_and(|it| !form.fits(it)) {
                let message = format!("must be {}", form.words());
                self.problem(format!("settings.{name}"), message);
            }
        }
        for (name, words) in &spec.choices {
            if !is_listed(name) {
                self.problem(format!("choices.{name}"), NOT_LISTED);
            }
            if given(name).is_some_and(|it| !words.contains(it)) {
                let words: Vec<String> = words.iter().map(|it| format!("\"{it}\"")).collect();
                let message = format!("is none of {}", words.join(", "));
                self.problem(format!("settings.{name}"), message);
            }
        }
    }

    fn unused(
        &mut self,
        spec: &ProviderSpec,
        settings: &BTreeMap<String, String>,
        used: &BTreeSet<String>,
    ) {
        for name in settings.keys() {
            let is_listed = spec.needs.contains_key(name) || spec.defaults.contains_key(name);
            if !used.contains(name) && !is_listed {
                let listed = spec.needs.keys().chain(spec.defaults.keys());
                self.problems.push(Problem {
                    known: listed.cloned().collect(),
                    ..Problem::new(format!("settings.{name}"), "is used nowhere")
                });
            }
        }
    }

    /// A text that may name settings and facts.
    fn template(&mut self, path: &str, text: &str) -> Template {
        self.parsed(path, Template::parse(text, &self.scope))
    }

    /// A text that may name settings only, filled.
    fn setting(&mut self, path: &str, text: &str) -> String {
        let template = Template::parse(text, &self.scope.settings_only());
        let template = self.parsed(path, template);
        template.fixed()
    }

    fn parsed(&mut self, path: &str, template: Result<Template, String>) -> Template {
        template.unwrap_or_else(|message| {
            self.problem(path, message);
            Template::empty()
        })
    }

    fn base_url(&mut self, text: &str) -> String {
        let problems = self.problems.len();
        let url = self.setting("base_url", text);
        let is_good = Url::parse(&url).is_ok_and(|it| {
            matches!(it.scheme(), "http" | "https")
                && it.host_str().is_some_and(|host| !host.starts_with('.'))
                && it.query().is_none()
                && it.fragment().is_none()
                && it.username().is_empty()
                && it.password().is_none()
        });
        if !is_good && problems == self.problems.len() && !self.lacks_settings() {
            self.problem("base_url", "is not the http or https URL of an API");
        }
        url.trim_end_matches('/').to_owned()
    }

    fn auth(&mut self, auth: &AuthSpec) -> Auth {
        match auth {
            AuthSpec::None => Auth::None,
            AuthSpec::Basic { username, password } => {
                let username = self.setting("auth.username", username);
                let password = self.setting("auth.password", password);
                let both = STANDARD.encode(format!("{username}:{password}"));
                Auth::Header("Authorization".to_owned(), format!("Basic {both}"))
            }
            AuthSpec::Bearer { token } => {
                let token = self.setting("auth.token", token);
                self.header_value("auth.token", &token);
                Auth::Header("Authorization".to_owned(), format!("Bearer {token}"))
            }
            AuthSpec::Header { name, value } => {
                self.header_name("auth.name", name);
                let value = self.setting("auth.value", value);
                self.header_value("auth.value", &value);
                Auth::Header(name.clone(), value)
            }
            AuthSpec::Query { name, value } => {
                Auth::Query(name.clone(), self.setting("auth.value", value))
            }
        }
    }

    fn header_name(&mut self, path: &str, name: &str) {
        let is_token = |it: u8| it.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&it);
        if name.is_empty() || !name.bytes().all(is_token) {
            self.problem(path, format!("{name:?} is not the name of a header"));
        }
    }

    fn header_value(&mut self, path: &str, value: &str) {
        if value.chars().any(char::is_control) {
            self.problem(path, "holds a line break or another control character");
        }
    }

    fn path(&mut self, path: &str, text: &str) {
        if !text.starts_with('/') || text.contains(['?', '#']) {
            self.problem(
                path,
                "must begin with a slash and have no query; that goes to `query`",
            );
        }
    }

    fn send(&mut self, send: &SendSpec) -> Send {
        let problems = self.problems.len();
        self.path("send.path", &send.path);
        let method = match (send.method, send.encoding) {
            (Some(MethodSpec::Get), _) | (None, Encoding::Query) => Method::Get,
            (Some(MethodSpec::Post), _) | (None, Encoding::Json | Encoding::Form) => Method::Post,
            (Some(MethodSpec::Put), _) => Method::Put,
        };
        if method == Method::Get && send.encoding != Encoding::Query {
            self.problem(
                "send.method",
                "is GET, which has no body; encoding must be \"query\"",
            );
        }
        let query = send.query.iter();
        let query = query.map(|(name, text)| {
            let path = format!("send.query.{name}");
            (name.clone(), self.template(&path, text))
        });
        let query: Vec<(String, Template)> = query.collect();
        let mut headers = Vec::new();
        for (name, text) in &send.headers {
            let path = format!("send.headers.{name}");
            self.header_name(&path, name);
            self.header_value(&path, text);
            headers.push((name.clone(), self.template(&path, text)));
        }
        if let Some(name) = &send.idempotency_header {
            self.header_name("send.idempotency_header", name);
        }
        self.ok(&send.ok);
        let body = self.body(&Fields {
            place: "send",
            encoding: send.encoding,
            body: &send.body,
            optional: &send.optional,
        });
        let mms = send.mms.as_ref().map(|it| self.mms(it, send.encoding));
        let path = self.template("send.path", &send.path);
        if self.problems.len() == problems {
            // What cannot be read may have named them.
            let around: Vec<&Template> = [&path]
                .into_iter()
                .chain(query.iter().chain(&headers).map(|it| &it.1))
                .collect();
            self.carries(&around, &body, mms.as_ref());
        }
        Send {
            method,
            path,
            encoding: send.encoding,
            body,
            mms,
            query,
            headers,
            idempotency_header: send.idempotency_header.clone(),
            ok: send.ok.clone(),
            error: send.error.clone(),
            rules: send.rules.clone(),
        }
    }

    /// Whether the request says to whom and what: in its body, or in what is around every body.
    fn carries(&mut self, around: &[&Template], body: &Branch, mms: Option<&Branch>) {
        let lacks = |body: &Branch, fact| {
            !body.names(fact) && !around.iter().any(|template| template.names(fact))
        };
        let nobody = "must name {{to}}, or path, query or headers must: else it goes to nobody";
        if lacks(body, Fact::To) {
            self.problem("send.body", nobody);
        }
        if lacks(body, Fact::Text) {
            let message =
                "must name {{text}}, or path, query or headers must: else nothing is said";
            self.problem("send.body", message);
        }
        if mms.is_some_and(|it| lacks(it, Fact::To)) {
            self.problem("send.mms.body", nobody);
        }
    }

    fn mms(&mut self, mms: &MmsSpec, encoding: Encoding) -> Branch {
        let body = self.body(&Fields {
            place: "send.mms",
            encoding,
            body: &mms.body,
            optional: &mms.optional,
        });
        if !body.names(Fact::MediaUrl) {
            let message = "must name {{media_url}}: else the medium is left out";
            self.problem("send.mms.body", message);
        }
        body
    }

    fn body(&mut self, fields: &Fields<'_>) -> Branch {
        let place = format!("{}.optional", fields.place);
        for name in fields.optional {
            let message = if pointer(name).is_err() {
                format!("{name:?} is no JSON pointer, such as \"/validity\"")
            } else if !exists(fields.body, name) {
                format!("{name:?} is nowhere in the body")
            } else {
                continue;
            };
            self.problem(&*place, message);
        }
        let body = toml::Value::Table(fields.body.clone());
        self.branch(fields, &body, "", 0)
    }

    /// One branch of the body, at a JSON pointer.
    fn branch(&mut self, send: &Fields<'_>, value: &toml::Value, at: &str, depth: usize) -> Branch {
        let path = format!("{}.body{}", send.place, at.replace('/', "."));
        let node = match value {
            toml::Value::String(text) => Node::Filled(self.template(&path, text)),
            toml::Value::Integer(number) => Node::Fixed(Value::from(*number)),
            toml::Value::Float(number) => Node::Fixed(Value::from(*number)),
            toml::Value::Boolean(truth) => Node::Fixed(Value::from(*truth)),
            toml::Value::Datetime(time) => Node::Fixed(Value::from(time.to_string())),
            toml::Value::Table(table) => {
                if depth > 0 && send.encoding != Encoding::Json {
                    self.problem(&path, "is a table, which only JSON can carry");
                }
                let entries = table.iter().map(|(key, value)| {
                    let at = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
                    (key.clone(), self.branch(send, value, &at, depth + 1))
                });
                Node::Table(entries.collect())
            }
            toml::Value::Array(items) => {
                if depth > 1 && send.encoding != Encoding::Json {
                    self.problem(&path, "is a list in a list, which only JSON can carry");
                }
                let items = items
                    .iter()
                    .enumerate()
                    .map(|(no, value)| self.branch(send, value, &format!("{at}/{no}"), depth + 1));
                Node::List(items.collect())
            }
        };
        Branch {
            optional: send.optional.iter().any(|it| it == at),
            node,
        }
    }

    fn ok(&mut self, ok: &OkSpec) {
        self.items("send.ok.items", ok.items.as_deref());
        if ok.items.is_some() && ok.id.0.is_empty() {
            self.problem(
                "send.ok.id",
                "is missing: where the id of each entry stands",
            );
        }
        self.price("send.ok.price", ok.price.as_ref());
    }

    fn items(&mut self, path: &str, items: Option<&str>) {
        if items.is_some_and(|it| pointer(it).is_err()) {
            self.problem(path, "is no JSON pointer, such as \"/results\"");
        }
    }

    fn price(&mut self, path: &str, price: Option<&PriceSpec>) {
        let Some(price) = price else { return };
        if let Some(code) = &price.currency_is
            && Currency::parse(code).is_none()
        {
            let message = "is no currency, such as \"EUR\"";
            self.problem(format!("{path}.currency_is"), message);
        }
        if price.currency_is.is_none() && price.currency.0.is_empty() {
            let message = "needs `currency`, where that stands, or `currency_is`";
            self.problem(path, message);
        }
    }

    fn probe(&mut self, spec: &ProviderSpec, provider: &Provider) -> Option<String> {
        let probe = spec.probe.as_ref()?;
        self.path("probe.path", &probe.path);
        let path = Template::parse(&probe.path, &self.scope.settings_only());
        let path = self.parsed("probe.path", path).fixed_url();
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, text) in &probe.query {
            query.append_pair(name, &self.setting(&format!("probe.query.{name}"), text));
        }
        if let Auth::Query(name, value) = &provider.auth {
            query.append_pair(name, value);
        }
        let query = query.finish();
        let sign = if query.is_empty() { "" } else { "?" };
        Some(format!("{}{path}{sign}{query}", provider.base_url))
    }

    fn callbacks(&mut self, spec: &ProviderSpec) {
        if let Some(receipts) = &spec.receipts {
            self.receipts(receipts);
        }
        if let Some(inbound) = &spec.inbound {
            self.inbound(inbound);
        }
    }

    fn receipts(&mut self, receipts: &ReceiptSpec) {
        self.items("receipts.items", receipts.items.as_deref());
        self.price("receipts.price", receipts.price.as_ref());
        self.reply("receipts.reply", &receipts.reply);
        if receipts.id.0.is_empty() && receipts.reference.0.is_empty() {
            let message = "need `id` or `ref`: else nobody knows which message they are about";
            self.problem("receipts", message);
        }
    }

    fn inbound(&mut self, inbound: &InboundSpec) {
        self.items("inbound.items", inbound.items.as_deref());
        self.reply("inbound.reply", &inbound.reply);
        if let Some(at) = &inbound.at
            && !time::is_format(&at.format)
        {
            let message =
                "is neither rfc3339, rfc2822, unix, unix_ms nor a pattern of date and time";
            self.problem("inbound.at.format", message);
        }
    }

    fn reply(&mut self, path: &str, reply: &ReplySpec) {
        if !(200..300).contains(&reply.http) {
            let message = "must be a status of success: it is given once all is kept";
            self.problem(format!("{path}.http"), message);
        }
        if let Some(kind) = &reply.content_type {
            self.header_value(&format!("{path}.content_type"), kind);
        }
    }

    /// The same, with the settings filled in and headers in lower case.
    fn signature(&mut self, signature: &SignatureSpec) -> SignatureSpec {
        let mut filled = signature.clone();
        let mut secret = |name: &str, text: &mut String| {
            let path = format!("signature.{name}");
            *text = self.setting(&path, text);
            if text.is_empty() && !self.lacks_settings() {
                self.problem(path, "is empty: everybody would be believed");
            }
        };
        match &mut filled {
            SignatureSpec::None => {}
            SignatureSpec::Url { secret: it, .. } => secret("secret", it),
            SignatureSpec::Header { header, secret: it } => {
                header.make_ascii_lowercase();
                secret("secret", it);
            }
            SignatureSpec::Basic { username, password } => {
                secret("username", username);
                secret("password", password);
            }
            SignatureSpec::Hmac {
                header,
                signed,
                key,
                timestamp_header,
                nonce_header,
                ..
            } => {
                header.make_ascii_lowercase();
                secret("key", key);
                for it in timestamp_header.iter_mut().chain(&mut *nonce_header) {
                    it.make_ascii_lowercase();
                }
                let signed = signed.clone();
                let (has_time, has_nonce) = (timestamp_header.is_some(), nonce_header.is_some());
                self.signed(&signed, has_time, has_nonce);
            }
            SignatureSpec::Ed25519 {
                header,
                timestamp_header,
                key,
                ..
            } => {
                header.make_ascii_lowercase();
                timestamp_header.make_ascii_lowercase();
                secret("key", key);
                let octets = STANDARD.decode(&*key).map_or(0, |it| it.len());
                if octets != ED25519_KEY && !key.is_empty() {
                    self.problem(
                        "signature.key",
                        "is not a public key of 32 octets in base 64",
                    );
                }
            }
            SignatureSpec::JwtHs256 { header, key, .. } => {
                header.make_ascii_lowercase();
                secret("key", key);
            }
            SignatureSpec::PlivoV3 { token } => secret("token", token),
            SignatureSpec::VonageSig { secret: it, .. } => secret("secret", it),
        }
        filled
    }

    fn signed(&mut self, signed: &str, has_time: bool, has_nonce: bool) {
        let path = "signature.signed";
        let bare = SIGNED
            .iter()
            .fold(signed.to_owned(), |it, name| it.replace(name, ""));
        if bare.contains(['{', '}']) {
            self.problem(path, format!("may name {} only", SIGNED.join(", ")));
        }
        for (name, is_given, header) in [
            ("{timestamp}", has_time, "timestamp_header"),
            ("{nonce}", has_nonce, "nonce_header"),
        ] {
            if signed.contains(name) != is_given {
                let message = format!("must name {name} where `{header}` is given, and only there");
                self.problem(path, message);
            }
        }
        if !signed.contains("{body}") {
            self.problem(path, "must name {body}: else anything could be in it");
        }
    }
}

/// Whether a JSON pointer leads somewhere in the body.
fn exists(body: &toml::Table, pointer: &str) -> bool {
    let Ok(tree) = serde_json::to_value(body) else {
        return false;
    };
    tree.pointer(pointer).is_some()
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
