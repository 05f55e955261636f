//! Messages: what is written to a stream until it is flushed, from then until it is read.
//!
//! A message takes what its link and its own identity draw, and never arrives before the one before it in its
//! stream. As in the model's world it is looked at twice: when it is sent, whether its connection is reset; when
//! it arrives, whether its way is cut and whether its receiver is still there. A stream is opened by the first
//! message in it, and costs no round trip of its own.

use std::io;
use std::task::Waker;

use swarmproof::sim::{Concern, TraceEvent, digest, mix};

use super::channel::{Channel, ChannelId, LONGEST, Packet};
use super::connections::{STREAMS, opener};
use super::queue::What;
use super::state::{Loss, State};
use crate::control;

/// The draws of messages.
const MESSAGE: Concern = Concern(2004);
/// Bytes around a message: of the multiplexer, of the encryption, of TCP and IP. The model counts the same.
const AROUND: usize = 64;
/// Kinds of [`TraceEvent::Sent`]: a message, the end of a stream, and its reset.
const KINDS: [u8; 3] = [64, 65, 66];

/// What a poll of a stream finds.
#[derive(Debug)]
pub(super) enum Found {
    /// So many bytes.
    Bytes(usize),
    /// Nothing now.
    Wait,
    /// Nothing any more.
    End,
}

impl Packet {
    fn kind(&self) -> u8 {
        let [message, end, reset] = KINDS;
        match self {
            Self::Message(_) => message,
            Self::End => end,
            Self::Reset => reset,
        }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Message(bytes) => bytes,
            Self::End | Self::Reset => &[],
        }
    }
}

impl State {
    /// `side` opens a stream. `None` when there is no place for it now.
    pub(super) fn open_stream(&mut self, name: u64, side: usize, waker: &Waker) -> io::Result<Option<u32>> {
        let gone = || io::Error::from(io::ErrorKind::ConnectionReset);
        let connection = self.connections.get_mut(&name).ok_or_else(gone)?;
        let full = connection.channels.len() >= STREAMS;
        let this = connection.side_mut(side);
        if !this.open {
            return Err(gone());
        }
        if full {
            this.waker = Some(waker.clone());
            return Ok(None);
        }
        let stream = this.opened << 1 | side as u32;
        this.opened += 1;
        connection.channels.insert(stream, Channel { handles: 2, ..Channel::default() });
        self.account.streams += 1;
        Ok(Some(stream))
    }

    /// `side` takes a stream that the other opened. `None` when there is none now.
    pub(super) fn take_stream(&mut self, name: u64, side: usize, waker: &Waker) -> io::Result<Option<u32>> {
        let gone = || io::Error::from(io::ErrorKind::ConnectionReset);
        let this = self.connections.get_mut(&name).ok_or_else(gone)?.side_mut(side);
        if let Some(stream) = this.inbound.pop_front() {
            return Ok(Some(stream));
        }
        if !this.open {
            return Err(gone());
        }
        this.waker = Some(waker.clone());
        Ok(None)
    }

    /// `side` writes of `bytes` what there is room for.
    pub(super) fn write(&mut self, id: ChannelId, side: usize, bytes: &[u8], waker: &Waker) -> Found {
        let Some(connection) = self.connections.get_mut(&id.connection) else { return Found::End };
        let open = connection.side(side).open;
        let Some(half) = connection.half(id.stream, side) else { return Found::End };
        if !open || half.done || half.refused {
            return Found::End;
        }
        let count = bytes.len().min(half.room()).min(LONGEST.saturating_sub(half.written.len()).max(1));
        if count == 0 && !bytes.is_empty() {
            half.writer = Some(waker.clone());
            return Found::Wait;
        }
        half.written.extend_from_slice(bytes.get(..count).unwrap_or_default());
        half.held += count;
        let long = half.written.len() >= LONGEST;
        let listed = core::mem::replace(&mut half.listed, true);
        if !listed {
            self.unsent.push((id, side));
        }
        if long {
            self.send(id, side);
        }
        Found::Bytes(count)
    }

    /// What `side` has written is a message, and is sent.
    pub(super) fn send(&mut self, id: ChannelId, side: usize) {
        let half = self.connections.get_mut(&id.connection).and_then(|c| c.half(id.stream, side));
        if let Some(half) = half
            && !half.written.is_empty()
        {
            let message = Packet::Message(core::mem::take(&mut half.written));
            self.emit(id, side, message);
        }
    }

    /// What was written and not flushed is sent. Returns whether anything was.
    pub(super) fn send_unsent(&mut self) -> bool {
        let unsent = core::mem::take(&mut self.unsent);
        let before = self.queue.pushes();
        for (id, side) in unsent {
            if let Some(half) = self.connections.get_mut(&id.connection).and_then(|c| c.half(id.stream, side))
            {
                half.listed = false;
            }
            self.send(id, side);
        }
        self.queue.pushes() != before
    }

    /// `side` will write no more.
    pub(super) fn finish(&mut self, id: ChannelId, side: usize) {
        self.send(id, side);
        let half = self.connections.get_mut(&id.connection).and_then(|c| c.half(id.stream, side));
        if let Some(half) = half
            && !core::mem::replace(&mut half.done, true)
        {
            self.emit(id, side, Packet::End);
        }
    }

    /// `side` lets go of its handle. What it has written is sent; if it has not said that it is done, the other
    /// side learns that the stream was reset.
    pub(super) fn let_go(&mut self, id: ChannelId, side: usize) {
        self.send(id, side);
        let Some(connection) = self.connections.get_mut(&id.connection) else { return };
        if let Some(theirs) = connection.half(id.stream, 1 - side) {
            theirs.forget();
            self.wakers.extend(theirs.writer.take());
        }
        if let Some(half) = connection.half(id.stream, side)
            && !core::mem::replace(&mut half.done, true)
        {
            self.emit(id, side, Packet::Reset);
        }
        self.drop_handle(id);
    }

    /// Something of `side` sets out.
    fn emit(&mut self, id: ChannelId, side: usize, packet: Packet) {
        let Some(connection) = self.connections.get_mut(&id.connection) else { return };
        let (from, to) = (connection.side(side).node, connection.side(1 - side).node);
        let identity = connection.identity;
        if !connection.side(side).open {
            return;
        }
        let Some(half) = connection.half(id.stream, side) else { return };
        let now = control::now();
        half.sent += 1;
        let turn = u64::from(id.stream) << 33 | (side as u64) << 32 | (half.sent & 0xffff_ffff);
        let draw = self.seed.draw(MESSAGE, identity, turn);
        let delay = self.links.delay(from, to, packet.bytes().len() + AROUND, draw.wide(0), draw.word(2));
        // The end of a stream goes along with what was sent with it.
        let along = !matches!(packet, Packet::Message(_)) && half.sent > 1 && half.last_sent == now;
        let at = if along { half.last } else { now.saturating_add(delay).max(half.last) };
        half.last = at;
        half.last_sent = now;
        let (kind, content) = (packet.kind(), digest(identity, packet.bytes()));
        half.under_way.push_back(packet);
        let this = connection.side_mut(side);
        this.last = this.last.max(at);
        self.note(TraceEvent::Sent { from, to, kind, identity: content, delay: at - now });
        self.mark(from, "sends");
        if self.links.resets(from, to, draw.word(3)) {
            self.account.resets += 1;
            self.lose(from, to, kind, content, Loss::Reset);
            self.end_now(id.connection);
        } else if !self.queue.push(at, mix(identity).wrapping_add(turn), What::Arrives { channel: id, side })
        {
            self.lose(from, to, kind, content, Loss::Reset);
            self.end_now(id.connection);
        }
    }

    fn lose(&mut self, from: u32, to: u32, kind: u8, identity: u64, why: Loss) {
        self.account.lost += 1;
        self.note(TraceEvent::Lost { from, to, kind, identity, why: why as u8 });
    }

    /// The oldest of what `side` has under way in a stream arrives.
    pub(super) fn arrives(&mut self, id: ChannelId, side: usize) {
        let Some(connection) = self.connections.get_mut(&id.connection) else { return };
        let (from, to) = (connection.side(side).node, connection.side(1 - side).node);
        let (open, identity) = (connection.side(1 - side).open, connection.identity);
        let Some(channel) = connection.channels.get_mut(&id.stream) else { return };
        let [a, b] = &mut channel.halves;
        let (half, back) = if side == 0 { (a, b) } else { (b, a) };
        let Some(packet) = half.under_way.pop_front() else { return };
        self.wakers.extend(half.writer.take());
        let (kind, content, size) = (packet.kind(), digest(identity, packet.bytes()), packet.bytes().len());
        if !open {
            half.held = half.held.saturating_sub(size);
            return self.lose(from, to, kind, content, Loss::Gone);
        }
        if self.links.is_cut(from, to) {
            self.lose(from, to, kind, content, Loss::Cut);
            return self.end_now(id.connection);
        }
        let unread = half.unread;
        match packet {
            Packet::Message(_) if unread => half.held = half.held.saturating_sub(size),
            Packet::Message(bytes) => half.ready.push_back(bytes),
            Packet::End => half.ended = true,
            Packet::Reset => half.ended = true,
        }
        self.wakers.extend(half.reader.take());
        if kind == KINDS[2] {
            // Who is reset can write no more either.
            back.refused = true;
            self.wakers.extend(back.writer.take());
        }
        let announce = opener(id.stream) == side && !core::mem::replace(&mut channel.announced, true);
        if announce {
            let receiver = connection.side_mut(1 - side);
            receiver.inbound.push_back(id.stream);
            self.wakers.extend(receiver.waker.take());
        }
        if kind == KINDS[0] {
            self.account.messages += 1;
            self.account.bytes += size as u64;
        }
        self.note(TraceEvent::Delivered { from, to, kind, identity: content });
        self.mark(to, "receives");
    }

    /// `side` reads what the other has sent.
    pub(super) fn read(&mut self, id: ChannelId, side: usize, buffer: &mut [u8], waker: &Waker) -> Found {
        let Some(connection) = self.connections.get_mut(&id.connection) else { return Found::End };
        let open = connection.side(side).open;
        let Some(half) = connection.half(id.stream, 1 - side) else { return Found::End };
        let count = half.take(buffer);
        if count > 0 {
            self.wakers.extend(half.writer.take());
            Found::Bytes(count)
        } else if half.ended || !open {
            Found::End
        } else if buffer.is_empty() {
            Found::Bytes(0)
        } else {
            half.reader = Some(waker.clone());
            Found::Wait
        }
    }
}
