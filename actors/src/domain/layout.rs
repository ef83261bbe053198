//! How a multipart object lies in its parts: what `?partNumber` and GetObjectAttributes tell, however the object is stored.

use crate::domain::checksum::{ChecksumAlgorithm, Checksums};
use crate::domain::condition::ByteRange;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// The sizes of the parts, in order, and their checksums where the upload was begun with one. Parts are counted from 1, whatever
/// numbers they were uploaded under, so that whoever asks for 1 to the number of parts gets them all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartLayout {
    /// Runs of parts of one size: how many, how large.
    runs: Vec<(u32, u64)>,
    /// The algorithm of the checksums.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    algorithm: Option<ChecksumAlgorithm>,
    /// The digests one after the other, in standard base64: all have the same length.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    digests: String,
}

/// One part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaidPart {
    /// From 1.
    pub number: u32,
    /// Its bytes in the object.
    pub range: ByteRange,
    /// Its checksum, in standard base64.
    pub checksum: Option<(ChecksumAlgorithm, String)>,
}

impl PartLayout {
    /// Of parts in order; the checksums of one algorithm are kept where every part has one.
    pub fn new<'a>(
        parts: impl IntoIterator<Item = (u64, &'a Checksums)>,
        algorithm: Option<ChecksumAlgorithm>,
    ) -> Self {
        let (mut layout, mut digests, mut complete) = (Self::default(), Vec::new(), algorithm.is_some());
        for (size, checksums) in parts {
            match layout.runs.last_mut() {
                Some((count, same)) if *same == size => *count += 1,
                _ => layout.runs.push((1, size)),
            }
            let digest = algorithm.and_then(|algorithm| STANDARD.decode(checksums.get(algorithm.name())?).ok());
            match digest.filter(|digest| complete && Some(digest.len()) == algorithm.map(ChecksumAlgorithm::digest_len))
            {
                Some(digest) => digests.extend(digest),
                None => complete = false,
            }
        }
        if complete {
            (layout.algorithm, layout.digests) = (algorithm, STANDARD.encode(digests));
        }
        layout
    }

    /// How many parts there are.
    pub fn count(&self) -> u32 {
        self.runs.iter().map(|(count, _)| count).sum()
    }

    /// True where the checksum of each part is known.
    pub fn has_checksums(&self) -> bool {
        self.algorithm.is_some()
    }

    /// The part of this number.
    pub fn part(&self, number: u32) -> Option<LaidPart> {
        let (mut before, mut start) = (0, 0);
        for (count, size) in &self.runs {
            if (before + 1..=before + count).contains(&number) {
                let start = start + u64::from(number - before - 1) * size;
                let range = ByteRange { start, len: *size };
                return Some(LaidPart { number, range, checksum: self.checksum(number) });
            }
            (before, start) = (before + count, start + u64::from(*count) * size);
        }
        None
    }

    /// The parts after this number, in order.
    pub fn after(&self, number: u32) -> impl Iterator<Item = LaidPart> + '_ {
        (number.saturating_add(1)..=self.count()).filter_map(|number| self.part(number))
    }

    fn checksum(&self, number: u32) -> Option<(ChecksumAlgorithm, String)> {
        let algorithm = self.algorithm?;
        let (bytes, len) = (STANDARD.decode(&self.digests).ok()?, algorithm.digest_len());
        let at = usize::try_from(number.checked_sub(1)?).ok()?.checked_mul(len)?;
        Some((algorithm, STANDARD.encode(bytes.get(at..at + len)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(value: &str) -> Checksums {
        Checksums::from([("CRC32".to_owned(), value.to_owned())])
    }

    #[test]
    fn parts_are_found_by_their_place() {
        let sums = [sums("AAAAAQ=="), sums("AAAAAg=="), sums("AAAAAw==")];
        let layout = PartLayout::new([5, 5, 2].into_iter().zip(&sums), Some(ChecksumAlgorithm::Crc32));
        assert_eq!(
            serde_json::to_string(&layout).unwrap(),
            r#"{"runs":[[2,5],[1,2]],"algorithm":"CRC32","digests":"AAAAAQAAAAIAAAAD"}"#
        );
        let part =
            |number| layout.part(number).map(|part| (part.range.start, part.range.len, part.checksum.unwrap().1));
        assert_eq!(part(1), Some((0, 5, "AAAAAQ==".to_owned())));
        assert_eq!(part(2), Some((5, 5, "AAAAAg==".to_owned())));
        assert_eq!(part(3), Some((10, 2, "AAAAAw==".to_owned())));
        assert_eq!((part(0), part(4)), (None, None));
        assert_eq!(layout.after(1).map(|part| part.number).collect::<Vec<_>>(), [2, 3]);
        assert_eq!((layout.count(), layout.after(u32::MAX).count()), (3, 0));
    }

    #[test]
    fn checksums_are_kept_only_where_every_part_has_one() {
        let (good, none) = (sums("AAAAAQ=="), Checksums::new());
        for (second, algorithm) in
            [(&none, Some(ChecksumAlgorithm::Crc32)), (&good, None), (&good, Some(ChecksumAlgorithm::Sha1))]
        {
            let layout = PartLayout::new([(1, &good), (1, second)], algorithm);
            assert!(!layout.has_checksums());
            assert_eq!(layout.part(2).unwrap().checksum, None);
        }
    }
}
