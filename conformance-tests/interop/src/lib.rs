//! What programs of this package share.

pub mod fault;
