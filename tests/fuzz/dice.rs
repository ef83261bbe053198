//! Seeded chance: a run that failed is run again by its seed.

/// xorshift64*.
pub struct Dice(u64);

/// How often and from which seed: `FUZZ_COUNT` and `FUZZ_SEED`.
pub fn asked(slice: u64) -> (u64, u64) {
    let number = |name, otherwise| std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"));
    (number("FUZZ_COUNT", slice), number("FUZZ_SEED", 0x5EED_0003))
}

/// Leaves what came of a run where the long command looks for it.
pub fn report(text: &str) {
    if let Ok(path) = std::env::var("FUZZ_REPORT") {
        std::fs::write(path, text).expect("the report can be written");
    }
}

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let drawn = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(drawn).expect("31 bits fit") % end.max(1)
    }

    pub fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    /// True once in `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// A text of up to `most` characters, common and odd.
    pub fn text(&mut self, most: usize) -> String {
        const ODD: [char; 20] =
            ['/', '/', '.', '%', '+', ' ', '&', '=', '?', '#', '<', '>', '"', '\'', '\\', ';', ',', 'ü', '€', '😀'];
        (0..self.below(most + 1))
            .map(|_| if self.once_in(3) { ODD[self.below(ODD.len())] } else { char::from(b'a' + self.below(4) as u8) })
            .collect()
    }

    /// Spoils bytes here and there: bits, cuts, repetitions, scraps.
    pub fn spoil(&mut self, bytes: &mut Vec<u8>, scraps: &[&[u8]]) {
        for _ in 0..=self.below(3) {
            let at = self.below(bytes.len() + 1);
            let to = at + self.below((bytes.len() - at).min(24) + 1);
            match self.below(6) {
                0 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
                1 => drop(bytes.drain(at..to)),
                2 => {
                    let again = bytes[at..to].to_vec();
                    bytes.splice(at..at, again);
                }
                3 => {
                    let piece: Vec<u8> = bytes.drain(at..to).collect();
                    let there = self.below(bytes.len() + 1);
                    bytes.splice(there..there, piece);
                }
                4 => bytes.truncate(to.max(bytes.len().saturating_sub(self.below(30)))),
                _ => {
                    let scrap = self.pick(scraps).to_vec();
                    bytes.splice(at..at, scrap);
                }
            }
        }
    }
}
