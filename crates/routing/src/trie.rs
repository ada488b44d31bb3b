//! A compressed trie over digits: from a number to the values of all its prefixes, shortest first.
//!
//! A node has the digits that follow without a branch, a bit for each digit that a child begins
//! with, and its children side by side. Nodes are laid out breadth first, so that the few levels
//! that every number passes stay in the cache, and a walk touches one node for each branch, not
//! for each digit.

use crate::digits::Digits;

const NO_VALUE: u32 = u32::MAX;

/// Values by prefixes.
#[derive(Debug, Default)]
pub(crate) struct Trie {
    nodes: Box<[Node]>,
}

/// Sixteen octets, so that four lie in a line of the cache.
#[derive(Clone, Copy, Debug)]
struct Node {
    /// Digits between the branch that led here and the next one, packed as [`Digits::head`].
    skip: u32,
    /// The first child's place; the others follow in the order of their digits.
    children: u32,
    value: u32,
    /// How many digits `skip` has, at most [`SKIP_MAX`].
    skipped: u8,
    /// Bit n: there is a child that begins with the digit n - 1.
    branches: u16,
}

/// Digits that one node can skip; a longer way takes another node.
const SKIP_MAX: usize = 8;

impl Trie {
    /// Builds from prefixes and values below `u32::MAX`. Of one prefix twice, the first counts.
    pub fn new(mut entries: Vec<(Digits, u32)>) -> Self {
        entries.sort_by_key(|(prefix, _)| *prefix);
        entries.dedup_by_key(|(prefix, _)| *prefix);
        if entries.is_empty() {
            return Self::default();
        }
        let mut nodes = Vec::with_capacity(entries.len());
        // What each node stands for: a range of entries, and the digits that led to it.
        let mut ranges = vec![(entries.as_slice(), 0)];
        let mut at = 0;
        while let Some(&(range, depth)) = ranges.get(at) {
            let (node, inner, branch) = Node::over(range, depth, ranges.len());
            nodes.push(node);
            let children = inner.chunk_by(|(a, _), (b, _)| a.nibble(branch) == b.nibble(branch));
            ranges.extend(children.map(|child| (child, branch + 1)));
            at += 1;
        }
        Self { nodes: nodes.into() }
    }

    /// Gives the value of every prefix that `number` begins with, shortest first.
    pub fn visit<'t>(&'t self, number: Digits, mut found: impl FnMut(&'t u32)) {
        let mut rest = number;
        let mut next = self.nodes.first();
        while let Some(node) = next {
            let skipped = usize::from(node.skipped);
            if rest.first(skipped).head() != node.skip {
                return;
            }
            if node.value != NO_VALUE {
                found(&node.value);
            }
            let digit = rest.nibble(skipped);
            let bit = 1_u16 << digit;
            if digit == 0 || node.branches & bit == 0 {
                return;
            }
            let before = (node.branches & (bit - 1)).count_ones();
            next = self.nodes.get((node.children + before) as usize);
            rest = rest.after(skipped + 1);
        }
    }

    /// The value of the longest prefix that `number` begins with.
    pub fn longest(&self, number: Digits) -> Option<u32> {
        let mut longest = None;
        self.visit(number, |value| longest = Some(*value));
        longest
    }
}

impl Node {
    /// The node over sorted entries that share `depth` digits, the entries below it, and where
    /// they branch. Its children will stand at `children`.
    fn over(range: &[(Digits, u32)], depth: usize, children: usize) -> (Self, &[(Digits, u32)], usize) {
        let (Some(&(first, value)), Some(&(last, _))) = (range.first(), range.last()) else {
            return (Self { skip: 0, children: 0, value: NO_VALUE, skipped: 0, branches: 0 }, range, depth);
        };
        let branch = first.common(last).min(depth + SKIP_MAX);
        let ends_here = first.len() == branch;
        let inner = if ends_here { &range[1..] } else { range };
        let branches = inner.iter().fold(0, |bits, (prefix, _)| bits | 1 << prefix.nibble(branch));
        let node = Self {
            skip: first.first(branch).after(depth).head(),
            skipped: (branch - depth) as u8,
            value: if ends_here { value } else { NO_VALUE },
            children: children as u32,
            branches,
        };
        (node, inner, branch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trie(prefixes: &[&str]) -> Trie {
        Trie::new(prefixes.iter().zip(0..).map(|(p, n)| (Digits::prefix(p).unwrap(), n)).collect())
    }

    fn found(trie: &Trie, number: &str) -> Vec<u32> {
        let mut values = Vec::new();
        trie.visit(Digits::leading(number), |value| values.push(*value));
        values
    }

    #[test]
    fn every_prefix_is_found_shortest_first() {
        let trie = trie(&["447700900123", "44", "4477", "49", "1"]);
        assert_eq!(found(&trie, "447700900123"), [1, 2, 0]);
        assert_eq!(found(&trie, "447700900124"), [1, 2]);
        assert_eq!(found(&trie, "4"), [] as [u32; 0]);
        assert_eq!(found(&trie, "1"), [4]);
        assert_eq!(found(&trie, ""), [] as [u32; 0]);
        assert_eq!(trie.longest(Digits::leading("4477")), Some(2));
        assert_eq!(Trie::default().longest(Digits::leading("1")), None);
    }

    #[test]
    fn the_longest_prefixes_and_numbers_fit() {
        let trie = trie(&["123456789012345", "1234567890123"]);
        assert_eq!(found(&trie, "1234567890123456"), [1, 0]);
        assert_eq!(found(&trie, "123456789012345678"), [1, 0]);
        assert_eq!(found(&trie, "12345678901234"), [1]);
    }

    proptest::proptest! {
        #[test]
        fn it_finds_what_a_list_does(
            prefixes in proptest::collection::btree_set("[0-29]{1,7}", 0..40), number in "[0-29]{0,9}"
        ) {
            let prefixes: Vec<&str> = prefixes.iter().map(String::as_str).collect();
            // Sorted text puts shorter prefixes of a number before longer ones.
            let fits = prefixes.iter().zip(0..).filter(|(p, _)| number.starts_with(**p));
            let expected: Vec<u32> = fits.map(|(_, n)| n).collect();
            assert_eq!(found(&trie(&prefixes), &number), expected);
        }
    }
}
