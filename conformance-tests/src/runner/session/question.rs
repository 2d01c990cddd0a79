//! Runs one step, once or until the response is as expected.

use std::thread;
use std::time::{Duration, Instant};

use super::Session;
use crate::client::behaviour::{ClientBehaviour, Exchanged, request};
use crate::client::{ExchangeError, Request};
use crate::judge::finding::Failure;
use crate::judge::history::History;
use crate::judge::{Asked, Mismatch, Observed, judge, judge_drain};
use crate::scenario::expected_endpoint::{State, expected_answer};
use crate::scenario::marker::MarkerError;
use crate::scenario::{Answer, Client, DrainEnd, Step};
use crate::target::journal::Line;

/// Pause between two requests of the same step.
const PAUSE: Duration = Duration::from_millis(20);

/// That between two requests of a poller.
const POLL_PERIOD: Duration = Duration::from_millis(100);

/// How long a drain that has to last is watched: a faulty server ends it soon after its minimum.
const LASTS: Duration = Duration::from_millis(600);

impl Session<'_> {
    /// Runs a step, and adds it to the history.
    pub(super) fn take_step(
        &self,
        moment: &str,
        step: &Step,
        history: &mut History,
        client: &mut ClientBehaviour,
    ) -> Result<Option<Failure>, MarkerError> {
        if let Some(marker) = step.marker {
            self.place(marker)?;
        }
        let request = request(step, self.directory);
        let moment = format!("{moment}: {request}");
        let mut early = Vec::new();
        if step.client == Client::Interrupted {
            client.send(&request);
            early = self.starts(step, history, client.limit());
        }
        for command in &step.commands {
            let sent = Instant::now();
            if let Err(problem) = self.server.command(command) {
                let what = Mismatch::new(format!("command {command}"), "DONE", problem);
                return Ok(Failure::unless_empty(&moment, vec![what]));
            }
            history.apply(command, sent);
        }
        let mut polls = Vec::from_iter(history.last_poll);
        let mut mismatches = if step.until {
            let start = Instant::now();
            loop {
                let is_over = start.elapsed() >= self.eventually;
                let asked = self.asked(step, history);
                let (mismatches, is_final) = self.ask_again(&asked, &request, client);
                if is_final || is_over {
                    break mismatches;
                }
                history.is_asked = true;
                thread::sleep(PAUSE);
            }
        } else {
            let answered = match step.client {
                Client::Polls => self.poll(step, &request, client, &mut polls),
                _ => {
                    polls.push(Instant::now());
                    client.exchange(step, &request, self.disablefile())
                }
            };
            let answers = answers(step, &answered);
            let asked = self.asked(step, history);
            let mismatches = self.judge_answered(&asked, &request, answered, early, client);
            history.answered(self.setup, step, &answers);
            mismatches
        };
        history.is_asked = true;
        let asked = self.asked(step, history);
        if step.response.state().is_some() && asked.endpoint().shows(State::Draining).is_some() {
            history.last_poll = polls.last().copied();
        }
        if mismatches.is_empty() {
            mismatches.extend(self.judge_drain(step, history, &polls));
        }
        Ok(Failure::unless_empty(&moment, mismatches))
    }

    /// Sends the request again and again until the drain has ended, and adds when to `polls`.
    fn poll(
        &self,
        step: &Step,
        request: &Request,
        client: &mut ClientBehaviour,
        polls: &mut Vec<Instant>,
    ) -> Result<Exchanged, ExchangeError> {
        let start = Instant::now();
        let mut all = Exchanged::default();
        loop {
            polls.push(Instant::now());
            let exchanged = client.exchange(step, request, None)?;
            all.answered.extend(exchanged.answered);
            let times = self.journal.drain(POLL_PERIOD, |times| times.drained.is_some());
            if times.drained.is_some() || start.elapsed() >= self.eventually {
                return Ok(all);
            }
        }
    }

    /// What becomes of the drain after a step.
    fn judge_drain(&self, step: &Step, history: &History, polls: &[Instant]) -> Option<Mismatch> {
        let (end, setup) = (step.drain?, self.setup.drain?);
        let limit = match end {
            // The poller has waited for it.
            DrainEnd::Ends if step.client == Client::Polls => Duration::ZERO,
            DrainEnd::Lasts => LASTS,
            DrainEnd::Ends => {
                setup.at_least + step.after_poll.unwrap_or_default() + self.eventually
            }
            DrainEnd::EndsAtMaximum => setup.longest() + self.eventually,
        };
        let times = self.journal.drain(limit, |times| match end {
            DrainEnd::EndsAtMaximum => times.drained.is_some() && times.deadline.is_some(),
            DrainEnd::Lasts | DrainEnd::Ends => times.drained.is_some(),
        });
        let began = history.drain_began?;
        judge_drain(
            step,
            end,
            setup,
            Observed { times, began, last_poll: history.last_poll, polls },
        )
    }

    fn asked<'b>(&'b self, step: &'b Step, history: &'b History) -> Asked<'b> {
        Asked { step, setup: self.setup, lacks: self.lacks, history }
    }

    /// The starts of checks for a request that was sent.
    fn starts(&self, step: &Step, history: &History, limit: Duration) -> Vec<Line> {
        let (least, _) = self.asked(step, history).expected_lines(&[Answer::Unread]);
        self.journal.take(least, self.patience.max(limit))
    }

    /// Sends the request again. Returns the mismatches, and whether another attempt is useless.
    fn ask_again(
        &self,
        asked: &Asked<'_>,
        request: &Request,
        client: &mut ClientBehaviour,
    ) -> (Vec<Mismatch>, bool) {
        let answered = client.exchange(asked.step, request, self.disablefile());
        let meanwhile =
            asked.step.meanwhile.map(|answer| expected_answer(answer, &asked.endpoint()).0);
        let got = answered.iter().flat_map(|exchanged| &exchanged.answered);
        let got = got.map(|(_, response)| response.status).next();
        let mismatches = self.judge_answered(asked, request, answered, Vec::new(), client);
        let is_as_before = meanwhile.is_none() || got == meanwhile;
        let is_final = mismatches.is_empty() || got.is_none() || !is_as_before;
        (mismatches, is_final)
    }

    /// Takes the lines that belong to the responses, after the `early` ones, and judges both.
    fn judge_answered(
        &self,
        asked: &Asked<'_>,
        request: &Request,
        answered: Result<Exchanged, ExchangeError>,
        early: Vec<Line>,
        client: &mut ClientBehaviour,
    ) -> Vec<Mismatch> {
        let step = asked.step;
        let answers = answers(step, &answered);
        let (least, mut most) = asked.expected_lines(&answers);
        if step.until {
            // The lines of an earlier response must not count for the next one.
            let earlier = step.meanwhile.map(|answer| asked.expected_lines(&[answer]).1);
            most = most.max(earlier.unwrap_or(1));
        }
        // If no response is read, only the lines show that the server has received the request.
        let patience = match step.response {
            Answer::Unread => self.patience.max(client.limit()),
            _ => self.patience,
        };
        let mut lines = early;
        lines.extend(self.journal.take(least.saturating_sub(lines.len()), patience));
        if lines.len() < most {
            lines.extend(self.journal.take(most - lines.len(), self.patience));
        }
        self.surplus.set(self.surplus.get() || lines.len() > most);
        if step.client == Client::Leaves {
            client.leave();
        }
        match answered {
            Ok(exchanged) => judge(asked, request, &exchanged, &lines),
            Err(error) => {
                let expected = "a complete response";
                let mut mismatches = vec![Mismatch::new("response", expected, error.to_string())];
                if let Some(ending) = self.server.ending() {
                    mismatches.push(Mismatch::new(
                        "server",
                        "a server that continues to run",
                        ending,
                    ));
                }
                mismatches
            }
        }
    }
}

/// The expected response to each request of a step.
fn answers(step: &Step, answered: &Result<Exchanged, ExchangeError>) -> Vec<Answer> {
    match answered {
        Ok(exchanged) => exchanged.answers(step),
        Err(_) => vec![step.response; step.times],
    }
}
