//! The server as a process: started, read and ended.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::{env, fs};

pub(crate) struct Testee {
    process: Child,
    output: BufReader<ChildStdout>,
    pub(crate) address: SocketAddr,
}

impl Testee {
    pub(crate) fn start(scenario: &str) -> io::Result<Self> {
        let mut process = Command::new(env::current_exe()?)
            .args(["serve", scenario])
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take();
        let mut output = BufReader::new(output.ok_or(io::ErrorKind::BrokenPipe)?);
        let mut address = String::new();
        output.read_line(&mut address)?;
        let address = address.trim().parse().map_err(io::Error::other)?;
        Ok(Self { process, output, address })
    }

    /// Its threads, counted by name.
    pub(crate) fn threads(&self) -> io::Result<Threads> {
        let mut threads = BTreeMap::new();
        for task in fs::read_dir(format!("/proc/{}/task", self.process.id()))? {
            // It may have ended since.
            if let Ok(name) = fs::read_to_string(task?.path().join("comm")) {
                *threads.entry(name.trim().to_owned()).or_default() += 1;
            }
        }
        Ok(Threads(threads))
    }

    /// The memory it holds, in KiB.
    pub(crate) fn resident(&self) -> io::Result<i64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let number = resident.and_then(|line| line.split_whitespace().next());
        let number = number.ok_or(io::ErrorKind::InvalidData)?;
        number.parse().map_err(io::Error::other)
    }

    /// Ends it, and says what it wrote.
    pub(crate) fn log(mut self) -> io::Result<String> {
        self.process.kill()?;
        let mut log = String::new();
        self.output.read_to_string(&mut log)?;
        Ok(log)
    }
}

impl Drop for Testee {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// How many threads there are of each name.
pub(crate) struct Threads(BTreeMap<String, usize>);

impl Threads {
    /// The server's own, and those of the library.
    pub(crate) fn own_and_ours(&self) -> (usize, usize) {
        let ours = self.0.iter().filter(|(name, _)| name.starts_with("health-"));
        let ours = ours.map(|(_, count)| count).sum();
        (self.0.values().sum::<usize>() - ours, ours)
    }

    /// Those of the library, by name.
    pub(crate) fn ours(&self) -> String {
        let ours = self.0.iter().filter(|(name, _)| name.starts_with("health-"));
        let ours = ours.map(|(name, count)| format!("{count} {name}"));
        ours.collect::<Vec<_>>().join(", ")
    }
}
