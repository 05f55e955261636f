//! A search in a sorted slice that begins where the sought is thought to be.
//!
//! What is sorted here are numbers that are spread evenly. So a look at two or three neighbouring places mostly
//! does, where halving the whole slice would wait for one distant place of the memory after another.

/// Places at either side that are looked at first.
const NEAR: usize = 4;

/// How many at the start of `sorted` come `before` what is sought, found in steps that double from `guess` on. The same
/// as [`slice::partition_point`], whatever the guess.
pub(crate) fn partition_point_near<T>(sorted: &[T], guess: usize, before: impl Fn(&T) -> bool) -> usize {
    let guess = guess.min(sorted.len());
    let (mut low, mut high) = (guess.saturating_sub(NEAR), (guess + NEAR).min(sorted.len()));
    let mut step = 2 * NEAR;
    while low > 0 && sorted.get(low - 1).is_some_and(|it| !before(it)) {
        high = low - 1;
        low = low.saturating_sub(step);
        step *= 2;
    }
    step = 2 * NEAR;
    while sorted.get(high).is_some_and(&before) {
        low = high + 1;
        high = (high + step).min(sorted.len());
        step *= 2;
    }
    let within = sorted.get(low..high).unwrap_or_default();
    low + within.partition_point(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_guess_finds_what_halving_finds() {
        for len in [0u64, 1, 2, 7, 8, 9, 100, 1_000] {
            let sorted: Vec<u64> = (0..len).map(|i| i / 3 * 10).collect();
            for sought in (0..len * 4 + 2).step_by(3) {
                let wanted = sorted.partition_point(|it| *it < sought);
                for guess in (0..=sorted.len() + 20).step_by(7) {
                    let found = partition_point_near(&sorted, guess, |it| *it < sought);
                    assert_eq!(found, wanted, "{sought} of {len}, from {guess}");
                }
            }
        }
    }
}
