//! The events of a statement marked `[every order]` are delivered in every possible order, and all orders
//! must end in the same position.
//!
//! Duplicates need no permutations of their own: after every step of every order, each event delivered before
//! is delivered again and must change nothing. So a history with repeated events, anywhere and any number of
//! times, ends in the same position as the history without the repetitions.

use std::fmt::Debug;

use crate::statement::{Statement, files, read};
use crate::step::Step;
use crate::world::World;

/// With more events there are too many orders.
const MAX_EVENTS: usize = 7;
/// The same limit for statements with commands, of which there are more.
const MAX_WITH_COMMANDS: usize = 6;

#[test]
fn every_order_of_every_marked_statement_ends_the_same() {
    let files: Vec<_> = files().into_iter().map(|(_, text)| read(&text).1).collect();
    let marked = files.iter().flatten().filter(|statement| statement.has("every order"));
    let mut counted = Counted::default();
    for statement in marked {
        counted.statements += 1;
        let position = |world: &World| world.clone().waited().position();
        let wanted = |step: &Step| matches!(step, Step::Fact(_) | Step::Wait(_));
        check(statement, &lines(statement, wanted), position, &mut counted);
    }
    println!("facts: {counted:?}");
    assert!(counted.statements > 20);
}

/// With commands in between, the order decides only which of them are accepted and which lots they use.
#[test]
fn interleaved_commands_do_not_change_the_net_position() {
    let files: Vec<_> = files().into_iter().map(|(_, text)| read(&text).1).collect();
    let mut counted = Counted::default();
    for statement in files.iter().flatten() {
        let lines = lines(statement, |step| matches!(step, Step::Fact(_) | Step::Command(_)));
        let facts = lines.iter().filter(|line| matches!(line.1, Step::Fact(_))).count();
        let ruled = statement.steps().any(|step| matches!(step, Step::Rule(..)));
        let mixed = facts < lines.len() && !ruled && !statement.has("known tenants only");
        if mixed && lines.len() <= MAX_WITH_COMMANDS {
            counted.statements += 1;
            check(statement, &lines, World::net_before_commands, &mut counted);
        }
    }
    println!("facts and commands: {counted:?}");
    assert!(counted.statements > 10);
}

/// How many cases were tried.
#[derive(Debug, Default)]
struct Counted {
    statements: usize,
    orders: usize,
    decisions: usize,
    repetitions: usize,
}

type Line<'s> = (&'s str, &'s Step);

fn lines(statement: &Statement, wanted: impl Fn(&Step) -> bool) -> Vec<Line<'_>> {
    let lines = statement.lines.iter().filter_map(|line| Some((line.left.as_str(), line.step.as_ref()?)));
    lines.filter(|line| wanted(line.1)).collect()
}

/// Delivers `lines` in every order and compares the results of `view` at the end.
fn check<V: Debug + PartialEq>(
    statement: &Statement,
    lines: &[Line<'_>],
    view: impl Fn(&World) -> V,
    counted: &mut Counted,
) {
    assert!(lines.len() <= MAX_EVENTS, "{}: too many events for every order", statement.title);
    let mut first = None;
    let mut order = Vec::new();
    walk(&statement.world(), lines, &mut order, counted, &mut |world, order| {
        let here = view(world);
        let (first_order, there) = first.get_or_insert_with(|| (text(lines, order), view(world)));
        assert_eq!(
            *there,
            here,
            "{}\nends in the first position after\n{first_order}\nand in the second after\n{}",
            statement.title,
            text(lines, order)
        );
    });
}

/// Takes each remaining step and recurses, so that orders share their prefixes.
fn walk(
    world: &World,
    lines: &[Line<'_>],
    order: &mut Vec<usize>,
    counted: &mut Counted,
    end: &mut impl FnMut(&World, &[usize]),
) {
    for &index in order.iter() {
        world.repeat(lines[index].1);
        counted.repetitions += 1;
    }
    if order.len() == lines.len() {
        counted.orders += 1;
        end(world, order);
    }
    for next in 0..lines.len() {
        if order.contains(&next) {
            continue;
        }
        let mut world = world.clone();
        order.push(next);
        world.take(lines[next].1);
        counted.decisions += 1;
        walk(&world, lines, order, counted, end);
        order.pop();
    }
}

fn text(lines: &[Line<'_>], order: &[usize]) -> String {
    order.iter().map(|&index| format!("  {}\n", lines[index].0)).collect()
}
