//! One peer asks 10,000 questions while another is served.

use core::time::Duration;

use super::hand::{Hand, PATIENCE, builder, quick, run};
use swarmproof::net::NetConfig;
use swarmproof::network::{Done, Failure, Refusal, Request};

const FLOOD: usize = 10_000;

#[test]
fn a_flood_is_refused_beyond_its_share_and_others_are_served_promptly() {
    run(async {
        let asked = Hand::joined(&[]).await;
        let config = NetConfig { questions_to_one: 100, ..quick() };
        let greedy = builder().config(config).bootstrap(asked.address().await);
        let greedy = Hand::new(greedy.build().unwrap());
        let honest = Hand::joined(&[&asked]).await;
        greedy.until("to join", |it| it.is_up(asked.peer)).await;

        let flood = tokio::task::spawn_local({
            let (greedy, peer) = (greedy.clone(), asked.peer);
            async move {
                let question = bytes::Bytes::from(vec![b'?'; 1024]);
                let (mut open, mut sent) = (Vec::new(), 0);
                let (mut served, mut busy, mut else_) = (0usize, 0usize, Vec::new());
                while sent < FLOOD || !open.is_empty() {
                    while sent < FLOOD && open.len() < 100 {
                        open.push(greedy.submit(Request::Ask { peer, question: question.clone() }, PATIENCE));
                        sent += 1;
                    }
                    open.retain(|id| match greedy.ended(*id) {
                        None => true,
                        Some((result, _)) => {
                            match result {
                                Ok(Done::Answered) => served += 1,
                                Err(Failure::Refused(Refusal::Busy)) => busy += 1,
                                other => else_.push(other),
                            }
                            false
                        }
                    });
                    greedy.forget();
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                (served, busy, else_)
            }
        });
        let mut took = Vec::new();
        while !flood.is_finished() {
            let (result, stats) = honest.ask(asked.peer, "a small question").await;
            assert_eq!(result, Ok(Done::Answered), "beside the flood");
            took.push(stats.elapsed);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let (served, busy, else_) = flood.await.unwrap();
        took.sort_unstable();
        let (half, worst) = (took[took.len() / 2], took[took.len() - 1]);
        let most = asked.most();
        println!(
            "{FLOOD} questions: {served} served, {busy} refused; {} of another, p50 {half:?}, worst {worst:?}; {most:?}",
            took.len()
        );
        assert_eq!(else_, [], "refused, and in no other way");
        assert_eq!(served + busy, FLOOD);
        assert!(busy > 0, "the flood was within its share");
        assert!(took.len() >= 10, "the flood was over before anybody else could ask");
        assert!(worst < Duration::from_secs(2), "another waited {worst:?}");
        let limits = NetConfig::default();
        assert!(most.questions <= limits.questions_from_one * 2, "{most:?}");
        assert!(most.waiting <= limits.events, "{most:?}");
    });
}
