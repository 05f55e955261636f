//! Which of several choices are not beaten.

/// Of choices with two costs each, whether it is on the Pareto front: no other costs at most as much of both, and less
/// of one. A choice without figures is not on it. Equal choices beat nobody, so they are on it together.
pub fn front(costs: &[Option<(f64, f64)>]) -> Vec<bool> {
    let beats = |a: (f64, f64), b: (f64, f64)| a.0 <= b.0 && a.1 <= b.1 && (a.0 < b.0 || a.1 < b.1);
    let unbeaten = |own: (f64, f64)| {
        own.0.is_finite() && own.1.is_finite() && !costs.iter().flatten().any(|it| beats(*it, own))
    };
    costs.iter().map(|own| own.is_some_and(unbeaten)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_beaten_in_both_is_not_on_the_front() {
        let costs = [(1.0, 9.0), (2.0, 5.0), (3.0, 5.0), (3.0, 1.0), (9.0, 1.0), (9.0, 9.0)].map(Some);
        assert_eq!(front(&costs), [true, true, false, true, false, false]);
    }

    #[test]
    fn equals_are_on_it_together_and_nothing_is_not() {
        assert_eq!(front(&[Some((2.0, 2.0)), Some((2.0, 2.0)), None]), [true, true, false]);
        assert_eq!(front(&[Some((f64::NAN, 2.0)), Some((2.0, f64::INFINITY))]), [false, false]);
        assert_eq!(front(&[]), [false; 0]);
    }
}
