//! One stream between two ends of a connection, as plain data: what is written, under way, and ready to be read.
//!
//! What is written until a flush is one message. What is not flushed is sent when nothing else can happen at this
//! instant, as a connection that is written to sends sooner or later. Each side may have so many bytes
//! ([`HELD`]) in a stream that are not read yet, and so many messages ([`UNDER_WAY`]); a write of more waits.

use std::collections::VecDeque;
use std::task::Waker;

/// Bytes that one side may have in one stream until they are read. Yamux begins with a window of a quarter.
pub(super) const HELD: usize = 1 << 20;
/// Messages that one side may have under way in one stream.
pub(super) const UNDER_WAY: usize = 4096;
/// The longest message: what is written beyond it is sent without a flush.
pub(super) const LONGEST: usize = 64 << 10;

/// The name of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ChannelId {
    /// Of which connection.
    pub(super) connection: u64,
    /// Which of its streams; the lowest bit is the side that opened it.
    pub(super) stream: u32,
}

/// What is under way.
#[derive(Debug)]
pub(super) enum Packet {
    /// A message.
    Message(Vec<u8>),
    /// No more will come.
    End,
    /// The other side has let go of the stream.
    Reset,
}

/// What one side sends.
#[derive(Debug, Default)]
pub(super) struct Half {
    /// Written and not flushed.
    pub(super) written: Vec<u8>,
    /// It is among those that are looked at for something unsent.
    pub(super) listed: bool,
    /// Under way, the oldest first.
    pub(super) under_way: VecDeque<Packet>,
    /// Arrived and not read.
    pub(super) ready: VecDeque<Vec<u8>>,
    /// How much of the first of these is read.
    pub(super) read: usize,
    /// Bytes in all of these.
    pub(super) held: usize,
    /// The sender has said that it is done.
    pub(super) done: bool,
    /// The reader has been told so.
    pub(super) ended: bool,
    /// The sender has been told that the reader has let go of the stream: it can write no more.
    pub(super) refused: bool,
    /// The reader has let go of the stream: what arrives is forgotten.
    pub(super) unread: bool,
    /// When the last that was sent arrives, and when it was sent.
    pub(super) last: u64,
    pub(super) last_sent: u64,
    /// Messages sent.
    pub(super) sent: u64,
    pub(super) reader: Option<Waker>,
    pub(super) writer: Option<Waker>,
}

impl Half {
    /// How many bytes more may be written now.
    pub(super) fn room(&self) -> usize {
        if self.under_way.len() >= UNDER_WAY { 0 } else { HELD.saturating_sub(self.held) }
    }

    /// Read what has arrived into `buffer`. Returns how many bytes.
    pub(super) fn take(&mut self, buffer: &mut [u8]) -> usize {
        let mut taken = 0;
        while let Some(first) = self.ready.front() {
            let rest = first.get(self.read..).unwrap_or_default();
            let into = buffer.get_mut(taken..).unwrap_or_default();
            let count = rest.len().min(into.len());
            if let (Some(into), Some(from)) = (into.get_mut(..count), rest.get(..count)) {
                into.copy_from_slice(from);
            }
            taken += count;
            if count < rest.len() {
                self.read += count;
                break;
            }
            self.ready.pop_front();
            self.read = 0;
        }
        self.held = self.held.saturating_sub(taken);
        taken
    }

    /// Nobody will read what has arrived, or what will.
    pub(super) fn forget(&mut self) {
        let there: usize = self.ready.iter().map(Vec::len).sum();
        self.held = self.held.saturating_sub(there.saturating_sub(self.read));
        self.ready.clear();
        self.read = 0;
        self.unread = true;
    }

    /// Both sides look again.
    pub(super) fn wake(&mut self, wakers: &mut Vec<Waker>) {
        wakers.extend(self.reader.take());
        wakers.extend(self.writer.take());
    }
}

/// A stream.
#[derive(Debug, Default)]
pub(super) struct Channel {
    /// What each side sends; the side that dialled the connection is the first.
    pub(super) halves: [Half; 2],
    /// The side that did not open it has been told of it.
    pub(super) announced: bool,
    /// How many of the two handles are alive, or may yet be taken.
    pub(super) handles: u8,
}
