//! How is the server under test configured, started, stopped and killed?

use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::time::Instant;

use crate::http_client::{Connection, Target};
use crate::procfs;

/// The key that the written configuration knows.
pub const KEY: &str = "zv_live_loadgen";
/// How long a start may take, recovery of a large database included.
const START_DEADLINE: Duration = Duration::from_mins(2);
/// How long an orderly stop may take before the process is killed.
const STOP_DEADLINE: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(10);

/// What the configuration of one server says beyond the constants.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Where the SMSC listens.
    pub smsc: SocketAddr,
    /// Unanswered submissions on the bind.
    pub window: u32,
    /// Whether an unknown outcome is sent again after 2 s instead of the defaults (R-DUP).
    pub resend_unknown: bool,
    /// Messages a month that the route may carry; `None` is any number.
    pub quota: Option<u32>,
    /// Further TOML, appended as it is.
    pub extra: String,
}

/// The configuration file.
fn config(listen: SocketAddr, database: &Path, setup: &Setup) -> String {
    let mut out = format!(
        r#"listen = "{listen}"
database = "sqlite:{}"

[[project]]
id = "main"
name = "Load"
timezone = "UTC"
currency = "EUR"
api_keys = [ {{ name = "loadgen", key = "{KEY}", scopes = ["send", "read", "manage"] }} ]

[[route]]
id = "gw"
channel = "sms"
class = "gateway"
provider = "smpp"
prices = [ {{ prefix = "*", price = "0.035" }} ]
"#,
        database.display()
    );
    if setup.resend_unknown {
        out.push_str(
            "unknown_wait = { direct = \"2s\", bulk = \"2s\" }\non_unknown = \"resend\"\n",
        );
    }
    if let Some(quota) = setup.quota {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "quota = [ {{ per = \"month\", messages = {quota} }} ]");
    }
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "smpp = {{ host = \"{}\", port = {}, system_id = \"loadgen\", password = \"loadgen\", bind = \"transceiver\", \
         binds = 1, window = {}, enquire_link = \"30s\" }}\n\n[[sender]]\nid = \"load\"\nname = \"Load\"\n\
         phone_number = \"+40700000001\"\ndefault = true\nroutes = [\"gw\"]\n{}",
        setup.smsc.ip(),
        setup.smsc.port(),
        setup.window,
        setup.extra
    );
    out
}

/// A port that was free a moment ago, below those that the system gives to outgoing connections:
/// one of those could take it before the server does. Each process begins at another one.
pub fn free_address() -> std::io::Result<SocketAddr> {
    static ASKED: AtomicU32 = AtomicU32::new(0);
    let asked = ASKED.fetch_add(1, Ordering::Relaxed);
    let first = std::process::id().wrapping_mul(61).wrapping_add(asked * 17) % PORTS;
    let mut last = None;
    for step in 0..PORTS {
        let port = u16::try_from(FIRST_PORT + (first + step) % PORTS).unwrap_or(u16::MAX);
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(listener) => return listener.local_addr(),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| std::io::ErrorKind::AddrInUse.into()))
}

/// The first port that is tried.
const FIRST_PORT: u32 = 20_000;
/// How many are tried.
const PORTS: u32 = 12_000;

/// A server with its folder; the process is killed when this is dropped.
#[derive(Debug)]
pub struct Server {
    binary: PathBuf,
    folder: tempfile::TempDir,
    address: SocketAddr,
    child: Option<Child>,
    starts: u32,
}

impl Server {
    /// Writes the configuration into a new folder under `parent`. Nothing runs yet.
    pub fn prepare(binary: &Path, parent: &Path, setup: &Setup) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("tandem-load-")
            .tempdir_in(parent)
            .context("make a folder")?;
        let address = free_address()?;
        let text = config(address, &folder.path().join("tandem.db"), setup);
        fs::write(folder.path().join("tandem.toml"), text).context("write the configuration")?;
        Ok(Self {
            binary: binary.to_path_buf(),
            folder,
            address,
            child: None,
            starts: 0,
        })
    }

    /// Address and key for clients.
    pub fn target(&self) -> Target {
        Target {
            address: self.address,
            key: KEY.to_owned(),
        }
    }

    /// The folder with database, configuration and logs.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Keeps the folder on the disk for a look at what went wrong.
    pub fn keep_folder(&mut self) {
        self.folder.disable_cleanup(true);
    }

    /// Process id, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// CPU seconds used since the process started.
    pub fn cpu(&self) -> f64 {
        self.pid().and_then(procfs::process_cpu).unwrap_or(0.0)
    }

    /// Resident and peak memory in MB.
    pub fn memory_mb(&self) -> (f64, f64) {
        self.pid().and_then(procfs::memory_mb).unwrap_or_default()
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join(format!("log-{}.txt", self.starts))
    }

    /// Starts the process and returns at once.
    pub fn start(&mut self) -> anyhow::Result<()> {
        self.starts += 1;
        let log = fs::File::create(self.log_path()).context("make the log file")?;
        let child = Command::new(&self.binary)
            .arg("serve")
            .arg("--config")
            .arg(self.folder.path().join("tandem.toml"))
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("start {}", self.binary.display()))?;
        self.child = Some(child);
        Ok(())
    }

    /// Waits until `/readyz` answers 200 and returns its body.
    pub async fn ready(&mut self) -> anyhow::Result<String> {
        let deadline = Instant::now() + START_DEADLINE;
        let target = self.target();
        loop {
            if let Ok(mut connection) = Connection::connect(target.address).await
                && let Ok(answer) = connection.get(&target, "/readyz").await
                && answer.status == 200
            {
                return Ok(String::from_utf8_lossy(answer.body).into_owned());
            }
            let exited = self
                .child
                .as_mut()
                .map(Child::try_wait)
                .transpose()?
                .flatten();
            if let Some(status) = exited {
                bail!("the server ended with {status}: {}", self.log_tail());
            }
            if Instant::now() >= deadline {
                bail!(
                    "the server was not ready in {START_DEADLINE:?}: {}",
                    self.log_tail()
                );
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// The last lines of the newest log.
    pub fn log_tail(&self) -> String {
        let text = fs::read_to_string(self.log_path()).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }

    /// The `synchronous` setting of the store: from `/readyz`, else from the newest log, where either names it.
    pub fn synchronous(&self, ready_body: &str) -> Option<String> {
        let ready: serde_json::Value = serde_json::from_str(ready_body).unwrap_or_default();
        if let Some(word) = ready["store"]["synchronous"].as_str() {
            return Some(word.to_owned());
        }
        let log = fs::read_to_string(self.log_path()).unwrap_or_default();
        let (_, rest) = log.split_once("synchronous")?;
        let word: String = rest
            .trim_start_matches(['=', ':', '"', ' '])
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect();
        (!word.is_empty()).then_some(word)
    }

    /// `kill -9`, and waits until the process is gone.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        if let Some(mut child) = self.child.take() {
            child.kill().context("kill the server")?;
            child.wait().context("wait for the server")?;
        }
        Ok(())
    }

    /// SIGTERM, and waits. Returns true if the process went by itself.
    pub async fn stop(&mut self) -> anyhow::Result<bool> {
        let Some(mut child) = self.child.take() else {
            return Ok(true);
        };
        // The standard library can only send SIGKILL.
        let sent = Command::new("sh")
            .arg("-c")
            .arg(format!("kill -TERM {}", child.id()))
            .status()?;
        let deadline = Instant::now() + STOP_DEADLINE;
        while sent.success() && Instant::now() < deadline {
            if child.try_wait()?.is_some() {
                return Ok(true);
            }
            tokio::time::sleep(POLL).await;
        }
        child.kill()?;
        child.wait()?;
        Ok(false)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(child) = self.child.as_mut() {
            // Safe to ignore: a process that is gone already needs no kill.
            drop(child.kill());
            drop(child.wait());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_is_toml_and_says_what_was_asked() {
        let setup = Setup {
            smsc: ([127, 0, 0, 1], 2775).into(),
            window: 10,
            resend_unknown: true,
            quota: Some(5),
            extra: "[alerts]\nenabled = false\n".into(),
        };
        let text = config(
            ([127, 0, 0, 1], 8080).into(),
            Path::new("/tmp/x.db"),
            &setup,
        );
        let read: toml::Table = text.parse().unwrap();
        assert_eq!(read["database"].as_str(), Some("sqlite:/tmp/x.db"));
        let route = &read["route"][0];
        assert_eq!(route["smpp"]["window"].as_integer(), Some(10));
        assert_eq!(route["quota"][0]["messages"].as_integer(), Some(5));
        assert_eq!(route["unknown_wait"]["bulk"].as_str(), Some("2s"));
        assert_eq!(read["sender"][0]["routes"][0].as_str(), Some("gw"));
        assert_eq!(read["alerts"]["enabled"].as_bool(), Some(false));
    }
}
