//! The address that a broker of Kafka tells its clients.

use std::net::SocketAddr;

/// How its responses contain an address, and that which is to be there instead: both have the same length.
#[derive(Debug, Clone)]
pub(super) struct Announced {
    broker: Vec<u8>,
    proxy: Vec<u8>,
}

impl Announced {
    pub(super) fn new(broker: SocketAddr, proxy: SocketAddr) -> Self {
        let proxy = SocketAddr::new(broker.ip(), proxy.port());
        Self { broker: bytes(broker), proxy: bytes(proxy) }
    }

    /// Replaces the address in a part of a response, which is small enough to arrive at once.
    pub(super) fn replace(&self, response: &mut [u8]) {
        let length = self.broker.len();
        for at in 0..(response.len() + 1).saturating_sub(length) {
            if response[at..at + length] == self.broker {
                response[at..at + length].copy_from_slice(&self.proxy);
            }
        }
    }
}

/// The host as text, and the port in four bytes.
fn bytes(address: SocketAddr) -> Vec<u8> {
    let mut bytes = address.ip().to_string().into_bytes();
    bytes.extend(u32::from(address.port()).to_be_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::Announced;

    #[test]
    fn each_address_of_the_broker_is_replaced_and_nothing_else() {
        let announced = Announced::new(([127, 0, 0, 1], 258).into(), ([127, 0, 0, 1], 772).into());
        for (response, expected) in [
            (&b"127.0.0.1\x00\x00\x01\x02"[..], &b"127.0.0.1\x00\x00\x03\x04"[..]),
            (
                b"a127.0.0.1\x00\x00\x01\x02127.0.0.1\x00\x00\x01\x02b",
                b"a127.0.0.1\x00\x00\x03\x04127.0.0.1\x00\x00\x03\x04b",
            ),
            (b"127.0.0.1\x00\x00\x01\x01", b"127.0.0.1\x00\x00\x01\x01"),
            (b"127.0.0.1\x00\x00\x01", b"127.0.0.1\x00\x00\x01"),
            (b"", b""),
        ] {
            let mut response = response.to_vec();
            announced.replace(&mut response);
            assert_eq!(response, expected);
        }
    }
}
