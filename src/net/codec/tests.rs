use futures::executor::block_on;
use futures::io::Cursor;
use libp2p::request_response::Codec as _;

use super::*;

const PROTOCOL: StreamProtocol = StreamProtocol::new("/test");

fn asking(body: &'static str, bytes: usize) -> (Asked, oneshot::Sender<()>) {
    let (hold, given_up) = oneshot::channel();
    let until = crate::net::Clock::start().instant(crate::time::Timestamp::from_millis(5000));
    let wait = Some(Wait { until, bytes, given_up });
    (Asked { body: body.into(), patience: Duration::from_secs(5), wait, ill: None }, hold)
}

/// What a codec that asked makes of `wire` as the answer.
fn answer(wire: &[u8], limit: usize) -> Result<Answered, Option<WireError>> {
    let (asked, _hold) = asking("why", limit);
    let mut codec = Codec::new(100);
    block_on(async {
        codec.write_request(&PROTOCOL, &mut Cursor::new(Vec::new()), asked).await.unwrap();
        codec
            .read_response(&PROTOCOL, &mut Cursor::new(wire.to_vec()))
            .await
            .map_err(|e| WireError::within(&e))
    })
}

fn written(answer: Answered) -> Vec<u8> {
    let mut wire = Cursor::new(Vec::new());
    block_on(Codec::new(100).write_response(&PROTOCOL, &mut wire, answer)).unwrap();
    wire.into_inner()
}

#[test]
fn a_question_is_read_as_it_was_written() {
    let (asked, _hold) = asking("why", 10);
    let mut wire = Cursor::new(Vec::new());
    block_on(Codec::new(100).write_request(&PROTOCOL, &mut wire, asked)).unwrap();
    let wire = wire.into_inner();
    let read = block_on(Codec::new(3).read_request(&PROTOCOL, &mut Cursor::new(wire.clone()))).unwrap();
    assert_eq!(read.body, "why");
    assert!(read.patience <= Duration::from_secs(5) && read.patience > Duration::from_secs(4));
    assert_eq!(read.ill, None);
    let unread = block_on(Codec::new(2).read_request(&PROTOCOL, &mut Cursor::new(wire.clone()))).unwrap();
    assert_eq!((unread.ill, unread.body), (Some(Invalid::TOO_LARGE), Bytes::new()));
    let cut = Cursor::new(wire[..wire.len() - 1].to_vec());
    let cut = block_on(Codec::new(3).read_request(&PROTOCOL, &mut { cut })).unwrap();
    assert_eq!((cut.ill, cut.body), (Some(Invalid::UNREADABLE), Bytes::new()), "to be charged to its asker");
}

#[test]
fn answers_and_refusals_are_read_as_they_were_written() {
    for given in
        [Ok(Bytes::from("because")), Ok(Bytes::new()), Err(Refusal::Busy), Err(Refusal::NotUnderstood)]
    {
        assert_eq!(answer(&written(given.clone()), 7), Ok(given));
    }
}

#[test]
fn an_answer_over_the_limit_is_refused_by_its_claim_alone() {
    assert_eq!(answer(&written(Ok("because".into())), 6), Err(Some(WireError::TooLarge)));
    assert_eq!(answer(&[0xff, 0xff, 0xff, 0xff, 0], 1 << 20), Err(Some(WireError::TooLarge)));
}

#[test]
fn ill_made_answers_are_errors() {
    assert_eq!(answer(&[0, 0, 0, 0, 3], 10), Err(Some(WireError::Unreadable)), "an unknown kind");
    assert_eq!(answer(&[0, 0, 0, 1, 1, b'x'], 10), Err(Some(WireError::Unreadable)), "a refusal with a body");
    assert_eq!(answer(&[0, 0, 0, 9, 0, b'x'], 10), Err(None), "cut off in its body");
    assert_eq!(answer(&[0, 0], 10), Err(None), "cut off in its length");
}

#[test]
fn giving_up_ends_the_wait() {
    let (asked, hold) = asking("why", 10);
    let mut codec = Codec::new(100);
    block_on(codec.write_request(&PROTOCOL, &mut Cursor::new(Vec::new()), asked)).unwrap();
    drop(hold);
    let mut silent = Silent;
    let error = block_on(codec.read_response(&PROTOCOL, &mut silent)).unwrap_err();
    assert_eq!(WireError::within(&error), Some(WireError::GivenUp));
}

#[tokio::test(start_paused = true)]
#[expect(clippy::disallowed_methods, reason = "the runtime's clock, which is paused")]
async fn a_question_that_does_not_come_is_not_waited_for() {
    let begun = Instant::now();
    // It says how long it is, and then nothing.
    let mut begins = Cursor::new([0, 0, 0, 9, 0, 0, 9, 9, b'x']).chain(Silent);
    let error = Codec::new(100).read_request(&PROTOCOL, &mut begins).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    assert_eq!(begun.elapsed().as_secs(), READING.as_secs());
}

/// A reader to which nothing is ever written.
struct Silent;

impl AsyncRead for Silent {
    fn poll_read(
        self: core::pin::Pin<&mut Self>,
        _: &mut core::task::Context<'_>,
        _: &mut [u8],
    ) -> core::task::Poll<io::Result<usize>> {
        core::task::Poll::Pending
    }
}
