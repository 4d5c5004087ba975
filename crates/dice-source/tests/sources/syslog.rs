//! Syslog receivers on loopback.

use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};

use dice_source::{Kind, Transport};

use crate::scene::Scene;

fn listening(transport: Transport) -> Scene {
    let listen = "127.0.0.1:0".parse().unwrap();
    let mut scene = Scene::of(tempfile::tempdir().unwrap(), Kind::Syslog { listen, transport });
    scene.start();
    scene
}

const TCP: Transport = Transport::Tcp { connections: 2, idle_ms: 60_000 };

#[test]
fn a_datagram_is_a_line() {
    let mut scene = listening(Transport::Udp);
    scene.until("udp 127.0.0.1:0: caught up");
    let sender = UdpSocket::bind("127.0.0.1:0").unwrap();
    for message in ["<34>one\n", "", "<34>two\nof it\n\0", "<34>\0"] {
        sender.send_to(message.as_bytes(), scene.address()).unwrap();
    }
    sender.send_to(&[b'x'; 300], scene.address()).unwrap();
    scene.until_lines(4);
    assert_eq!(scene.lines, ["<34>one", "<34>two\nof it", "<34>", &"x".repeat(65)]);
    // It cannot be read again, but it goes on counting.
    scene.stop();
    scene.start();
    sender.send_to(b"<34>three", scene.address()).unwrap();
    scene.until_lines(5);
    let position = scene.committed.values().next().unwrap();
    assert!(position.contains(r#""lines":5"#), "{position}");
}

#[test]
fn connections_count_messages_or_end_them() {
    let mut scene = listening(TCP);
    let mut counting = TcpStream::connect(scene.address()).unwrap();
    let mut ending = TcpStream::connect(scene.address()).unwrap();
    counting.write_all(b"7 <34>one8 <34>two\n7 <34>th").unwrap();
    scene.until_lines(2);
    ending.write_all(b"<34>four\n<34>fi").unwrap();
    scene.until_lines(3);
    counting.write_all(b"r<34>six\n").unwrap();
    scene.until_lines(5);
    drop(ending);
    scene.until_lines(6);
    assert_eq!(scene.lines, ["<34>one", "<34>two", "<34>four", "<34>thr", "<34>six", "<34>fi"]);
    scene.until("tcp 127.0.0.1:0: caught up");
}

#[test]
fn connections_are_bounded() {
    let mut scene = listening(TCP);
    let mut kept: Vec<_> = (0..2).map(|_| TcpStream::connect(scene.address()).unwrap()).collect();
    for (n, stream) in kept.iter_mut().enumerate() {
        stream.write_all(format!("<34>{n}\n").as_bytes()).unwrap();
        scene.until_lines(n + 1);
    }
    let mut third = TcpStream::connect(scene.address()).unwrap();
    assert_eq!(third.read(&mut [0; 1]).unwrap_or(0), 0, "it is closed");
    drop(kept);
    // There is room again, as soon as the receiver has noticed.
    while scene.lines.len() < 3 {
        if let Ok(mut stream) = TcpStream::connect(scene.address()) {
            let _ = stream.write_all(b"<34>again\n");
        }
        scene.next();
    }
    assert!(scene.story().iter().any(|told| told.starts_with("problem: turned away 127.0.0.1:")));
}

#[test]
fn a_length_that_nobody_means_closes_the_connection() {
    let mut scene = listening(TCP);
    let mut stream = TcpStream::connect(scene.address()).unwrap();
    stream.write_all(b"7 <34>one999999999 <34>two").unwrap();
    scene.until_lines(1);
    assert_eq!(stream.read(&mut [0; 1]).unwrap_or(0), 0, "it is closed");
    while !scene.story().iter().any(|told| told.contains("announced a message of 999999999 bytes")) {
        scene.next();
    }
}

#[test]
fn a_connection_that_tells_nothing_is_closed() {
    let scene = listening(Transport::Tcp { connections: 2, idle_ms: 1 });
    let mut stream = TcpStream::connect(scene.address()).unwrap();
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
}
