//! Slots that are used again, with generations that tell a new tenant from an old one.

/// A vector with free slots. A slot's generation rises each time it is freed.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
    live: usize,
}

#[derive(Debug)]
struct Slot<T> {
    generation: u32,
    value: Option<T>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new(), live: 0 }
    }
}

impl<T> Slab<T> {
    /// Take a slot for `value`.
    pub(crate) fn insert(&mut self, value: T) -> u32 {
        self.live += 1;
        if let Some(index) = self.free.pop() {
            self.slots[index as usize].value = Some(value);
            return index;
        }
        self.slots.push(Slot { generation: 0, value: Some(value) });
        (self.slots.len() - 1) as u32
    }

    /// The slot that the next value will take.
    pub(crate) fn vacant(&self) -> u32 {
        self.free.last().copied().unwrap_or(self.slots.len() as u32)
    }

    /// Free the slot, which gives back what was in it.
    pub(crate) fn remove(&mut self, index: u32) -> Option<T> {
        let slot = self.slots.get_mut(index as usize)?;
        let value = slot.value.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(index);
        self.live -= 1;
        Some(value)
    }

    pub(crate) fn get(&self, index: u32) -> Option<&T> {
        self.slots.get(index as usize)?.value.as_ref()
    }

    pub(crate) fn get_mut(&mut self, index: u32) -> Option<&mut T> {
        self.slots.get_mut(index as usize)?.value.as_mut()
    }

    /// The slot's present generation.
    pub(crate) fn generation(&self, index: u32) -> u32 {
        self.slots.get(index as usize).map_or(0, |slot| slot.generation)
    }

    /// Whether the slot is taken, by the tenant of this generation.
    pub(crate) fn is(&self, index: u32, generation: u32) -> bool {
        self.slots.get(index as usize).is_some_and(|s| s.generation == generation && s.value.is_some())
    }

    /// How many slots are taken.
    pub(crate) fn len(&self) -> usize {
        self.live
    }

    /// The taken slots, by number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.slots.iter().enumerate().filter_map(|(i, slot)| Some((i as u32, slot.value.as_ref()?)))
    }

    /// Bytes of memory held by the slots themselves.
    pub(crate) fn footprint(&self) -> usize {
        self.slots.capacity() * size_of::<Slot<T>>() + self.free.capacity() * 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_used_again_has_another_generation() {
        let mut slab = Slab::default();
        let a = slab.insert("a");
        let first = slab.generation(a);
        assert!(slab.is(a, first));
        assert_eq!(slab.remove(a), Some("a"));
        assert!(!slab.is(a, first));
        assert_eq!(slab.remove(a), None);
        assert_eq!(slab.vacant(), a);
        let b = slab.insert("b");
        assert_eq!((b, slab.vacant()), (a, a + 1));
        assert!(!slab.is(b, first));
        assert_eq!((slab.len(), slab.get(b)), (1, Some(&"b")));
    }
}
