//! Rules about names and imports: one name stands for one thing, and files do not import in a circle.

use std::collections::{BTreeMap, BTreeSet};

use crate::tree::{File, Finding, Tree};

/// A type name that stands for two things must be looked up each time it is read.
pub(crate) fn one_name_one_thing(tree: &Tree) -> Vec<Finding> {
    let mut declared: BTreeMap<&str, &str> = BTreeMap::new();
    let mut findings = Vec::new();
    for file in tree.with_extension("rs").filter(|file| file.is_product() && file.path.contains("/src/")) {
        for (number, line) in file.lines() {
            let Some(name) = declared_type(line) else { continue };
            match declared.get(name) {
                Some(first) => findings.push(file.finding(number, format!("`{name}` is also in {first}"))),
                None => drop(declared.insert(name, &file.path)),
            }
        }
    }
    findings
}

/// The type that this line declares at the top level of its file.
fn declared_type(line: &str) -> Option<&str> {
    let public = ["pub(crate) ", "pub(super) ", "pub "].into_iter().find_map(|word| line.strip_prefix(word));
    let declaration = public.unwrap_or(line);
    let name = ["struct ", "enum ", "trait ", "type "]
        .into_iter()
        .find_map(|word| declaration.strip_prefix(word))?;
    let end =
        name.find(|character: char| !character.is_alphanumeric() && character != '_').unwrap_or(name.len());
    Some(&name[..end])
}

/// Two files that import each other can only be understood together. A module and its own submodules may.
pub(crate) fn import_circles(tree: &Tree) -> Vec<Finding> {
    let product =
        || tree.with_extension("rs").filter(|file| file.is_product() && file.path.contains("/src/"));
    let modules: BTreeMap<String, &File> = product().map(|file| (module_of(&file.path), file)).collect();
    let mut imports: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for (module, file) in &modules {
        for (number, line) in file.lines() {
            for target in imported(module, line) {
                let target = deepest(&modules, &target);
                if let Some(target) = target.filter(|target| !is_family(module, target)) {
                    imports.entry(module).or_default().entry(target).or_insert(number);
                }
            }
        }
    }
    let mut findings = Vec::new();
    for (module, targets) in &imports {
        for (target, number) in targets {
            if reaches(&imports, target, module) {
                findings
                    .push(modules[*module].finding(*number, format!("{target} imports {module} in turn")));
            }
        }
    }
    findings
}

/// `crates/web/src/api/admin/mod.rs` is the module `web::api::admin`.
fn module_of(path: &str) -> String {
    let path = path.trim_start_matches("crates/").trim_end_matches(".rs").replacen("/src/", "/", 1);
    let path = ["/mod", "/lib", "/main"].into_iter().find_map(|end| path.strip_suffix(end)).unwrap_or(&path);
    path.replace('/', "::")
}

/// The paths that a line names in its crate, as full paths: `use crate::a::{b, c}` and `super::b::f()`.
fn imported(module: &str, line: &str) -> Vec<String> {
    let code = line.trim_start();
    if code.starts_with("//") {
        return Vec::new();
    }
    let crate_name = module.split("::").next().unwrap_or_default();
    let parent = module.rsplit_once("::").map_or(module, |(parent, _)| parent);
    let mut found = Vec::new();
    for (start, base) in [("crate::", crate_name), ("super::", parent)] {
        for (at, _) in code.match_indices(start) {
            if code[..at].ends_with(|before: char| before.is_alphanumeric() || before == ':' || before == '_')
            {
                continue;
            }
            let rest = &code[at + start.len()..];
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').unwrap_or(rest.len());
            let path = rest[..end].trim_end_matches(':');
            if !path.starts_with("super") {
                found.push(format!("{base}::{path}"));
            }
            if rest[end..].starts_with('{') {
                let items = rest[end + 1..].split(['}', '{']).next().unwrap_or_default();
                let prefix = if path.is_empty() { base.to_owned() } else { format!("{base}::{path}") };
                found.extend(items.split(',').map(|item| format!("{prefix}::{}", item.trim())));
            }
        }
    }
    found
}

/// The module that a path is in: `web::api::Reader` is in `web::api`.
fn deepest<'m>(modules: &'m BTreeMap<String, &File>, path: &str) -> Option<&'m str> {
    let mut path = path;
    loop {
        if let Some((module, _)) = modules.get_key_value(path) {
            return Some(module);
        }
        path = path.rsplit_once("::")?.0;
    }
}

fn is_family(a: &str, b: &str) -> bool {
    let within = |inner: &str, outer: &str| inner == outer || inner.starts_with(&format!("{outer}::"));
    within(a, b) || within(b, a)
}

fn reaches(imports: &BTreeMap<&str, BTreeMap<&str, usize>>, from: &str, to: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut open = vec![from];
    while let Some(module) = open.pop() {
        if module == to {
            return true;
        }
        if seen.insert(module) {
            open.extend(imports.get(module).into_iter().flat_map(BTreeMap::keys).copied());
        }
    }
    false
}
