//! Slots that are used again, with generations that tell a new tenant from an old one.

/// A vector with free slots. A slot's generation rises each time it is freed.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    slots: Vec<Option<T>>,
    /// Apart from what is in the slots, which may be large and is looked at less often.
    generations: Vec<u32>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), generations: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// Take a slot for `value`.
    pub(crate) fn insert(&mut self, value: T) -> u32 {
        if let Some(index) = self.free.pop() {
            self.slots[index as usize] = Some(value);
            return index;
        }
        self.slots.push(Some(value));
        self.generations.push(0);
        (self.slots.len() - 1) as u32
    }

    /// The slot that the next value will take.
    pub(crate) fn vacant(&self) -> u32 {
        self.free.last().copied().unwrap_or(self.slots.len() as u32)
    }

    /// Free the slot, which gives back what was in it.
    pub(crate) fn remove(&mut self, index: u32) -> Option<T> {
        let value = self.slots.get_mut(index as usize)?.take()?;
        self.freed(index);
        Some(value)
    }

    /// Free the slot, and drop where it stands what was in it.
    pub(crate) fn free(&mut self, index: u32) {
        if let Some(slot) = self.slots.get_mut(index as usize)
            && slot.is_some()
        {
            *slot = None;
            self.freed(index);
        }
    }

    fn freed(&mut self, index: u32) {
        if let Some(generation) = self.generations.get_mut(index as usize) {
            *generation = generation.wrapping_add(1);
        }
        self.free.push(index);
    }

    pub(crate) fn get(&self, index: u32) -> Option<&T> {
        self.slots.get(index as usize)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, index: u32) -> Option<&mut T> {
        self.slots.get_mut(index as usize)?.as_mut()
    }

    /// The slot's present generation.
    pub(crate) fn generation(&self, index: u32) -> u32 {
        self.generations.get(index as usize).copied().unwrap_or_default()
    }

    /// Whether the slot is taken, by the tenant of this generation.
    pub(crate) fn is(&self, index: u32, generation: u32) -> bool {
        self.generations.get(index as usize) == Some(&generation) && self.get(index).is_some()
    }

    /// How many slots are taken.
    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// The taken slots, by number.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.slots.iter().enumerate().filter_map(|(i, slot)| Some((i as u32, slot.as_ref()?)))
    }

    /// Bytes of memory held by the slots themselves.
    pub(crate) fn footprint(&self) -> usize {
        self.slots.capacity() * size_of::<Option<T>>()
            + (self.generations.capacity() + self.free.capacity()) * 4
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
        slab.free(a);
        assert_eq!(slab.vacant(), a);
        let b = slab.insert("b");
        assert_eq!((b, slab.vacant()), (a, a + 1));
        assert!(!slab.is(b, first));
        assert_eq!((slab.len(), slab.get(b)), (1, Some(&"b")));
        let second = slab.generation(b);
        slab.free(b);
        assert!(!slab.is(b, second) && slab.get(b).is_none());
        assert_eq!((slab.len(), slab.vacant(), slab.iter().count()), (0, b, 0));
    }
}
