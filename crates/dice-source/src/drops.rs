//! Datagrams that the system dropped.

use std::fs;
use std::net::UdpSocket;
use std::os::fd::AsRawFd;

/// Where the system counts them, a line a socket. Elsewhere than on Linux there is nothing, and nothing is
/// counted.
const TABLES: [&str; 2] = ["/proc/self/net/udp", "/proc/self/net/udp6"];

/// Counts the datagrams that the system dropped because they came faster than they were read.
#[derive(Debug)]
pub(crate) struct Drops {
    /// What the system calls the socket.
    inode: Option<String>,
    seen: u64,
}

impl Drops {
    /// Those of `socket`.
    pub(crate) fn of(socket: &UdpSocket) -> Drops {
        let link = fs::read_link(format!("/proc/self/fd/{}", socket.as_raw_fd())).ok();
        let inode = link.and_then(|link| {
            let name = link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
            Some(name.to_owned())
        });
        Drops { inode, seen: 0 }
    }

    /// How many there were since the last call.
    pub(crate) fn more(&mut self) -> u64 {
        let Some(inode) = &self.inode else { return 0 };
        let total = TABLES.iter().find_map(|table| dropped(&fs::read_to_string(table).ok()?, inode));
        let Some(total) = total else { return 0 };
        // The system counts up to 2³² and begins again.
        let more = if total < self.seen { total } else { total - self.seen };
        self.seen = total;
        more
    }
}

/// The last column of the line with that inode, which is the tenth.
fn dropped(table: &str, inode: &str) -> Option<u64> {
    let line = table.lines().skip(1).find(|line| line.split_ascii_whitespace().nth(9) == Some(inode))?;
    line.split_ascii_whitespace().next_back()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::{Drops, dropped};

    #[test]
    fn the_tables_of_the_system_are_read() {
        let table = "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n\
                     \x20 42: 0100007F:0202 00000000:0000 07 00000000:00034C00 00:00000000 00000000     0        0 1181 2 0000000000000000 0\n\
                     \x20 43: 00000000:0044 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 118 2 0000000000000000 4711\n";
        assert_eq!(
            [dropped(table, "118"), dropped(table, "1181"), dropped(table, "2")],
            [Some(4711), Some(0), None]
        );
    }

    #[test]
    fn what_came_too_fast_is_counted() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut drops = Drops::of(&socket);
        assert_eq!(drops.more(), 0);
        let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut sent = 0;
        for _ in 0..2_000 {
            sent += u64::from(sender.send_to(&[b'x'; 32_000], socket.local_addr().unwrap()).is_ok());
        }
        socket.set_nonblocking(true).unwrap();
        let mut buffer = [0; 64];
        let mut received = 0;
        while socket.recv(&mut buffer).is_ok() {
            received += 1;
        }
        if cfg!(target_os = "linux") {
            assert!(received < sent, "nothing was dropped of {sent}");
            assert_eq!((drops.more(), drops.more()), (sent - received, 0));
        }
    }
}
