//! R-RUN-1, R-SEC: the pages are in the program; and people for the tests of what they ask.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use domain::ids::{ProjectKey, UserId};
use domain::model::user::Role;
use parking_lot::Mutex;
use ports::courier::{Courier, CourierError, PostRequest};
use ports::hooks::Pending;
use ports::store::users::{UserChange, UserRecord};
use ports::store::{Op, Outcome};
use serde_json::{Value, json};

use crate::house::{Answer, House, PROJECT, PUBLIC_URL};

/// The password of everybody here.
pub(crate) const PASSWORD: &str = "correct horse battery";

/// A push service: keeps what it is given, and answers this status.
#[derive(Default)]
pub(crate) struct PushService {
    pub(crate) rung: Mutex<Vec<PostRequest>>,
    pub(crate) status: Mutex<Option<u16>>,
}

impl Courier for PushService {
    fn post(&self, request: PostRequest) -> Pending<'_, Result<u16, CourierError>> {
        self.rung.lock().push(request);
        let status = self.status.lock().unwrap_or(201);
        Box::pin(std::future::ready(Ok(status)))
    }
}

/// A browser in which somebody may be signed in.
pub(crate) struct Browser<'a> {
    house: &'a House,
    pub(crate) cookie: Option<String>,
    pub(crate) csrf: String,
}

/// A browser in which nobody is signed in.
pub(crate) fn browser(house: &House) -> Browser<'_> {
    Browser {
        house,
        cookie: None,
        csrf: String::new(),
    }
}

/// The address of a user.
pub(crate) fn address(role: Role) -> String {
    format!("{}@example.com", role.code())
}

/// Adds a user of this role who has no password yet.
pub(crate) async fn add(house: &House, key: i64, project: ProjectKey, role: Role, email: &str) {
    let now = house.engine.now();
    let user = UserRecord {
        id: UserId::from_key(key),
        project,
        email: email.into(),
        name: format!("The {}", role.code()).into(),
        role,
        password: None,
        created_at: now,
        updated_at: now,
        disabled_at: None,
    };
    apply(house, UserChange::Create(user)).await;
}

/// Changes something about users.
pub(crate) async fn apply(house: &House, change: UserChange) {
    let outcome = house.engine.apply(Op::User(Box::new(change))).await;
    assert!(matches!(outcome, Ok(Outcome::Done)), "{outcome:?}");
}

/// Gives a user a link with this token, and lets them choose the password of everybody.
pub(crate) async fn choose(house: &House, key: i64, token: &str) {
    let link = UserChange::Link {
        project: PROJECT,
        user: UserId::from_key(key),
        hash: api::hash_key(token),
        expires_at: house.engine.now().plus(api::LINK_LASTS),
    };
    apply(house, link).await;
    let chosen = json!({"token": token, "password": PASSWORD});
    let answer = browser(house)
        .call("POST", "/ui/v1/password-link/use", &chosen)
        .await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT, "{answer:?}");
}

/// An owner, an admin and an agent of the project, each with the password of everybody.
pub(crate) async fn staff(house: &House) {
    for (key, role) in (1..).zip(Role::ALL) {
        add(house, key, PROJECT, role, &address(role)).await;
        choose(house, key, &format!("link {key}")).await;
    }
}

/// A browser in which a user of this role is signed in.
pub(crate) async fn signed_in(house: &House, role: Role) -> Browser<'_> {
    let mut browser = browser(house);
    let answer = browser.sign_in(&address(role), PASSWORD).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    browser
}

impl Browser<'_> {
    /// A request as our own pages make it.
    pub(crate) fn request(&self, method: &str, path: &str) -> axum::http::request::Builder {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "msg.example.com")
            .header("origin", PUBLIC_URL)
            .header("user-agent", "Firefox/140")
            .header("x-csrf-token", &self.csrf);
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", format!("other=1; {cookie}"));
        }
        request
    }

    /// One request with this body, `null` for none.
    pub(crate) async fn call(&self, method: &str, path: &str, body: &Value) -> Answer {
        let body = if body.is_null() {
            Body::empty()
        } else {
            Body::from(body.to_string())
        };
        let request = self.request(method, path).body(body).unwrap();
        self.house.request(request).await
    }

    /// A request without a body.
    pub(crate) async fn bare(&self, method: &str, path: &str) -> Answer {
        self.call(method, path, &Value::Null).await
    }

    /// Signs in, and remembers what a browser and a page remember.
    pub(crate) async fn sign_in(&mut self, email: &str, password: &str) -> Answer {
        let login = json!({"email": email, "password": password});
        let answer = self.call("POST", "/ui/v1/login", &login).await;
        self.remember(&answer);
        answer
    }

    pub(crate) fn remember(&mut self, answer: &Answer) {
        if answer.status == StatusCode::OK {
            let pair = answer.header("set-cookie").split(';').next().unwrap();
            self.cookie = Some(pair.to_owned());
            self.csrf = answer.json["csrfToken"].as_str().unwrap().into();
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_pages_are_served_with_their_rules_and_asked_for_each_time() {
    let house = House::new().await;
    for path in ["/", "/index.html", "/sw.js", "/manifest.webmanifest"] {
        let page = browser(&house).bare("GET", path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert_eq!(page.header("cache-control"), "no-cache", "{path}");
        let policy = page.header("content-security-policy");
        for rule in [
            "default-src 'none'",
            "script-src 'self';",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(rule), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        assert!(
            page.header("strict-transport-security")
                .starts_with("max-age=")
        );
        let again = browser(&house)
            .request("GET", path)
            .header("if-none-match", page.header("etag"))
            .body(Body::empty())
            .unwrap();
        assert_eq!(house.request(again).await.status, StatusCode::NOT_MODIFIED);
    }
    let index = browser(&house).bare("GET", "/").await;
    assert!(index.header("content-type").starts_with("text/html"));
}

#[tokio::test(start_paused = true)]
async fn a_file_with_its_hash_in_the_name_is_kept_for_ever() {
    let house = House::new().await;
    let index = browser(&house).bare("GET", "/").await;
    let text = index.json.as_str().unwrap();
    let names: Vec<&str> = text
        .split('"')
        .filter(|it| it.starts_with("/assets/"))
        .collect();
    assert_eq!(names.len(), 2, "{text}");
    for name in names {
        let file = browser(&house).bare("GET", name).await;
        assert_eq!(file.status, StatusCode::OK, "{name}");
        let caching = file.header("cache-control");
        assert_eq!(caching, "public, max-age=31536000, immutable", "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_no_page_is_still_refused_in_json() {
    let house = House::new().await;
    for path in [
        "/assets/none.js",
        "/waiting",
        "/ui/v1/none",
        "/../Cargo.toml",
    ] {
        let answer = browser(&house).bare("GET", path).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.json["code"], "not_found", "{path}");
    }
}
