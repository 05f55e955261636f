//! Independent jobs on several threads, their results handed back in the order of the jobs.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use super::exit::Refused;

/// A run polls deep futures; the default of 2 MiB is not to be what ends it.
pub(crate) const STACK: usize = 16 * 1024 * 1024;

/// How many threads to use for `jobs` jobs.
pub(crate) fn threads(asked: Option<u16>, jobs: usize) -> usize {
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    asked.map_or(cores, usize::from).min(jobs).max(1)
}

/// Work off `jobs` on `threads` threads. `done` hears, on this thread, each job's index and result, in the
/// order of the jobs, as soon as it and all before it have ended; `ended` hears of each as it ends.
pub(crate) fn work_off<J: Sync, R: Send>(
    jobs: &[J],
    threads: usize,
    work: impl Fn(&J) -> R + Sync,
    mut ended: impl FnMut(),
    mut done: impl FnMut(usize, R),
) -> Result<(), Refused> {
    let next = AtomicUsize::new(0);
    let (results, incoming) = mpsc::sync_channel(threads);
    thread::scope(|scope| {
        for number in 0..threads {
            let (next, work, results) = (&next, &work, results.clone());
            let worker = move || {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(job) = jobs.get(index) else { return };
                    if results.send((index, work(job))).is_err() {
                        return;
                    }
                }
            };
            thread::Builder::new()
                .name(format!("run-{number}"))
                .stack_size(STACK)
                .spawn_scoped(scope, worker)
                .map_err(|cause| Refused::System { what: "cannot start a thread", cause })?;
        }
        drop(results);
        let mut waiting = BTreeMap::new();
        let mut due = 0;
        for (index, result) in incoming {
            ended();
            waiting.insert(index, result);
            while let Some(result) = waiting.remove(&due) {
                done(due, result);
                due += 1;
            }
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_jobs() {
        let jobs: Vec<u64> = (0..200).collect();
        let (mut told, mut count) = (Vec::new(), 0);
        // Earlier jobs take longer, so that they end out of order.
        let work = |job: &u64| {
            std::hint::black_box((0..(200 - job) * 200).fold(*job, |sum, it| std::hint::black_box(sum ^ it)));
            job * 2
        };
        work_off(&jobs, 4, work, || count += 1, |index, result| told.push((index as u64, result))).unwrap();
        assert_eq!(told, jobs.iter().map(|job| (*job, job * 2)).collect::<Vec<_>>());
        assert_eq!(count, 200);
    }

    #[test]
    fn no_more_threads_than_jobs_and_at_least_one() {
        assert_eq!(threads(Some(8), 3), 3);
        assert_eq!(threads(Some(2), 30), 2);
        assert_eq!(threads(None, 0), 1);
        work_off(&[(); 0], 1, |()| (), || panic!("no job can end"), |_, ()| panic!("no job can be done"))
            .unwrap();
    }
}
