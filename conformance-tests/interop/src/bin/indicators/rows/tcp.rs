//! Servers that are asked for a few bytes.

use std::io;

use health_indicators::{Indicator as _, kept, tcp};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::OF_NETWORK;
use crate::row::{RETRY_DELAY, Row, Target};

pub(super) fn memcached() -> Vec<Row> {
    vec![
        Row::new("`kept`, three lines", &OF_NETWORK, |target: Target| {
            let address = target.address();
            let connect = move || TcpStream::connect(address.clone());
            let kept = kept(connect, |stream| Box::pin(version(stream)));
            kept.timeout(target.timeout).retry_delay(RETRY_DELAY).check("memcached")
        }),
        expecting("`tcp`, send and expect", b"version\r\n", b"VERSION "),
    ]
}

pub(super) fn mosquitto() -> Vec<Row> {
    // CONNECT of MQTT 3.1.1 with a clean session, for 60 seconds, without a name; and CONNACK.
    let connect = b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00";
    vec![expecting("`tcp`, send and expect", connect, b"\x20\x02\x00\x00")]
}

fn expecting(name: &'static str, send: &'static [u8], expect: &'static [u8]) -> Row {
    let row = Row::new(name, &OF_NETWORK, move |target: Target| {
        let tcp = tcp(target.address()).send(send).expect(expect);
        tcp.timeout(target.timeout).check("server")
    });
    row.connects_each_time().without_retry_delay()
}

async fn version(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(b"version\r\n").await?;
    let mut response = [0; 8];
    stream.read_exact(&mut response).await?;
    while stream.read_u8().await? != b'\n' {}
    if response == *b"VERSION " { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
}
