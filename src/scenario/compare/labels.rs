//! Where labels go, so that none lies over another, over a point, or outside.

/// A rectangle, from its top left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Area {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) width: f64,
    pub(super) height: f64,
}

impl Area {
    /// Around a point.
    pub(super) fn around(x: f64, y: f64, half: f64) -> Self {
        Self { x: x - half, y: y - half, width: 2.0 * half, height: 2.0 * half }
    }

    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.x < other.x + other.width
            && other.x < self.x + self.width
            && self.y < other.y + other.height
            && other.y < self.y + self.height
    }

    fn within(&self, outer: &Self) -> bool {
        self.x >= outer.x
            && self.y >= outer.y
            && self.x + self.width <= outer.x + outer.width
            && self.y + self.height <= outer.y + outer.height
    }

    pub(super) fn middle(&self) -> (f64, f64) {
        (self.x + self.width / 2.0, self.y + self.height / 2.0)
    }
}

/// How far from its point a label is tried, in steps.
const STEP: f64 = 6.0;
const STEPS: u32 = 60;

/// A place for each label of `size` beside its point: the nearest that is free, in the order of `points`. `taken` is not
/// to be covered, and all are within `outer`. A label for which there is no room has no place.
pub(super) fn place(
    points: &[(f64, f64)],
    size: impl Fn(usize) -> (f64, f64),
    taken: &[Area],
    outer: &Area,
) -> Vec<Option<Area>> {
    // Right, left, and what lies between, for each distance.
    const WAYS: [(f64, f64); 8] = [
        (1.0, 0.0),
        (-1.0, 0.0),
        (0.7, -0.7),
        (0.7, 0.7),
        (-0.7, -0.7),
        (-0.7, 0.7),
        (0.0, -1.0),
        (0.0, 1.0),
    ];
    let mut taken = taken.to_vec();
    let mut placed = Vec::with_capacity(points.len());
    for (index, (x, y)) in points.iter().copied().enumerate() {
        let (width, height) = size(index);
        let at = |step: u32, way: (f64, f64)| {
            let far = 8.0 + STEP * f64::from(step);
            let (cx, cy) = (x + way.0 * (far + width / 2.0), y + way.1 * (far + height / 2.0));
            Area { x: cx - width / 2.0, y: cy - height / 2.0, width, height }
        };
        let free = |area: &Area| area.within(outer) && !taken.iter().any(|it| it.overlaps(area));
        let place = (0..STEPS).flat_map(|step| WAYS.map(|way| at(step, way))).find(free);
        taken.extend(place);
        placed.push(place);
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTER: Area = Area { x: 0.0, y: 0.0, width: 600.0, height: 300.0 };

    #[test]
    fn labels_of_one_point_lie_beside_each_other() {
        let points = [(300.0, 150.0); 12];
        let dots = [Area::around(300.0, 150.0, 4.0)];
        let placed = place(&points, |_| (60.0, 14.0), &dots, &OUTER);
        let areas: Vec<Area> = placed.into_iter().flatten().collect();
        assert_eq!(areas.len(), points.len());
        for (index, area) in areas.iter().enumerate() {
            assert!(area.within(&OUTER) && !area.overlaps(&dots[0]));
            assert!(!areas[..index].iter().any(|it| it.overlaps(area)), "{area:?}");
        }
    }

    #[test]
    fn without_room_there_is_no_place() {
        let small = Area { width: 50.0, ..OUTER };
        assert_eq!(place(&[(25.0, 25.0)], |_| (60.0, 14.0), &[], &small), [None]);
        assert!(place(&[(25.0, 25.0)], |_| (10.0, 14.0), &[], &small)[0].is_some());
    }

    #[test]
    fn a_corner_pushes_its_label_inward() {
        let placed = place(&[(598.0, 2.0)], |_| (60.0, 14.0), &[], &OUTER)[0].unwrap();
        assert!(placed.within(&OUTER) && placed.middle().0 < 598.0);
    }
}
