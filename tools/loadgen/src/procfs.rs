//! What does the machine say of CPU, memory and disk?

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

/// Clock ticks a second in `/proc`, fixed for user space on Linux.
const TICKS: f64 = 100.0;

/// CPU seconds that process `pid` has used, user and system.
pub fn process_cpu(pid: u32) -> Option<f64> {
    stat_cpu(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// CPU seconds of this process.
pub fn own_cpu() -> f64 {
    process_cpu(std::process::id()).unwrap_or(0.0)
}

/// CPU seconds of the calling thread, to the nanosecond.
pub fn thread_cpu() -> f64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos: u64 = text
        .split(' ')
        .next()
        .and_then(|it| it.parse().ok())
        .unwrap_or(0);
    Duration::from_nanos(nanos).as_secs_f64()
}

fn stat_cpu(stat: &str) -> Option<f64> {
    // The command name may hold blanks and brackets; the fields start after the last bracket, with the third.
    let fields: Vec<_> = stat.rsplit_once(") ")?.1.split(' ').collect();
    let ticks = |at: usize| fields.get(at)?.parse::<f64>().ok();
    Some((ticks(11)? + ticks(12)?) / TICKS)
}

/// CPU seconds that the whole machine has used since it started.
pub fn machine_cpu() -> f64 {
    busy(&fs::read_to_string("/proc/stat").unwrap_or_default())
}

fn busy(stat: &str) -> f64 {
    let fields: Vec<f64> = stat
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(1)
        .filter_map(|it| it.parse().ok())
        .collect();
    // user, nice, system, (idle, iowait,) irq, softirq, steal
    [0, 1, 2, 5, 6, 7]
        .iter()
        .filter_map(|at| fields.get(*at))
        .sum::<f64>()
        / TICKS
}

/// Memory of process `pid` in MB: resident now, and the peak.
pub fn memory_mb(pid: u32) -> Option<(f64, f64)> {
    memory(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?)
}

fn memory(status: &str) -> Option<(f64, f64)> {
    let field = |name: &str| {
        let line = status.lines().find_map(|it| it.strip_prefix(name))?;
        line.split_whitespace()
            .next()?
            .parse::<f64>()
            .ok()
            .map(|kb| kb / 1024.0)
    };
    Some((field("VmRSS:")?, field("VmHWM:")?))
}

/// Appends 300 bytes and syncs, `times` times, in a file in `folder`; the sorted microseconds of each.
pub fn sync_times(folder: &Path, times: usize) -> std::io::Result<Vec<u32>> {
    let path = folder.join("sync-probe");
    let mut file = fs::File::create(&path)?;
    let mut taken = Vec::with_capacity(times);
    for _ in 0..times {
        let start = Instant::now();
        file.write_all(&[b'x'; 300])?;
        file.sync_data()?;
        taken.push(u32::try_from(start.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    fs::remove_file(path)?;
    taken.sort_unstable();
    Ok(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_is_read_after_a_name_with_brackets() {
        let stat = "42 (a (b) c) S 1 42 42 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 4 0 100 1000 10";
        assert_eq!(stat_cpu(stat), Some(3.0));
        assert_eq!(stat_cpu("nonsense"), None);
    }

    #[test]
    fn idle_and_waiting_are_not_busy() {
        assert!((busy("cpu  100 0 100 99999 99999 50 50 0 0 0\ncpu0 1") - 3.0).abs() < 1e-9);
    }

    #[test]
    fn memory_is_in_megabytes() {
        assert_eq!(
            memory("Name:\tx\nVmHWM:\t  2048 kB\nVmRSS:\t  1024 kB\n"),
            Some((1.0, 2.0))
        );
        assert_eq!(memory("Name:\tx\n"), None);
    }

    #[test]
    fn this_process_has_used_cpu_and_memory() {
        assert!(memory_mb(std::process::id()).unwrap().0 > 0.0);
        assert!(machine_cpu() >= own_cpu());
    }
}
