//! What the documents say is so.

use std::process::Command;

use serde_json::Value;

use crate::durability::Program;

fn read(path: &str) -> String {
    let path = format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("{path}"))
}

/// The code blocks of a document in this language.
fn blocks(document: &str, language: &str) -> Vec<String> {
    let opening = format!("```{language}\n");
    let parts = document.split(&opening).skip(1);
    parts
        .map(|part| part.split("```").next().unwrap().to_owned())
        .collect()
}

/// The README's request, run as it stands but for the port, gives the README's reply but for times.
#[test]
fn the_readme_request_gives_its_reply() {
    let readme = read("README.md");
    let request = blocks(&readme, "sh")
        .into_iter()
        .find(|block| block.starts_with("curl"))
        .unwrap();
    let expected: Value = serde_json::from_str(&blocks(&readme, "json")[0]).unwrap();
    let program = Program::start(":memory:");
    let request = request.replace("127.0.0.1:8080", &program.address.to_string());
    let output = Command::new("sh").args(["-c", &request]).output().unwrap();
    let reply: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(reply, expected);
}

/// Each code of the table stands in the catalogue with its message, and nothing else does.
#[test]
fn the_error_catalogue_is_the_table() {
    let catalogue = read("docs/errors.md");
    for code in patron_rules::codes::ALL {
        let row = format!("| {} | {} |", code.number, code.message);
        assert!(catalogue.contains(&row), "docs/errors.md lacks: {row}");
    }
    let rows = catalogue
        .lines()
        .filter(|line| line.starts_with("| ") && line.as_bytes()[2].is_ascii_digit());
    assert_eq!(rows.count(), patron_rules::codes::ALL.len());
}
