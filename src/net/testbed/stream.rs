//! One stream of a connection, with the node's line in between of what it answers.
//!
//! What the node reads is untouched, and so is all of a stream that it opened itself, but for a [`Tap`] that listens in.
//! What it writes is passed on until a protocol is agreed on, and then as
//! the line's manner is at that moment. A stream on which something was held back is never closed: whoever
//! waits at its other end is to wait, so it goes to the connection's yard when the node lets go of it.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll};
use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use futures::{AsyncRead, AsyncWrite};
use libp2p::core::muxing::SubstreamBox;

use super::carrier::Service;
use super::frame::{Answer, BUSY, Choice, MOST, Speech, served};
use super::line::Line;
use super::tap::Tap;
use crate::net::config::NetConfig;

/// The most streams of one connection that are kept open after their node let go of them; the oldest ends
/// when there are more.
const KEPT: usize = 128;

/// The streams of one connection that are kept open.
#[derive(Clone, Debug, Default)]
pub(super) struct Yard(Arc<Mutex<VecDeque<Inner>>>);

type Inner = Pin<Box<SubstreamBox>>;

impl Yard {
    fn keep(&self, stream: Inner) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back(stream);
    }
}

/// The names of the protocols that are looked into.
#[derive(Clone, Debug)]
pub(super) struct Names {
    ask: String,
    dht: String,
}

impl Names {
    pub(super) fn of(config: &NetConfig) -> Self {
        Self { ask: config.protocols.ask.clone(), dht: config.protocols.dht.clone() }
    }

    fn speech(&self, name: &str) -> Speech {
        match () {
            () if name == self.ask => Speech::Ask,
            () if name == self.dht => Speech::Dht,
            () => Speech::Other,
        }
    }
}

enum Phase {
    Choosing(Choice),
    Speaking(Speech),
    /// The node opened it itself.
    Own(Tap),
}

/// How far the node's work on an answer has come.
enum Work {
    /// Nothing of it was written.
    None,
    /// It is to leave when this is over.
    Takes(Pin<Box<dyn Future<Output = ()> + Send>>),
    /// It leaves.
    Done,
    /// It is not done: another answer has gone out instead.
    Refused,
}

/// A stream with a line in between.
pub(super) struct Lined {
    /// `None` only while it is dropped.
    inner: Option<Inner>,
    line: Line,
    names: Names,
    yard: Yard,
    phase: Phase,
    /// Answers are held back from now on.
    mute: bool,
    /// What is written next begins an answer.
    fresh: bool,
    work: Work,
    /// What was written and is no whole answer yet.
    written: Vec<u8>,
    /// What goes out instead, and how much of it has.
    out: Vec<u8>,
    gone: usize,
}

impl Lined {
    /// A stream that the peer opened, whose answers the line is in between of.
    pub(super) fn theirs(inner: SubstreamBox, line: Line, names: Names, yard: Yard) -> Self {
        Self::new(inner, line, names, yard, Phase::Choosing(Choice::default()))
    }

    /// A stream that the node itself opened: nothing is done to it.
    pub(super) fn own(inner: SubstreamBox, tap: Tap, line: Line, names: Names, yard: Yard) -> Self {
        Self::new(inner, line, names, yard, Phase::Own(tap))
    }

    fn new(inner: SubstreamBox, line: Line, names: Names, yard: Yard, phase: Phase) -> Self {
        Self {
            inner: Some(Box::pin(inner)),
            line,
            names,
            yard,
            phase,
            mute: false,
            fresh: true,
            work: Work::None,
            written: Vec::new(),
            out: Vec::new(),
            gone: 0,
        }
    }

    fn inner(&mut self) -> io::Result<Pin<&mut SubstreamBox>> {
        self.inner.as_mut().map(Pin::as_mut).ok_or_else(|| io::ErrorKind::BrokenPipe.into())
    }

    /// Do what an answer takes, once for each, which begins with `buf`. Says whether it is to go out.
    fn poll_work(&mut self, cx: &mut Context<'_>, buf: &[u8], speech: Speech) -> Poll<io::Result<bool>> {
        if let Work::None = self.work {
            self.work = match self.line.service(served(speech, buf)) {
                Service::Now => Work::Done,
                Service::Later(takes) => Work::Takes(takes),
                Service::Busy if speech == Speech::Ask => {
                    self.out.extend_from_slice(&BUSY);
                    Work::Refused
                }
                Service::Busy => return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            };
        }
        if let Work::Takes(takes) = &mut self.work {
            core::task::ready!(takes.as_mut().poll(cx));
            self.work = Work::Done;
        }
        Poll::Ready(Ok(matches!(self.work, Work::Done)))
    }

    /// Send what is to go out instead.
    fn poll_out(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.gone < self.out.len() {
            let rest = self.out.get(self.gone..).unwrap_or_default().to_vec();
            match self.inner()?.poll_write(cx, &rest) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(sent)) => self.gone = self.gone.saturating_add(sent),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        self.out.clear();
        self.gone = 0;
        Poll::Ready(Ok(()))
    }

    /// Write of an answer, as the manner of the line is.
    fn poll_answer(&mut self, cx: &mut Context<'_>, buf: &[u8], speech: Speech) -> Poll<io::Result<usize>> {
        let manner = self.line.manner();
        if self.mute || manner.silent {
            self.mute = true;
            return Poll::Ready(Ok(buf.len()));
        }
        if !core::task::ready!(self.poll_work(cx, buf, speech))? {
            return Poll::Ready(Ok(buf.len()));
        }
        if manner.stalled {
            let Some(first) = buf.get(..1) else { return Poll::Ready(Ok(0)) };
            let sent = core::task::ready!(self.inner()?.poll_write(cx, first));
            self.mute = true;
            return Poll::Ready(sent);
        }
        if core::mem::replace(&mut self.fresh, false) {
            self.line.message();
        }
        if !manner.garbles && self.written.is_empty() {
            return self.inner()?.poll_write(cx, buf);
        }
        self.written.extend_from_slice(buf);
        while let Some(answer) = Answer::take(speech, &mut self.written) {
            let ruined = self.line.ruin(&answer);
            self.out.extend_from_slice(ruined.as_deref().unwrap_or(answer.frame()));
        }
        if self.written.len() > MOST {
            self.out.append(&mut self.written);
        }
        Poll::Ready(Ok(buf.len()))
    }
}

impl AsyncRead for Lined {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let read = core::task::ready!(self.inner()?.poll_read(cx, buf))?;
        if let Phase::Own(tap) = &mut self.phase {
            tap.read(buf.get(..read).unwrap_or_default());
        }
        Poll::Ready(Ok(read))
    }
}

impl AsyncWrite for Lined {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        core::task::ready!(self.poll_out(cx))?;
        match &mut self.phase {
            Phase::Speaking(Speech::Other) => self.inner()?.poll_write(cx, buf),
            Phase::Speaking(speech) => {
                let speech = *speech;
                self.poll_answer(cx, buf, speech)
            }
            Phase::Own(_) => {
                let sent = core::task::ready!(self.inner()?.poll_write(cx, buf))?;
                let Self { phase, names, .. } = &mut *self;
                if let Phase::Own(tap) = phase {
                    tap.wrote(buf.get(..sent).unwrap_or_default(), |name| names.speech(name));
                }
                Poll::Ready(Ok(sent))
            }
            Phase::Choosing(_) => {
                let sent = core::task::ready!(self.inner()?.poll_write(cx, buf))?;
                if let Phase::Choosing(choice) = &mut self.phase
                    && let Some(name) = choice.heard(buf.get(..sent).unwrap_or_default())
                {
                    let speech = self.names.speech(&name);
                    if speech != Speech::Other {
                        self.line.message();
                    }
                    self.phase = Phase::Speaking(speech);
                }
                Poll::Ready(Ok(sent))
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        core::task::ready!(self.poll_out(cx))?;
        self.work = Work::None;
        self.fresh = true;
        self.inner()?.poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.mute {
            return self.poll_flush(cx);
        }
        core::task::ready!(self.poll_out(cx))?;
        self.inner()?.poll_close(cx)
    }
}

impl Drop for Lined {
    fn drop(&mut self) {
        if self.mute
            && let Some(inner) = self.inner.take()
        {
            self.yard.keep(inner);
        }
    }
}
