//! Turns `a[b][0]=x` into a tree.
//!
//! Names are parsed by Rack's rules, as on Stripe's server: `a[]=x` appends, and `a[][b]=1&a[][c]=2` is one
//! element until a name repeats.

use std::collections::BTreeMap;

use crate::wire::StripeError;

/// The most brackets in one name. Stripe's deepest parameters have five.
const MAX_DEPTH: usize = 8;

pub(super) type Branch = BTreeMap<String, Node>;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Node {
    Text(String),
    Branch(Branch),
}

/// Inserts one `name=value`. The later of two equal names wins.
pub(super) fn insert(tree: &mut Branch, name: &str, value: String) -> Result<(), StripeError> {
    let keys = keys(name)?;
    let mut branch = tree;
    let mut keys = &keys[..];
    while let [key, rest @ ..] = keys {
        let key = if key.is_empty() { element(branch, rest) } else { (*key).to_owned() };
        if rest.is_empty() {
            return match branch.insert(key, Node::Text(value)) {
                None | Some(Node::Text(_)) => Ok(()),
                Some(Node::Branch(_)) => Err(both(name)),
            };
        }
        let node = branch.entry(key).or_insert_with(|| Node::Branch(Branch::new()));
        let Node::Branch(next) = node else { return Err(both(name)) };
        (branch, keys) = (next, rest);
    }
    Ok(())
}

fn both(name: &str) -> StripeError {
    StripeError::unreadable(&format!("'{name}' is given as a text and as an object.")).param(name)
}

/// `a[b][0]` → `a`, `b`, `0`.
fn keys(name: &str) -> Result<Vec<&str>, StripeError> {
    let malformed = || StripeError::unreadable(&format!("'{name}' is not a name like a[b][0].")).param(name);
    let Some(start) = name.find('[') else {
        return if name.is_empty() || name.contains(']') { Err(malformed()) } else { Ok(vec![name]) };
    };
    let (first, mut rest) = name.split_at(start);
    if first.is_empty() || first.contains(']') {
        return Err(malformed());
    }
    let mut keys = vec![first];
    while !rest.is_empty() {
        let inner = rest.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let (key, after) = inner.ok_or_else(malformed)?;
        if key.contains('[') {
            return Err(malformed());
        }
        if keys.len() > MAX_DEPTH {
            return Err(StripeError::unreadable(&format!("a name has more than {MAX_DEPTH} brackets.")));
        }
        keys.push(key);
        rest = after;
    }
    Ok(keys)
}

/// The index for `[]`: the last element if it is an object without a value at `rest`, else a new one.
fn element(list: &Branch, rest: &[&str]) -> String {
    let last = list.keys().filter_map(|key| key.parse::<usize>().ok()).max();
    match last {
        None => "0".to_owned(),
        Some(last) => {
            let key = last.to_string();
            let open = !rest.is_empty() && list.get(&key).is_some_and(|node| !has(node, rest));
            if open { key } else { last.saturating_add(1).to_string() }
        }
    }
}

/// Whether the element has a value at these keys; an inner `[]` always accepts one more.
fn has(node: &Node, keys: &[&str]) -> bool {
    match (node, keys) {
        (_, []) | (Node::Text(_), _) => true,
        (_, ["", ..]) => false,
        (Node::Branch(branch), [key, rest @ ..]) => branch.get(*key).is_some_and(|node| has(node, rest)),
    }
}
