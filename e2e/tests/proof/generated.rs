//! Clients generated from the document by third-party generators, unchanged: a Python client buys, holds and
//! spends with a running service, and a program is compiled with TypeScript types. FairePlace has no client
//! libraries of its own, because these work.

use std::path::{Path, PathBuf};
use std::process::Command;

use e2e::process::{Ended, Process};

use crate::document::Document;
use crate::world::World;

/// Number of steps in the Python program, to notice steps that did not run.
const STEPS: usize = 12;

#[test]
fn a_generated_python_client_buys_holds_and_spends() {
    let world = World::start();
    let folder = write(&world);
    let python = e2e::tools().join("python/bin");
    let mut generator = Command::new(python.join("openapi-python-client"));
    generator
        .args(["generate", "--path", "openapi.json", "--meta", "none", "--fail-on-warning"])
        .args(["--output-path", "faireplace_client"])
        .current_dir(&folder)
        // It finds its formatter in PATH.
        .env("PATH", &python);
    let ended = run(generator, "openapi-python-client generate");
    assert_eq!(ended.code, Some(0), "{ended}");

    let mut program = Command::new(python.join("python"));
    program
        .args(["-B", "-s"])
        .arg(script("python/generated.py"))
        .env("PYTHONPATH", &folder)
        .env("FAIREPLACE_URL", world.service.url())
        .env("FAIREPLACE_KEY", &world.tenant_key);
    let ended = run(program, "python generated.py");
    println!("{ended}");
    assert_eq!(ended.code, Some(0), "{ended}");
    let passed = ended.stdout.lines().filter(|line| line.starts_with("ok ")).count();
    assert_eq!(passed, STEPS, "{ended}");
    world.assert_sound();
}

#[test]
fn a_correct_program_compiles_with_generated_types_and_a_wrong_one_does_not() {
    let world = World::start();
    let folder = write(&world);
    let packages = e2e::tools().join("node/node_modules");
    let node = |script: &str, arguments: &[&str]| {
        let mut command = Command::new("node");
        command.arg(packages.join(script)).args(arguments).current_dir(&folder);
        run(command, script)
    };
    let generated = node("openapi-typescript/bin/cli.js", &["openapi.json", "--output", "faireplace.d.ts"]);
    assert_eq!(generated.code, Some(0), "{generated}");
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

/// Writes the document into a new folder; returns the folder.
fn write(world: &World) -> PathBuf {
    let folder = world.deployment.path("generated");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("openapi.json"), Document::of(world).text()).unwrap();
    folder
}

fn run(command: Command, command_line: &str) -> Ended {
    Process::start(command, command_line.to_owned()).wait()
}

fn script(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients").join(path)
}
