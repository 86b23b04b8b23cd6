//! What do `line`, `backlog` and `crash` share? A server, a sink and a tally that belong together.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::load::{Load, Plan};
use crate::procfs;
use crate::report;
use crate::server::{Server, Setup};
use crate::smsc::{self, Options, Sink};
use crate::tally::Tally;
use crate::verify::{self, Verdict};

/// How long the server may take to bind after it is ready.
const BIND_DEADLINE: Duration = Duration::from_secs(90);
const POLL: Duration = Duration::from_millis(5);

/// Options that the three have in common.
#[derive(Debug, Clone, clap::Args)]
pub struct ServerArgs {
    /// The server's binary; it is started as `BINARY serve --config FILE`.
    #[arg(long)]
    pub server: PathBuf,
    /// Folder for databases and logs; it decides which disk is measured.
    #[arg(long, default_value_os_t = std::env::temp_dir())]
    pub folder: PathBuf,
    /// HTTP connections, one request in flight on each.
    #[arg(long, default_value_t = 128)]
    pub connections: usize,
    /// Further JSON members of each body, such as `"channel":"sms"`.
    #[arg(long, default_value = "")]
    pub fields: String,
    /// Further TOML for the server's configuration.
    #[arg(long, default_value = "")]
    pub extra_config: String,
    /// Keep the folder with database and logs.
    #[arg(long)]
    pub keep: bool,
    /// Write the accepted messages (reference and id) to this file.
    #[arg(long)]
    pub journal: Option<PathBuf>,
    /// One JSON object on stdout.
    #[arg(long)]
    pub json: bool,
}

impl ServerArgs {
    /// A load on `bench` that has not started.
    pub fn load(&self, bench: &Bench, first: u32, messages: u32, rate: Option<f64>) -> Plan {
        Plan {
            target: bench.server.target(),
            connections: self.connections,
            first,
            messages,
            at_least: Duration::ZERO,
            rate,
            fields: self.fields.clone(),
        }
    }

    /// Keeps what was asked to be kept: journal and folder.
    pub fn keep(&self, bench: &mut Bench) -> anyhow::Result<()> {
        if let Some(path) = &self.journal {
            std::fs::write(path, bench.tally.journal())
                .with_context(|| format!("write {}", path.display()))?;
        }
        if self.keep {
            bench.server.keep_folder();
            report::note(&format!("kept {}", bench.server.folder().display()));
        }
        Ok(())
    }
}

/// A server, the SMSC it submits to, and the counts of both.
#[derive(Debug)]
pub struct Bench {
    /// The server under test.
    pub server: Server,
    /// The SMSC.
    pub sink: Arc<Sink>,
    /// The counts.
    pub tally: Arc<Tally>,
    /// What `/readyz` said at the last start.
    pub ready: String,
    smsc: SocketAddr,
    serving: Option<JoinHandle<()>>,
}

impl Drop for Bench {
    fn drop(&mut self) {
        if let Some(serving) = &self.serving {
            serving.abort();
        }
    }
}

impl Bench {
    /// A server with its configuration and a sink; neither runs.
    pub fn prepare(
        args: &ServerArgs,
        window: u32,
        resend_unknown: bool,
        options: Options,
    ) -> anyhow::Result<Self> {
        Self::of(args, window, resend_unknown, None, options)
    }

    /// The same, with a quota of so many messages a month; unknown outcomes are sent again after 2 s.
    pub fn with_quota(
        args: &ServerArgs,
        window: u32,
        quota: u32,
        options: Options,
    ) -> anyhow::Result<Self> {
        Self::of(args, window, true, Some(quota), options)
    }

    fn of(
        args: &ServerArgs,
        window: u32,
        resend_unknown: bool,
        quota: Option<u32>,
        options: Options,
    ) -> anyhow::Result<Self> {
        let tally = Arc::new(Tally::default());
        let sink = Sink::new(options, Arc::clone(&tally));
        let smsc = crate::server::free_address()?;
        let setup = Setup {
            smsc,
            window,
            resend_unknown,
            quota,
            extra: args.extra_config.clone(),
        };
        let binary = absolute(&args.server)?;
        let server = Server::prepare(&binary, &args.folder, &setup)?;
        Ok(Self {
            server,
            sink,
            tally,
            ready: String::new(),
            smsc,
            serving: None,
        })
    }

    /// Lets the SMSC listen.
    pub fn listen(&mut self) -> anyhow::Result<()> {
        let listener =
            smsc::listen(self.smsc).with_context(|| format!("listen on {}", self.smsc))?;
        self.serving = Some(tokio::spawn(Arc::clone(&self.sink).serve(listener)));
        Ok(())
    }

    /// Starts the server and waits until it is ready.
    pub async fn start(&mut self) -> anyhow::Result<()> {
        self.server.start()?;
        self.ready = self.server.ready().await?;
        Ok(())
    }

    /// Waits for a bind.
    pub async fn bound(&self) -> anyhow::Result<()> {
        let deadline = Instant::now() + BIND_DEADLINE;
        while self.sink.links() == 0 {
            if Instant::now() >= deadline {
                bail!(
                    "no bind within {BIND_DEADLINE:?}: {}",
                    self.server.log_tail()
                );
            }
            tokio::time::sleep(POLL).await;
        }
        Ok(())
    }

    /// Runs a load to its last answer; an error if the server refuses everything.
    pub async fn run(&self, plan: Plan) -> anyhow::Result<Arc<Load>> {
        let load = Load::new(plan, Arc::clone(&self.tally));
        load.run().await;
        self.check(&load)?;
        Ok(load)
    }

    /// An error if the server refuses everything.
    pub fn check(&self, load: &Load) -> anyhow::Result<()> {
        if load.is_hopeless() {
            bail!(
                "the server refuses everything: {}",
                self.tally.first_refusal().unwrap_or_default()
            );
        }
        Ok(())
    }

    /// Stops the server, starts it again, and compares every accepted message with the API.
    pub async fn verify_after_restart(&mut self) -> anyhow::Result<Checked> {
        if !self.server.stop().await? {
            report::note("the server did not stop by itself after SIGTERM and was killed");
        }
        self.start().await?;
        let verdict = verify::verify(&self.server.target(), &self.tally.journal()).await?;
        Ok(self.checked(verdict))
    }

    fn checked(&self, verdict: Verdict) -> Checked {
        let bad: HashSet<u32> = verdict.bad.iter().copied().collect();
        let mut checked = Checked {
            verdict,
            ..Checked::default()
        };
        self.tally.each(|fate| {
            if !fate.accepted {
                return;
            }
            checked.lost += u64::from(fate.submits == 0 || bad.contains(&fate.reference));
            let unacked = fate.submits > 0 && fate.receipts_acked == 0;
            let forgotten = fate.receipts_acked > 0 && bad.contains(&fate.reference);
            checked.receipts_lost += u64::from(unacked || forgotten);
        });
        checked
    }
}

/// A verdict together with what the SMSC saw.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct Checked {
    /// Accepted messages that were never submitted, are absent from the API, or are not at an end there.
    pub lost: u64,
    /// Accepted and submitted messages without an acknowledged receipt, or with one that the API does not show.
    pub receipts_lost: u64,
    /// What the API says.
    pub verdict: Verdict,
}

fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    path.canonicalize()
        .with_context(|| format!("find the server {}", path.display()))
}

/// CPU seconds at one moment: server, this tool, the whole machine.
#[derive(Debug, Clone, Copy)]
pub struct Cpu {
    at: std::time::Instant,
    server: f64,
    own: f64,
    machine: f64,
}

/// CPU between two moments.
#[derive(Debug, Clone, Copy)]
pub struct CpuUsed {
    /// Seconds of the server.
    pub server_s: f64,
    /// Seconds of this tool.
    pub own_s: f64,
    /// Percent of the whole machine that others used.
    pub others_percent: f64,
}

impl Cpu {
    /// The counters now.
    pub fn now(server: &Server) -> Self {
        Self {
            at: std::time::Instant::now(),
            server: server.cpu(),
            own: procfs::own_cpu(),
            machine: procfs::machine_cpu(),
        }
    }

    /// What was used since this moment.
    pub fn used(&self, server: &Server) -> CpuUsed {
        let now = Self::now(server);
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let (server_s, own_s) = (now.server - self.server, now.own - self.own);
        let others = (now.machine - self.machine - server_s - own_s).max(0.0);
        let room = (now.at - self.at).as_secs_f64() * report::float(cores as u64);
        CpuUsed {
            server_s,
            own_s,
            others_percent: 100.0 * others / room,
        }
    }
}
