//! What goes over a stream in answer, as bytes: which protocol was agreed on, and what an answer holds.
//!
//! Only as much of the formats is known here as it takes to put another body in the place of the good one:
//! the choice of a protocol (multistream-select), the frame of an answer (see the codec), and the frame and
//! fields of Kademlia's messages (protobuf).

use bytes::Bytes;

use super::carrier::Served;

/// The most bytes of an answer that is looked into; a longer one is passed on as it is.
pub(super) const MOST: usize = 1 << 20;

/// The field of a Kademlia message that says its kind, left out when it is 0, and the one with the key.
const KIND: u64 = 1;
const KEY: u64 = 2;
/// The kind of a message that hands in a record, and the kinds that ask for closer peers: with a record, with
/// providers, or alone.
const PUT: u64 = 0;
const WALKS: [u64; 3] = [1, 3, 4];
/// The field of a Kademlia message that holds its record, and the field of a record that holds its value.
const RECORD: u64 = 3;
const VALUE: u64 = 2;
/// The field of a Kademlia message that names closer peers, and the field of one of them with its id.
const CLOSER: u64 = 8;
const ID: u64 = 1;
/// The most bytes of a Kademlia packet.
const PACKET: usize = 16 << 10;

/// The sizes that honest nodes keep to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) answer: usize,
    pub(super) record: usize,
}

/// The protocols whose answers are looked into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speech {
    /// Questions between registries.
    Ask,
    /// Kademlia.
    Dht,
    /// Anything else: passed on untouched.
    Other,
}

/// Reads what this side says while a protocol is chosen.
#[derive(Debug, Default)]
pub(super) struct Choice {
    said: Vec<u8>,
}

impl Choice {
    /// What was said behind the choice.
    pub(super) fn rest(self) -> Vec<u8> {
        self.said
    }

    /// `bytes` were said, and are looked at later.
    pub(super) fn overheard(&mut self, bytes: &[u8]) {
        let room = MOST.saturating_sub(self.said.len()).min(bytes.len());
        self.said.extend_from_slice(bytes.get(..room).unwrap_or_default());
    }

    /// This side said `bytes`. The name of the protocol, once it has accepted one.
    pub(super) fn heard(&mut self, bytes: &[u8]) -> Option<String> {
        self.overheard(bytes);
        loop {
            let (length, head) = varint(&self.said)?;
            let end = head.checked_add(usize::try_from(length).ok()?)?;
            let line = self.said.get(head..end)?;
            let name = line.strip_suffix(b"\n").unwrap_or(line).to_vec();
            self.said.drain(..end);
            if name.starts_with(b"/") && !name.starts_with(b"/multistream/") {
                return String::from_utf8(name).ok();
            }
        }
    }
}

/// One whole answer, as it would go out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    speech: Speech,
    frame: Bytes,
}

/// What a node has done when it begins to write `answer`.
pub(super) fn served(speech: Speech, answer: &[u8]) -> Served {
    if speech == Speech::Ask {
        return Served::Question;
    }
    let message = varint(answer).and_then(|(_, head)| answer.get(head..)).unwrap_or_default();
    match field(message).and_then(|(first, _)| first.number_of(KIND)) {
        None | Some(PUT) => Served::Store,
        Some(_) => Served::Lookup,
    }
}

/// The answer that refuses a question as busy.
pub(super) const BUSY: [u8; 5] = [0, 0, 0, 0, 1];

impl Answer {
    /// Take the first whole answer out of what was written; `None` while there is none.
    pub(super) fn take(speech: Speech, written: &mut Vec<u8>) -> Option<Self> {
        let end = match speech {
            Speech::Ask => {
                let length: [u8; 4] = written.get(..4)?.try_into().ok()?;
                usize::try_from(u32::from_be_bytes(length)).ok()?.checked_add(5)?
            }
            Speech::Dht => {
                let (length, head) = varint(written)?;
                head.checked_add(usize::try_from(length).ok()?)?
            }
            Speech::Other => return None,
        };
        if written.len() < end {
            return None;
        }
        let rest = written.split_off(end);
        let frame = core::mem::replace(written, rest).into();
        Some(Self { speech, frame })
    }

    /// The whole of it, as it was.
    pub(super) fn frame(&self) -> &Bytes {
        &self.frame
    }

    /// Of a step of a walk, asked or answered: the key.
    pub(super) fn walks_to(&self) -> Option<Bytes> {
        let message = self.message()?;
        let kind = field(message).and_then(|(first, _)| first.number_of(KIND)).unwrap_or(PUT);
        let key = fields(message).into_iter().find(|field| field.number == KEY)?;
        WALKS.contains(&kind).then(|| self.frame.slice_ref(key.content))
    }

    /// The ids of the closer peers that a step of a walk names.
    pub(super) fn closer(&self) -> Vec<&[u8]> {
        let all = fields(self.message().unwrap_or_default());
        let peers = all.into_iter().filter(|field| field.number == CLOSER);
        peers
            .flat_map(|peer| fields(peer.content))
            .filter(|of| of.number == ID)
            .map(|id| id.content)
            .collect()
    }

    /// Whether its body is a record's value.
    pub(super) fn is_record(&self) -> bool {
        self.speech == Speech::Dht
    }

    /// What it says: the body of an answer, or the value of a record; `None` when it says nothing.
    pub(super) fn body(&self) -> Option<Bytes> {
        match self.speech {
            Speech::Ask => match self.frame.get(4)? {
                0 => Some(self.frame.slice(5..)),
                _ => None,
            },
            Speech::Dht => {
                let record = fields(self.message()?).into_iter().find(|field| field.number == RECORD)?;
                let value = fields(record.content).into_iter().find(|field| field.number == VALUE)?;
                Some(self.frame.slice_ref(value.content))
            }
            Speech::Other => None,
        }
    }

    /// The most bytes that a body may have and still pass the limits.
    pub(super) fn most(&self, limits: Limits) -> usize {
        if self.is_record() { limits.record } else { limits.answer }
    }

    /// So many bytes are over the limit, and still get through to whoever checks it.
    pub(super) fn over(&self, limits: Limits) -> usize {
        self.most(limits).saturating_add(1)
    }

    /// The frame with another body.
    pub(super) fn with_body(&self, body: &[u8]) -> Vec<u8> {
        match self.speech {
            Speech::Dht => self.with_value(body).unwrap_or_else(|| self.frame.to_vec()),
            Speech::Ask | Speech::Other => {
                let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
                [&length.to_be_bytes()[..], &[0], body].concat()
            }
        }
    }

    /// The message of a Kademlia frame.
    fn message(&self) -> Option<&[u8]> {
        let (_, head) = varint(&self.frame)?;
        self.frame.get(head..)
    }

    fn with_value(&self, value: &[u8]) -> Option<Vec<u8>> {
        let all = fields(self.message()?);
        let write = |with_closer: bool| {
            let mut message = Vec::new();
            for field in &all {
                match field.number {
                    RECORD => {
                        let mut record = Vec::new();
                        for inner in fields(field.content) {
                            match inner.number {
                                VALUE => put(&mut record, VALUE, value),
                                _ => record.extend_from_slice(inner.whole),
                            }
                        }
                        put(&mut message, RECORD, &record);
                    }
                    CLOSER if !with_closer => {}
                    _ => message.extend_from_slice(field.whole),
                }
            }
            message
        };
        let mut message = write(true);
        if message.len() > PACKET {
            // A packet has no room for both.
            message = write(false);
        }
        let mut frame = Vec::new();
        put_varint(&mut frame, message.len() as u64);
        frame.extend_from_slice(&message);
        Some(frame)
    }
}

/// One field of a protobuf message.
struct Field<'a> {
    number: u64,
    /// Its bytes, without tag and length.
    content: &'a [u8],
    /// With them.
    whole: &'a [u8],
}

impl Field<'_> {
    /// The number that it holds, when it is field `number`.
    fn number_of(&self, number: u64) -> Option<u64> {
        if self.number == number { varint(self.content).map(|(value, _)| value) } else { None }
    }
}

/// The fields of a message, up to the first that cannot be read.
fn fields(message: &[u8]) -> Vec<Field<'_>> {
    let mut all = Vec::new();
    let mut rest = message;
    while let Some((field, after)) = field(rest) {
        all.push(field);
        rest = after;
    }
    all
}

fn field(bytes: &[u8]) -> Option<(Field<'_>, &[u8])> {
    let (tag, head) = varint(bytes)?;
    let after = bytes.get(head..)?;
    let (from, length) = match tag & 7 {
        0 => (head, varint(after)?.1),
        1 => (head, 8),
        2 => {
            let (length, own) = varint(after)?;
            (head.checked_add(own)?, usize::try_from(length).ok()?)
        }
        5 => (head, 4),
        _ => return None,
    };
    let end = from.checked_add(length)?;
    let field = Field { number: tag >> 3, content: bytes.get(from..end)?, whole: bytes.get(..end)? };
    Some((field, bytes.get(end..)?))
}

fn put(to: &mut Vec<u8>, number: u64, content: &[u8]) {
    put_varint(to, number << 3 | 2);
    put_varint(to, content.len() as u64);
    to.extend_from_slice(content);
}

fn put_varint(to: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        to.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

/// A number and how many bytes it takes; `None` when it is not all there.
fn varint(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut number = 0;
    for (byte, at) in bytes.iter().zip(0..10u32) {
        number |= u64::from(byte & 0x7f).checked_shl(at.saturating_mul(7))?;
        if byte & 0x80 == 0 {
            return Some((number, at as usize + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framed(message: &[u8]) -> Vec<u8> {
        let mut frame = Vec::new();
        put_varint(&mut frame, message.len() as u64);
        frame.extend_from_slice(message);
        frame
    }

    /// A reply to a lookup of a value: type 1, a key, a record of key, value and a remaining time, one closer peer.
    fn reply(value: &[u8]) -> Vec<u8> {
        let mut record = Vec::new();
        put(&mut record, 1, b"key");
        put(&mut record, VALUE, value);
        put_varint(&mut record, 777 << 3);
        put_varint(&mut record, 600);
        let mut message = vec![8, 1];
        put(&mut message, 2, b"key");
        put(&mut message, RECORD, &record);
        put(&mut message, CLOSER, &[7; 300]);
        framed(&message)
    }

    #[test]
    fn a_choice_ends_with_the_name_that_was_accepted() {
        let mut choice = Choice::default();
        let said = |text: &str| [&[text.len() as u8], text.as_bytes()].concat();
        assert_eq!(choice.heard(&said("/multistream/1.0.0\n")), None);
        assert_eq!(choice.heard(&said("na\n")), None);
        let accepted = said("/swarmproof/ask/1\n");
        assert_eq!(choice.heard(&accepted[..5]), None);
        assert_eq!(choice.heard(&accepted[5..]), Some("/swarmproof/ask/1".to_owned()));
    }

    #[test]
    fn an_answer_is_taken_when_it_is_whole_and_its_body_exchanged() {
        let mut written = vec![0, 0, 0, 2, 0, 7];
        assert_eq!(Answer::take(Speech::Ask, &mut written), None);
        written.extend([8, 99]);
        let answer = Answer::take(Speech::Ask, &mut written).unwrap();
        assert_eq!((answer.body().unwrap().as_ref(), written.as_slice()), (&[7, 8][..], &[99][..]));
        assert_eq!(answer.with_body(&[1, 2, 3]), [0, 0, 0, 3, 0, 1, 2, 3]);
        let mut busy = vec![0, 0, 0, 0, 1];
        assert_eq!(Answer::take(Speech::Ask, &mut busy).unwrap().body(), None, "a refusal says nothing");
    }

    #[test]
    fn a_record_gets_another_value_and_all_else_stays() {
        let mut written = reply(b"good");
        let answer = Answer::take(Speech::Dht, &mut written).unwrap();
        assert_eq!(answer.body().unwrap().as_ref(), b"good");
        assert_eq!(answer.with_body(b"quite another"), reply(b"quite another"));
        let mut walk = framed(&[8, 4]);
        assert_eq!(
            Answer::take(Speech::Dht, &mut walk).unwrap().body(),
            None,
            "a step of a walk has no record"
        );
    }

    #[test]
    fn a_step_of_a_walk_tells_its_key_and_whom_it_names() {
        let mut message = vec![8, 4];
        put(&mut message, KEY, b"towards");
        for id in [b"one", b"two"] {
            let mut peer = Vec::new();
            put(&mut peer, ID, id);
            put(&mut peer, 2, b"address");
            put(&mut message, CLOSER, &peer);
        }
        let mut written = framed(&message);
        assert_eq!(served(Speech::Dht, &written), Served::Lookup);
        let answer = Answer::take(Speech::Dht, &mut written).unwrap();
        assert_eq!(answer.walks_to().unwrap().as_ref(), b"towards");
        assert_eq!(answer.closer(), [b"one", b"two"]);
        let mut kept = Vec::new();
        put(&mut kept, KEY, b"towards");
        let mut written = framed(&kept);
        assert_eq!(served(Speech::Dht, &written), Served::Store, "the kind is left out when it is 0");
        assert_eq!(Answer::take(Speech::Dht, &mut written).unwrap().walks_to(), None);
        assert_eq!(served(Speech::Ask, &written), Served::Question);
    }

    #[test]
    fn a_large_value_leaves_out_the_closer_peers() {
        let mut written = reply(b"good");
        let answer = Answer::take(Speech::Dht, &mut written).unwrap();
        let mut large = answer.with_body(&vec![1; PACKET - 200]);
        assert!(large.len() < PACKET, "{}", large.len());
        let large = Answer::take(Speech::Dht, &mut large).unwrap();
        assert_eq!(large.body().unwrap().len(), PACKET - 200);
    }

    #[test]
    fn no_bytes_are_too_strange_to_be_read() {
        for length in 0..64u64 {
            let mut bytes: Vec<u8> =
                (0..length).map(|at| crate::testbed::draw::mix(at ^ length) as u8).collect();
            for speech in [Speech::Ask, Speech::Dht, Speech::Other] {
                if let Some(answer) = Answer::take(speech, &mut bytes.clone()) {
                    answer.body();
                }
            }
            Choice::default().heard(&core::mem::take(&mut bytes));
        }
    }
}
