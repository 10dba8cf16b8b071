//! Rebuilds, from a log of writes and syncs, what a disk may hold after the power was cut.
//!
//! The disk assumed here keeps no promise it did not make: data is durable after `fsync` or `fdatasync` of its file,
//! a name after `fsync` of its directory, and nothing after `sync_file_range`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::worker::Dice;

const PAGE: usize = 4096;

/// One entry of the log.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) op: u8,
    inode: u64,
    offset: usize,
    length: usize,
    pub(crate) path: PathBuf,
    second: PathBuf,
    pub(crate) data: Vec<u8>,
    /// The entry that made the name durable that this one changed: the next sync of its directory.
    named_at: usize,
}

/// What of the things not synced reached the disk.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mode {
    /// Nothing.
    SyncedOnly,
    /// Everything.
    All,
    /// What came before a random moment.
    OrderedPrefix,
    /// Random pages of 4 KiB; names before a random moment, as a journal keeps their order.
    RandomPages,
}

pub(crate) fn read_log(path: &Path) -> Vec<Entry> {
    let bytes = std::fs::read(path).expect("the log of the shim");
    let mut rest = &bytes[..];
    let mut entries = Vec::new();
    while !rest.is_empty() {
        let (head, body) = rest.split_at(29);
        let number = |at: usize| u64::from_le_bytes(head[at..at + 8].try_into().unwrap());
        let short =
            |at: usize| usize::from(u16::from_le_bytes(head[at..at + 2].try_into().unwrap()));
        let length = usize::try_from(number(17)).unwrap();
        let (first, body) = body.split_at(short(25));
        let (second, body) = body.split_at(short(27));
        let (data, body) = body.split_at(if head[0] == b'w' { length } else { 0 });
        let text = |bytes: &[u8]| PathBuf::from(String::from_utf8(bytes.to_vec()).unwrap());
        entries.push(Entry {
            op: head[0],
            inode: number(1),
            offset: usize::try_from(number(9)).unwrap(),
            length,
            path: text(first),
            second: text(second),
            data: data.to_vec(),
            named_at: usize::MAX,
        });
        rest = body;
    }
    let mut synced = BTreeMap::new();
    for (index, entry) in entries.iter_mut().enumerate().rev() {
        if entry.op == b's' {
            synced.insert(entry.path.clone(), index);
        } else if let Some(at) = synced.get(entry.path.parent().unwrap()) {
            entry.named_at = *at;
        }
    }
    entries
}

/// Writes to `target` what the directory `root` may look like if the power fails right before entry `crash`.
pub(crate) fn build(
    log: &[Entry],
    crash: usize,
    mode: Mode,
    dice: &mut Dice,
    root: &Path,
    target: &Path,
) {
    let log = &log[..crash];
    let cut = match mode {
        Mode::SyncedOnly => 0,
        Mode::All => crash,
        Mode::OrderedPrefix | Mode::RandomPages => {
            // Mostly close to the end: what is older has been synced anyway.
            let reach = if dice.roll(2) == 0 { 40 } else { 400 };
            let back = dice.roll(reach);
            crash.saturating_sub(usize::try_from(back).unwrap())
        }
    };
    let mut names: BTreeMap<PathBuf, Node> = BTreeMap::new();
    let mut files: Vec<Contents<'_>> = Vec::new();
    // Which contents an inode number stands for while the process runs; numbers are used again after an unlink.
    let mut inodes: BTreeMap<u64, usize> = BTreeMap::new();
    for (index, entry) in log.iter().enumerate() {
        let reached = index < cut || entry.named_at < crash;
        match entry.op {
            b'c' => {
                files.push(Contents::default());
                inodes.insert(entry.inode, files.len() - 1);
                if reached {
                    names.insert(entry.path.clone(), Node::File(files.len() - 1));
                }
            }
            b'd' if reached => {
                names.insert(entry.path.clone(), Node::Directory);
            }
            b'u' if reached => {
                names.remove(&entry.path);
            }
            b'r' if reached => {
                if let Some(node) = names.remove(&entry.path) {
                    names.insert(entry.second.clone(), node);
                }
            }
            b'w' => files[inodes[&entry.inode]]
                .changes
                .push((index, Change::Write(entry.offset, &entry.data))),
            b't' => files[inodes[&entry.inode]]
                .changes
                .push((index, Change::Truncate(entry.length))),
            b's' => {
                if let Some(file) = inodes.get(&entry.inode) {
                    files[*file].synced_at = index;
                }
            }
            b'd' | b'u' | b'r' => {}
            other => panic!("op {other}"),
        }
    }
    for (path, node) in &names {
        let below = path.strip_prefix(root).unwrap();
        // A name in a directory whose own name was lost is lost too.
        let reachable = below
            .ancestors()
            .skip(1)
            .filter(|up| !up.as_os_str().is_empty())
            .all(|up| names.contains_key(&root.join(up)));
        if !reachable {
            continue;
        }
        match node {
            Node::Directory => std::fs::create_dir_all(target.join(below)).unwrap(),
            Node::File(file) => {
                std::fs::write(target.join(below), files[*file].after(cut, mode, dice)).unwrap()
            }
        }
    }
}

enum Node {
    Directory,
    File(usize),
}

enum Change<'a> {
    Write(usize, &'a [u8]),
    Truncate(usize),
}

#[derive(Default)]
struct Contents<'a> {
    changes: Vec<(usize, Change<'a>)>,
    synced_at: usize,
}

impl Contents<'_> {
    fn after(&self, cut: usize, mode: Mode, dice: &mut Dice) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (index, change) in &self.changes {
            let synced = *index < self.synced_at;
            match (change, mode) {
                (Change::Write(offset, data), Mode::RandomPages) if !synced => {
                    let mut at = 0;
                    while at < data.len() {
                        let page = (PAGE - (offset + at) % PAGE).min(data.len() - at);
                        if dice.roll(2) == 0 {
                            put(&mut bytes, offset + at, &data[at..at + page]);
                        }
                        at += page;
                    }
                }
                (Change::Write(offset, data), _) if synced || *index < cut => {
                    put(&mut bytes, *offset, data)
                }
                (Change::Truncate(length), _) if synced || *index < cut => bytes.resize(*length, 0),
                (Change::Write(..) | Change::Truncate(_), _) => {}
            }
        }
        bytes
    }
}

fn put(bytes: &mut Vec<u8>, offset: usize, data: &[u8]) {
    if bytes.len() < offset + data.len() {
        bytes.resize(offset + data.len(), 0);
    }
    bytes[offset..offset + data.len()].copy_from_slice(data);
}
