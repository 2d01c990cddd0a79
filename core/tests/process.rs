//! The environment and the working directory of the process.

use std::env;
use std::process::Command;

use health_core::HealthConfig;

#[test]
fn settings_can_be_read_from_the_environment_of_the_process() {
    const URL: &str = "/of-the-process";
    if env::var("HEALTHCHECK_URL").is_ok_and(|url| url == URL) {
        assert_eq!(HealthConfig::from_env().unwrap().url(), URL);
        return;
    }
    // Setting a variable in a process with threads is unsafe, so the test starts a separate process.
    let again = Command::new(env::current_exe().unwrap())
        .args(["settings_can_be_read_from_the_environment_of_the_process", "--exact"])
        .env("HEALTHCHECK_URL", URL)
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&again.stdout);
    assert!(output.contains("1 passed"), "{output}");
}

#[cfg(unix)]
#[test]
fn a_relative_disablefile_is_exposed_by_a_world_writable_working_directory() {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use health_core::Health;

    let directory = tempfile::tempdir().unwrap();
    env::set_current_dir(directory.path()).unwrap();
    let is_exposed = || {
        let config = HealthConfig::default().with_disablefile("maintenance");
        let health = Health::builder().config(config).build().unwrap();
        let [warning] = health.warnings() else {
            panic!("a relative path has one warning: {:?}", health.warnings());
        };
        assert!(warning.text().contains("working directory"), "{warning}");
        warning.text().contains("world-writable")
    };
    assert!(!is_exposed());
    set_permissions(directory.path(), Permissions::from_mode(0o777)).unwrap();
    assert!(is_exposed());
}
