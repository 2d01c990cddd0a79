//! The program that manages the servers.

use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{anyhow, bail};
use serde_json::json;
use tokio::sync::oneshot;

type Answer = Result<(), String>;

#[derive(Clone, Default)]
pub(crate) struct Manager(Arc<Mutex<Waiting>>);

#[derive(Default)]
struct Waiting {
    last: u64,
    questions: BTreeMap<u64, oneshot::Sender<Answer>>,
}

impl Manager {
    /// Reads the answers on a separate thread.
    pub(crate) fn new() -> Self {
        let manager = Self::default();
        let waiting = manager.clone();
        std::thread::spawn(move || {
            for line in std::io::stdin().lock().lines().map_while(Result::ok) {
                waiting.answer(&line);
            }
        });
        manager
    }

    /// Asks for something that a server is to do, and returns when it is done.
    pub(crate) async fn ask(&self, server: &str, action: &[&str]) -> anyhow::Result<()> {
        let (sender, answer) = oneshot::channel();
        let number = {
            let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.last += 1;
            let number = waiting.last;
            waiting.questions.insert(number, sender);
            number
        };
        println!("ASK {}", json!({ "number": number, "server": server, "action": action }));
        match answer.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => bail!("{server} {action:?}: {error}"),
            Err(_) => Err(anyhow!("{server} {action:?}: the manager has ended")),
        }
    }

    /// `NUMBER` if it is done, `NUMBER ERROR` if not.
    fn answer(&self, line: &str) {
        let (number, error) = line.split_once(' ').unwrap_or((line, ""));
        let Ok(number) = number.parse() else { return };
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = waiting.questions.remove(&number) {
            let answer = if error.is_empty() { Ok(()) } else { Err(error.to_owned()) };
            sender.send(answer).ok();
        }
    }
}
