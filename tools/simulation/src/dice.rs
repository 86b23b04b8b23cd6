//! Where does chance come from? From the seed alone: the same seed throws the same dice, on every
//! machine and with every version of every library.

/// `SplitMix64`: any well-mixed sequence that repeats itself will do.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

const fn mixed(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Dice {
    /// The dice of one subject of a run: what one subject throws does not change what another does.
    pub(crate) const fn new(seed: u64, subject: u64) -> Self {
        Self(mixed(
            seed.wrapping_mul(STEP).wrapping_add(mixed(subject ^ STEP)),
        ))
    }

    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mixed(self.0)
    }

    /// A number below `end`, which is more than nothing.
    pub(crate) const fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// A number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = u64::try_from(high - low + 1).unwrap();
        low + i64::try_from(self.below(span)).unwrap()
    }

    pub(crate) const fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub(crate) fn pick<T: Clone>(&mut self, among: &[T]) -> T {
        let place = self.below(u64::try_from(among.len()).unwrap());
        among[usize::try_from(place).unwrap()].clone()
    }
}
