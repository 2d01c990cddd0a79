use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout};

use super::{Connections, Fault, FaultProxy};

const PATIENCE: Duration = Duration::from_secs(20);
/// As long as a test waits for what must not happen.
const MOMENT: Duration = Duration::from_millis(200);

/// A server that returns what it receives, and a proxy in front of it.
async fn echo() -> FaultProxy {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut read, mut write) = client.split();
                tokio::io::copy(&mut read, &mut write).await.ok();
            });
        }
    });
    FaultProxy::start(address).await.unwrap()
}

async fn connect(proxy: &FaultProxy) -> TcpStream {
    TcpStream::connect(proxy.address()).await.unwrap()
}

/// Sends `ping`, and returns what arrives instead of four bytes, or of an error, the kind.
async fn ping(client: &mut TcpStream) -> Result<String, ErrorKind> {
    let pinged = async {
        client.write_all(b"ping").await?;
        let mut response = Vec::new();
        client.take(4).read_to_end(&mut response).await?;
        Ok(String::from_utf8(response).unwrap())
    };
    let pinged: std::io::Result<_> = timeout(PATIENCE, pinged).await.unwrap();
    pinged.map_err(|error| error.kind())
}

async fn is_silent(client: &mut TcpStream) -> bool {
    client.write_all(b"ping").await.unwrap();
    timeout(MOMENT, client.read_u8()).await.is_err()
}

/// Waits until this many connections are open.
async fn open(proxy: &FaultProxy, number: u64) {
    let reached = async {
        while proxy.connections().open != number {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, reached).await.unwrap();
}

#[tokio::test]
async fn without_a_fault_everything_passes_and_connections_are_counted() {
    let proxy = echo().await;
    let (mut first, mut second) = (connect(&proxy).await, connect(&proxy).await);
    for client in [&mut first, &mut second] {
        assert_eq!(ping(client).await.unwrap(), "ping");
    }
    drop(first);
    open(&proxy, 1).await;
    assert_eq!(ping(&mut connect(&proxy).await).await.unwrap(), "ping");
    let Connections { accepted, most, .. } = proxy.connections();
    assert_eq!((accepted, most), (3, 2));
}

#[tokio::test]
async fn refused_connections_are_refused_until_the_fault_ends() {
    let proxy = echo().await;
    let mut client = connect(&proxy).await;
    assert_eq!(ping(&mut client).await.unwrap(), "ping");
    for _ in 0..3 {
        proxy.set(Fault::Refuse).await.unwrap();
        open(&proxy, 0).await;
        let refused = TcpStream::connect(proxy.address()).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
        assert_ne!(ping(&mut client).await, Ok("ping".to_owned()));
        proxy.set(Fault::None).await.unwrap();
        client = connect(&proxy).await;
        assert_eq!(ping(&mut client).await.unwrap(), "ping");
    }
}

#[tokio::test]
async fn a_silent_server_accepts_connections_and_never_responds() {
    let proxy = echo().await;
    let mut old = connect(&proxy).await;
    assert_eq!(ping(&mut old).await.unwrap(), "ping");
    proxy.set(Fault::Silent).await.unwrap();
    let mut new = connect(&proxy).await;
    assert!(is_silent(&mut old).await && is_silent(&mut new).await);
    proxy.set(Fault::None).await.unwrap();
    assert!(is_silent(&mut old).await && is_silent(&mut new).await);
    assert_eq!(ping(&mut connect(&proxy).await).await.unwrap(), "ping");
}

#[tokio::test]
async fn a_half_open_connection_swallows_everything_and_new_ones_work() {
    let proxy = echo().await;
    let mut old = connect(&proxy).await;
    assert_eq!(ping(&mut old).await.unwrap(), "ping");
    proxy.set(Fault::HalfOpen).await.unwrap();
    let mut new = connect(&proxy).await;
    assert!(is_silent(&mut old).await);
    assert_eq!(ping(&mut new).await.unwrap(), "ping");
    // The next time, it is an old one.
    proxy.set(Fault::HalfOpen).await.unwrap();
    assert!(is_silent(&mut new).await);
}

#[tokio::test]
async fn connections_are_reset_those_that_are_open_and_new_ones() {
    let proxy = echo().await;
    let mut old = connect(&proxy).await;
    assert_eq!(ping(&mut old).await.unwrap(), "ping");
    proxy.set(Fault::Reset).await.unwrap();
    let reset = [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];
    assert!(reset.contains(&ping(&mut old).await.unwrap_err()));
    // The reset can arrive before `connect` returns.
    if let Ok(mut new) = TcpStream::connect(proxy.address()).await {
        assert!(reset.contains(&ping(&mut new).await.unwrap_err()));
    }
    open(&proxy, 0).await;
}

#[tokio::test]
async fn each_response_of_a_slow_server_is_delayed() {
    let proxy = echo().await;
    let mut client = connect(&proxy).await;
    assert_eq!(ping(&mut client).await.unwrap(), "ping");
    let delay = Duration::from_millis(100);
    proxy.set(Fault::Slow(delay)).await.unwrap();
    for _ in 0..2 {
        let start = Instant::now();
        assert_eq!(ping(&mut client).await.unwrap(), "ping");
        assert!(start.elapsed() >= delay);
    }
}

#[tokio::test]
async fn a_response_is_cut_in_its_middle() {
    let proxy = echo().await;
    let mut client = connect(&proxy).await;
    assert_eq!(ping(&mut client).await.unwrap(), "ping");
    proxy.set(Fault::Cut).await.unwrap();
    assert_eq!(ping(&mut client).await.unwrap(), "pi");
    assert_eq!(ping(&mut connect(&proxy).await).await.unwrap(), "pi");
}

#[tokio::test]
async fn a_connection_is_reset_if_the_server_is_gone() {
    let unused: SocketAddr = {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        listener.local_addr().unwrap()
    };
    let proxy = FaultProxy::start(unused).await.unwrap();
    if let Ok(mut client) = TcpStream::connect(proxy.address()).await {
        assert!(ping(&mut client).await.is_err());
    }
    open(&proxy, 0).await;
}

#[tokio::test]
async fn a_connection_that_the_client_has_closed_is_not_open_even_if_the_server_keeps_it() {
    // It accepts no connection, as a server that was stopped by a signal.
    let frozen = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let proxy = FaultProxy::start(frozen.local_addr().unwrap()).await.unwrap();
    for _ in 0..3 {
        let mut client = connect(&proxy).await;
        assert!(is_silent(&mut client).await);
        drop(client);
        open(&proxy, 0).await;
    }
    assert_eq!(proxy.connections().most, 1);
}

#[tokio::test]
async fn a_fault_that_is_over_at_once_has_broken_the_connections() {
    let proxy = echo().await;
    let mut client = connect(&proxy).await;
    for fault in [Fault::Reset, Fault::Refuse] {
        assert_eq!(ping(&mut client).await.unwrap(), "ping");
        proxy.set(fault).await.unwrap();
        proxy.set(Fault::None).await.unwrap();
        assert!(ping(&mut client).await.is_err());
        client = connect(&proxy).await;
    }
}
