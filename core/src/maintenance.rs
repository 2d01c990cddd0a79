//! Whether the host is in maintenance: by the disablefile (H4), the switch, or a source of the application (H19).
//!
//! They are evaluated for every request. The switch is a flag. Calls that may block run on a separate thread, and a
//! request waits for that thread only up to a limit.

mod disablefile;
mod episode;
mod inline;
mod mounts;
mod presence;
mod prober;
mod source;
mod survey;
mod switch;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;

use self::disablefile::Disablefile;
pub(crate) use self::prober::{Probe, Prober};
pub use self::source::MaintenanceSource;
use self::source::Source;
pub(crate) use self::survey::{OddPlace, is_exposed};
pub use self::switch::MaintenanceSwitch;
use crate::log::LogRecord;
use crate::runtime::Runtime;
use crate::state::StateChanges;

/// The switch, the disablefile and all sources. The host is in maintenance if one of them is active.
#[derive(Debug)]
pub(crate) struct Maintenance {
    switch: MaintenanceSwitch,
    disablefile: Disablefile,
    sources: Vec<Source>,
}

impl Maintenance {
    /// `disablefile` is `None` if it is disabled. A stat or a call that takes longer than `limit` has no result. The
    /// switch announces its `changes`.
    pub(crate) fn new(
        disablefile: Option<&Path>,
        sources: Vec<Arc<dyn MaintenanceSource>>,
        limit: Duration,
        changes: StateChanges,
    ) -> Self {
        Self {
            switch: MaintenanceSwitch::new(changes),
            disablefile: Disablefile::new(disablefile, limit),
            sources: sources.into_iter().map(|source| Source::new(source, limit)).collect(),
        }
    }

    pub(crate) fn switch(&self) -> &MaintenanceSwitch {
        &self.switch
    }

    /// Examines the file system before the first request. Returns likely mistakes in the location of the disablefile
    /// (H11).
    pub(crate) fn survey(&self) -> Vec<OddPlace> {
        self.disablefile.survey()
    }

    /// Whether the host is in maintenance. The sources are asked concurrently, and only if the switch and the
    /// disablefile are not active.
    pub(crate) async fn observe(
        &self,
        runtime: &Arc<dyn Runtime>,
        log: &mut impl FnMut(LogRecord),
    ) -> bool {
        if self.switch.is_on() {
            return true;
        }
        let (mut is_active, warning) = self.disablefile.observe(runtime).await;
        if let Some(warning) = warning {
            log(warning);
        }
        if !is_active && !self.sources.is_empty() {
            let answers = self.sources.iter().map(|source| source.observe(runtime));
            for (is_on, warning) in Box::pin(join_all(answers)).await {
                is_active |= is_on;
                warning.into_iter().for_each(&mut *log);
            }
        }
        is_active
    }

    /// Whether the disablefile or a source is active, for the watches. Logs the warnings that are due.
    pub(crate) async fn observe_without_switch(&self, runtime: &Arc<dyn Runtime>) -> bool {
        let (mut is_active, warning) = self.disablefile.observe_elsewhere(runtime).await;
        warning.iter().for_each(LogRecord::emit);
        if !is_active && !self.sources.is_empty() {
            let answers = self.sources.iter().map(|source| source.observe(runtime));
            for (is_on, warning) in join_all(answers).await {
                is_active |= is_on;
                warning.iter().for_each(LogRecord::emit);
            }
        }
        is_active
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use futures::executor::block_on;

    use super::{Maintenance, MaintenanceSource};
    use crate::runtime::{Runtime, ThreadRuntime};
    use crate::state::StateChanges;

    struct Flag(Arc<AtomicBool>);

    impl MaintenanceSource for Flag {
        fn is_active(&self) -> bool {
            self.0.load(Ordering::SeqCst)
        }
    }

    #[test]
    fn the_host_is_in_maintenance_if_any_of_them_is_active() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("maintenance");
        let flags = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
        let sources = flags.each_ref().map(|flag| {
            let source: Arc<dyn MaintenanceSource> = Arc::new(Flag(flag.clone()));
            source
        });
        let limit = Duration::from_secs(60);
        let maintenance = Maintenance::new(
            Some(Path::new(&path)),
            sources.into(),
            limit,
            StateChanges::default(),
        );
        let runtime: Arc<dyn Runtime> = Arc::new(ThreadRuntime);
        for combination in 0..16 {
            let [file, switch, first, second] = [1, 2, 4, 8].map(|bit| combination & bit != 0);
            if file {
                std::fs::write(&path, "").unwrap();
            } else {
                std::fs::remove_file(&path).unwrap_or_default();
            }
            if switch {
                maintenance.switch().turn_on();
            } else {
                maintenance.switch().turn_off();
            }
            flags[0].store(first, Ordering::SeqCst);
            flags[1].store(second, Ordering::SeqCst);
            let mut warnings = Vec::new();
            let mut log = |record| warnings.push(record);
            let is_active = block_on(maintenance.observe(&runtime, &mut log));
            assert_eq!(is_active, combination != 0, "{combination:04b}");
            let others = block_on(maintenance.observe_without_switch(&runtime));
            assert_eq!(others, file || first || second, "{combination:04b}");
            assert_eq!(warnings, []);
        }
    }
}
