//! Capture files that other programs can read.

use std::collections::HashMap;
use std::io;
use std::path::Path;

/// Octets that went one way.
pub struct Packet {
    /// Which connection.
    pub connection: u16,
    /// From the client to the server.
    pub to_server: bool,
    /// What the segment carries.
    pub octets: Vec<u8>,
}

/// Writes packets down: raw IPv4 (link type 101).
///
/// # Errors
/// When the file can't be written.
///
/// # Panics
/// When a packet is longer than 64 KiB.
pub fn write(path: &Path, server_port: u16, packets: &[Packet]) -> io::Result<()> {
    let mut file = Vec::new();
    for word in [0xA1B2_C3D4_u32, 0x0004_0002, 0, 0, 0x0004_0000, 101] {
        file.extend_from_slice(&word.to_le_bytes());
    }
    let mut sequences = HashMap::new();
    for (at, carried) in (0u32..).zip(packets) {
        let acknowledged = *sequences.entry((carried.connection, !carried.to_server)).or_insert(1u32);
        let sequence = sequences.entry((carried.connection, carried.to_server)).or_insert(1u32);
        let packet = segment(carried, server_port, *sequence, acknowledged);
        *sequence += u32::try_from(carried.octets.len()).expect("no longer than a packet");
        let length = u32::try_from(packet.len()).expect("no longer than a packet");
        for word in [at / 1_000, at % 1_000 * 1_000, length, length] {
            file.extend_from_slice(&word.to_le_bytes());
        }
        file.extend_from_slice(&packet);
    }
    std::fs::write(path, file)
}

/// An IPv4 packet with a TCP segment; checksums are left out, which readers take for offloaded.
fn segment(carried: &Packet, server_port: u16, sequence: u32, acknowledged: u32) -> Vec<u8> {
    let client_port = 40_000 + carried.connection;
    let (from, to) = if carried.to_server { (client_port, server_port) } else { (server_port, client_port) };
    let total = u16::try_from(40 + carried.octets.len()).expect("no longer than a packet");
    let mut packet = vec![0x45, 0];
    packet.extend_from_slice(&total.to_be_bytes());
    packet.extend_from_slice(&[0, 0, 0x40, 0, 64, 6, 0, 0, 127, 0, 0, 1, 127, 0, 0, 1]);
    packet.extend_from_slice(&from.to_be_bytes());
    packet.extend_from_slice(&to.to_be_bytes());
    packet.extend_from_slice(&sequence.to_be_bytes());
    packet.extend_from_slice(&acknowledged.to_be_bytes());
    packet.extend_from_slice(&[0x50, 0x18, 0xFF, 0xFF, 0, 0, 0, 0]);
    packet.extend_from_slice(&carried.octets);
    packet
}

/// Writes messages down for one dissector of Wireshark, all from a phone to the network: exported PDUs (link type 252).
///
/// # Errors
/// When the file can't be written.
///
/// # Panics
/// When a message is longer than 64 KiB.
pub fn write_exported(path: &Path, dissector: &str, messages: &[Vec<u8>]) -> io::Result<()> {
    const DISSECTOR: u16 = 12;
    const DIRECTION: u16 = 35;
    let mut file = Vec::new();
    for word in [0xA1B2_C3D4_u32, 0x0004_0002, 0, 0, 0x0004_0000, 252] {
        file.extend_from_slice(&word.to_le_bytes());
    }
    for (at, message) in (0u32..).zip(messages) {
        let mut packet = Vec::new();
        let mut name = dissector.as_bytes().to_vec();
        name.resize(name.len().div_ceil(4) * 4, 0);
        for (tag, value) in [(DISSECTOR, name.as_slice()), (DIRECTION, &1u32.to_be_bytes()[..]), (0, &[][..])] {
            packet.extend_from_slice(&tag.to_be_bytes());
            packet.extend_from_slice(&u16::try_from(value.len()).expect("a short value").to_be_bytes());
            packet.extend_from_slice(value);
        }
        packet.extend_from_slice(message);
        let length = u32::try_from(packet.len()).expect("no longer than a packet");
        for word in [at, 0, length, length] {
            file.extend_from_slice(&word.to_le_bytes());
        }
        file.extend_from_slice(&packet);
    }
    std::fs::write(path, file)
}
