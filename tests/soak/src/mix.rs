//! Which kinds of steps there are, and how often each comes.

use fastrand::Rng;

/// The kinds of steps and how often each is chosen, in percent.
pub(crate) const MIX: [(&str, u32); 15] = [
    (GET, 28),
    (LIST, 4),
    (POST, 7),
    (POST_KEY, 7),
    (PATCH, 8),
    (PATCH_KEY, 8),
    (PATCH_MATCH, 7),
    (PATCH_MATCH_KEY, 7),
    (PATCH_STALE, 2),
    (DELETE, 3),
    (DELETE_KEY, 4),
    (DELETE_REFERENCED, 1),
    (REPLAY, 9),
    (TWINS, 3),
    (RACE, 2),
];
pub(crate) const GET: &str = "GET one";
pub(crate) const LIST: &str = "GET list";
pub(crate) const POST: &str = "POST";
pub(crate) const POST_KEY: &str = "POST, Idempotency-Key";
pub(crate) const PATCH: &str = "PATCH";
pub(crate) const PATCH_KEY: &str = "PATCH, Idempotency-Key";
pub(crate) const PATCH_MATCH: &str = "PATCH, If-Match";
pub(crate) const PATCH_MATCH_KEY: &str = "PATCH, If-Match and Idempotency-Key";
pub(crate) const PATCH_STALE: &str = "PATCH, If-Match of another version (412)";
pub(crate) const DELETE: &str = "DELETE";
pub(crate) const DELETE_KEY: &str = "DELETE, Idempotency-Key";
pub(crate) const DELETE_REFERENCED: &str = "DELETE of a referenced row (409)";
pub(crate) const REPLAY: &str = "an earlier Idempotency-Key again";
pub(crate) const TWINS: &str = "one Idempotency-Key twice at once";
pub(crate) const RACE: &str = "two PATCHes of one version at once";

/// A kind at random, in its share.
pub(crate) fn draw(rng: &mut Rng) -> &'static str {
    let mut point = rng.u32(0..MIX.iter().map(|(_, share)| share).sum());
    for (kind, share) in MIX {
        match point.checked_sub(share) {
            Some(rest) => point = rest,
            None => return kind,
        }
    }
    GET
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_comes_in_its_share() {
        let mut rng = Rng::with_seed(3);
        let drawn: Vec<_> = (0..10_000).map(|_| draw(&mut rng)).collect();
        for (kind, share) in MIX {
            let count = drawn.iter().filter(|drawn| **drawn == kind).count() as u32;
            assert!(count > share * 70 && count < share * 130, "{kind}: {count}");
        }
        assert_eq!(MIX.iter().map(|(_, share)| share).sum::<u32>(), 100);
    }
}
