//! HAProxy in front of the service, configured as in the guide.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::thread;
use std::time::Duration;

use e2e::deployment::Deployment;
use e2e::process::Process;

/// The guide with the HAProxy configuration.
const GUIDE: &str = include_str!("../../../docs/guides/run-behind-a-proxy.md");

/// A running proxy.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    _process: Process,
}

impl Proxy {
    /// Starts a proxy in front of `service` with the guide's configuration, except for the ports.
    pub(crate) fn start(deployment: &Deployment, service: SocketAddr) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let address = free.expect("a free port");
        let text = GUIDE.split("```haproxy\n").nth(1).and_then(|rest| rest.split("```").next());
        let text = text.expect("the guide has a block for HAProxy");
        let (bind, server) = ("bind :443 ssl crt /etc/haproxy/faireplace.pem", "127.0.0.1:3000");
        assert!(text.contains(bind) && text.contains(server), "{text}");
        let text = text.replace(bind, &format!("bind {address}")).replace(server, &service.to_string());
        let file = deployment.path("haproxy.cfg");
        fs::write(&file, text).expect("the folder is writable");
        let mut command = Command::new("haproxy");
        command.arg("-db").arg("-f").arg(file);
        let process = Process::start(command, "haproxy".to_owned());
        for _ in 0..500 {
            if TcpStream::connect(address).is_ok() {
                return Self { address, _process: process };
            }
            thread::sleep(Duration::from_millis(20));
        }
        panic!("HAProxy did not start: {}", process.stderr());
    }
}
