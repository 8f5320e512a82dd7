//! Clients that stock generators make from the document, and that nobody touched up: one for Python that
//! buys, holds and spends against a live service, and TypeScript's types, with which a program is compiled.
//!
//! Not here: clients of our own. There are none, because these work.

use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::process::{Ended, Process};

use crate::document::Document;
use crate::world::World;

/// What the program for Python does, line by line: a step that is left out is as bad as one that fails.
const STEPS: usize = 12;

#[test]
fn a_generated_client_for_python_buys_holds_and_spends() {
    let world = World::start();
    let folder = write(&world);
    let python = e2e::tools().join("python/bin");
    let mut generator = Command::new(python.join("openapi-python-client"));
    generator
        .args(["generate", "--path", "openapi.json", "--meta", "none", "--fail-on-warning"])
        .args(["--output-path", "faireplace_client"])
        .current_dir(&folder)
        // Its formatter lies beside it.
        .env("PATH", &python);
    let ended = end(generator, "openapi-python-client generate");
    assert_eq!(ended.code, Some(0), "{ended}");

    let mut program = Command::new(python.join("python"));
    program
        .args(["-B", "-s"])
        .arg(script("python/generated.py"))
        .env("PYTHONPATH", &folder)
        .env("FAIREPLACE_URL", world.service.url())
        .env("FAIREPLACE_KEY", &world.tenant_key);
    let ended = end(program, "python generated.py");
    println!("{ended}");
    assert_eq!(ended.code, Some(0), "{ended}");
    let held = ended.stdout.lines().filter(|line| line.starts_with("ok ")).count();
    assert_eq!(held, STEPS, "{ended}");
    world.assert_sound();
}

#[test]
fn generated_types_compile_with_a_program_and_refuse_a_wrong_one() {
    let world = World::start();
    let folder = write(&world);
    let packages = e2e::tools().join("node/node_modules");
    let node = |script: &str, arguments: &[&str]| {
        let mut command = Command::new("node");
        command.arg(packages.join(script)).args(arguments).current_dir(&folder);
        end(command, script)
    };
    let made = node("openapi-typescript/bin/cli.js", &["openapi.json", "--output", "faireplace.d.ts"]);
    assert_eq!(made.code, Some(0), "{made}");
    let right = std::fs::read_to_string(script("node/generated.ts")).unwrap();
    let wrong = right.replace("credits: 1,", "credits: \"1\",");
    assert_ne!(right, wrong);
    for (program, code) in [(right, 0), (wrong, 2)] {
        std::fs::write(folder.join("generated.ts"), program).unwrap();
        let strict = ["--noEmit", "--strict", "--skipLibCheck", "false", "generated.ts"];
        let compiled = node("typescript/bin/tsc", &strict);
        assert_eq!(compiled.code, Some(code), "{compiled}");
    }
}

/// Writes the document into a folder, and answers the folder.
fn write(world: &World) -> PathBuf {
    let folder = world.deployment.path("generated");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("openapi.json"), Document::of(world).text()).unwrap();
    folder
}

fn end(command: Command, called: &str) -> Ended {
    Process::start(command, called.to_owned()).wait()
}

fn script(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(path)
}
