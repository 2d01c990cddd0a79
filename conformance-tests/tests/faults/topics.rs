//! The faults, by the rule that they break.

mod background;
mod broken_check;
mod connection;
mod dependency;
mod details;
mod drain;
mod drain_end;
mod endpoint;
mod header;
mod log;
mod log_policy;
mod maintenance;
mod method;
mod optional;
mod path;
mod peers;
mod query;
mod recovery;
mod result;
mod setting;
mod shared;
mod source;
mod startup;
mod state;
mod threshold;
mod verdict;
mod wire;

use crate::fault::Fault;

/// All faults, in the order of the rules.
pub(crate) const TOPICS: [&[Fault]; 27] = [
    path::FAULTS,
    method::FAULTS,
    wire::FAULTS,
    maintenance::FAULTS,
    query::FAULTS,
    verdict::FAULTS,
    log::FAULTS,
    header::FAULTS,
    setting::FAULTS,
    broken_check::FAULTS,
    shared::FAULTS,
    optional::FAULTS,
    background::FAULTS,
    threshold::FAULTS,
    dependency::FAULTS,
    peers::FAULTS,
    result::FAULTS,
    recovery::FAULTS,
    details::FAULTS,
    endpoint::FAULTS,
    state::FAULTS,
    startup::FAULTS,
    source::FAULTS,
    drain::FAULTS,
    connection::FAULTS,
    drain_end::FAULTS,
    log_policy::FAULTS,
];
