//! The generated code is that of the proto. `UPDATE_GENERATED=1 cargo test -p health-tonic --test generated` writes it.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

use std::path::Path;
use std::{env, fs};

// What has long comments, which are not ours.
const SERVICE: &str = "grpc.health.v1.Health";
const CHECK: &str = "grpc.health.v1.Health.Check";
const LIST: &str = "grpc.health.v1.Health.List";
const WATCH: &str = "grpc.health.v1.Health.Watch";

/// Generates the code of the service, or of its client, and compares it with the file at `path` in this package.
#[track_caller]
fn assert_generated(path: &str, is_client: bool) {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let descriptors =
        protox::compile(["grpc/health/v1/health.proto"], [package.join("proto")]).unwrap();
    let output = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("generated-{is_client}"));
    fs::create_dir_all(&output).unwrap();
    tonic_prost_build::configure()
        .build_client(is_client)
        .build_server(!is_client)
        .build_transport(false)
        .btree_map(".")
        .disable_comments([".", SERVICE, CHECK, LIST, WATCH])
        .out_dir(&output)
        .compile_fds(descriptors)
        .unwrap();
    let generated = fs::read_to_string(output.join("grpc.health.v1.rs")).unwrap();
    let path = package.join(path);
    if env::var_os("UPDATE_GENERATED").is_some() {
        fs::write(&path, &generated).unwrap();
    }
    let checked_in = fs::read_to_string(&path).unwrap_or_default();
    assert!(checked_in == generated, "{} is not what the proto generates", path.display());
}

#[test]
fn the_service_is_what_the_proto_generates() {
    assert_generated("src/generated.rs", false);
}

#[test]
fn the_client_of_the_tests_is_what_the_proto_generates() {
    assert_generated("tests/service/client/generated.rs", true);
}
