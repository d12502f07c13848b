//! The way to a database, which can be cut or frozen.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// How the way is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Everything passes.
    Open,
    /// Nobody listens, and what was connected is cut.
    Down,
    /// Connections stand, and nothing passes.
    Frozen,
}

/// Passes connections on to a port of this machine.
pub struct Proxy {
    /// Where it listens.
    pub port: u16,
    way: watch::Sender<Way>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// An open way to that port.
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let (way, seen) = watch::channel(Way::Open);
        let task = tokio::spawn(pass(listener, address, (Ipv4Addr::LOCALHOST, port).into(), seen));
        Self { port: address.port(), way, task }
    }

    /// Cuts every connection and refuses new ones.
    pub fn cut(&self) {
        self.way.send_replace(Way::Down);
    }

    /// Lets connections stand and nothing pass.
    pub fn freeze(&self) {
        self.way.send_replace(Way::Frozen);
    }

    /// Opens the way again; what was frozen is cut.
    pub fn open(&self) {
        self.way.send_replace(Way::Open);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(mut listener: TcpListener, address: SocketAddr, target: SocketAddr, way: watch::Receiver<Way>) {
    let mut down = way.clone();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (client, _) = accepted.expect("a connection");
                tokio::spawn(carry(client, target, way.clone()));
                continue;
            }
            _ = down.wait_for(|way| *way == Way::Down) => drop(listener),
        }
        if down.wait_for(|way| *way != Way::Down).await.is_err() {
            return;
        }
        listener = TcpListener::bind(address).await.expect("the port again");
    }
}

async fn carry(mut client: TcpStream, target: SocketAddr, mut way: watch::Receiver<Way>) {
    let begun = *way.borrow_and_update();
    if begun == Way::Open {
        let Ok(mut server) = TcpStream::connect(target).await else { return };
        tokio::select! {
            _ = copy_bidirectional(&mut client, &mut server) => return,
            _ = way.changed() => {}
        }
    }
    // Frozen until the way is another.
    let _ = way.wait_for(|way| *way != Way::Frozen).await;
}
